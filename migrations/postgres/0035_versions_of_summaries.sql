-- What is a text of its own, too: the summary of each version. And who could read it, so that a form that
-- was opened before this was changed does not change it back. Null where it is not known: versions from
-- before, and those that an instance of the last version keeps.
ALTER TABLE post_revisions ADD COLUMN summary TEXT;
ALTER TABLE post_revisions ADD COLUMN visibility TEXT;

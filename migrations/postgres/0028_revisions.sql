-- What a post said in each version that was saved. The text of a post is in its own row, too: a version
-- is kept here when it is saved by an edit, or when the next one replaces it.
CREATE TABLE post_revisions (
    post_id    BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    -- The version of the post.
    number     BIGINT NOT NULL,
    title      TEXT NOT NULL,
    content    TEXT NOT NULL,
    -- Names with spaces between them, as they were then: tags can be merged.
    tags       TEXT NOT NULL,
    -- Who saved it; null when the account was deleted, and when nobody knows.
    editor_id  BIGINT REFERENCES users (id) ON DELETE SET NULL,
    written_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (post_id, number)
);
-- For the deletion of accounts.
CREATE INDEX post_revisions_editor_id ON post_revisions (editor_id);

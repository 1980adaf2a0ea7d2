-- Who may read a post. `published_at` remains the key of every list, and is null unless the post is
-- published for everybody: whatever reads lists cannot show anything else.
-- draft: its author alone reads it; scheduled: likewise, until `publish_at`; published.
ALTER TABLE posts ADD COLUMN state TEXT NOT NULL DEFAULT 'published';
-- Of a published post. public; unlisted: everybody who knows the address; members: everybody who is logged
-- in and knows the address; private: its author alone.
ALTER TABLE posts ADD COLUMN visibility TEXT NOT NULL DEFAULT 'public';
-- When it was published, or will be; null if it never was, and for posts of older versions, which have
-- `published_at`.
ALTER TABLE posts ADD COLUMN publish_at TIMESTAMPTZ;
-- What the author wrote to be shown in place of the beginning of the text; empty if nothing.
ALTER TABLE posts ADD COLUMN summary TEXT NOT NULL DEFAULT '';

-- What the author alone finds in a list, the latest first; "+ 0" as in migration 23.
CREATE INDEX posts_not_listed ON posts (user_id, (id + 0)) WHERE published_at IS NULL;
CREATE INDEX posts_scheduled ON posts (publish_at, id) WHERE state = 'scheduled';

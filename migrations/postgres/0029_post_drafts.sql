-- What the author of a post has written for its next version, as it was typed: it need not be valid.
CREATE TABLE post_drafts (
    post_id  BIGINT PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- The version of the post from which it was written.
    version  BIGINT NOT NULL,
    title    TEXT NOT NULL,
    content  TEXT NOT NULL,
    summary  TEXT NOT NULL,
    tags     TEXT NOT NULL,
    saved_at TIMESTAMPTZ NOT NULL
);

-- Posts that belong together, in the order in which they were published. A series belongs to its author, and
-- posts of that author alone are in it.
CREATE TABLE series (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        TEXT NOT NULL,
    -- The title as it is compared: an author has one series of each title, whatever its case.
    title_key    TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    -- Since when the sweep has found no post in it.
    unused_since TIMESTAMP,
    UNIQUE (user_id, title_key)
);
-- "+ 0" as in migration 23.
CREATE INDEX series_by_author ON series (user_id, id + 0);
CREATE INDEX series_unused ON series (unused_since) WHERE unused_since IS NOT NULL;

ALTER TABLE posts ADD COLUMN series_id INTEGER REFERENCES series (id) ON DELETE SET NULL;
CREATE INDEX posts_series ON posts (series_id, published_at, id) WHERE series_id IS NOT NULL;

-- What the author wrote for the next version of a post; null if nothing was said, and so it stays as it is.
ALTER TABLE post_drafts ADD COLUMN series TEXT;

-- What anybody may read (migration 22).
CREATE TRIGGER content_series_added AFTER INSERT ON series BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_series_changed AFTER UPDATE OF title ON series BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_series_removed AFTER DELETE ON series BEGIN
    UPDATE content_versions SET number = number + 1;
END;

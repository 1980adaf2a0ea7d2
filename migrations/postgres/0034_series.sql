-- Posts that belong together, in the order in which they were published. A series belongs to its author, and
-- posts of that author alone are in it.
CREATE TABLE series (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        TEXT NOT NULL,
    -- The title as it is compared: an author has one series of each title, whatever its case.
    title_key    TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    -- Since when the sweep has found no post in it.
    unused_since TIMESTAMPTZ,
    UNIQUE (user_id, title_key)
);
-- "+ 0" as in migration 23.
CREATE INDEX series_by_author ON series (user_id, (id + 0));
CREATE INDEX series_unused ON series (unused_since) WHERE unused_since IS NOT NULL;

ALTER TABLE posts ADD COLUMN series_id BIGINT REFERENCES series (id) ON DELETE SET NULL;
CREATE INDEX posts_series ON posts (series_id, published_at, id) WHERE series_id IS NOT NULL;

-- What the author wrote for the next version of a post; null if nothing was said, and so it stays as it is.
ALTER TABLE post_drafts ADD COLUMN series TEXT;

-- What anybody may read (migration 22).
CREATE TRIGGER content_series AFTER INSERT OR UPDATE OF title OR DELETE ON series
    FOR EACH STATEMENT EXECUTE FUNCTION count_content();

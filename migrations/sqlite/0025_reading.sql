-- How long a post takes to read, computed when it is rendered. A backfill computes it for older ones.
ALTER TABLE posts ADD COLUMN reading_minutes INTEGER NOT NULL DEFAULT 1;

-- By these, the backfill of a new version of the renderer finds what is left without reading what is done.
CREATE INDEX posts_rendering ON posts (rendering, id);
CREATE INDEX comments_rendering ON comments (rendering, id);

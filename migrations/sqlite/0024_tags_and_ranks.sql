-- The names under which posts are found. A name that was merged into another one is its alias.
CREATE TABLE tags (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As the program normalises it: lower case, without spaces.
    name        TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    alias_of    INTEGER REFERENCES tags (id),
    -- How many published posts have it, kept by the triggers below.
    posts       INTEGER NOT NULL DEFAULT 0,
    created_at  TIMESTAMP NOT NULL
);
CREATE INDEX tags_posts ON tags (posts, id) WHERE posts > 0;
CREATE INDEX tags_alias_of ON tags (alias_of, id) WHERE alias_of IS NOT NULL;

CREATE TABLE post_tags (
    post_id      INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag_id       INTEGER NOT NULL REFERENCES tags (id),
    -- In the order in which the author wrote them.
    position     INTEGER NOT NULL,
    -- That of the post, kept by a trigger, so that the list of a tag is read in order.
    published_at TIMESTAMP,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX post_tags_published_at ON post_tags (tag_id, published_at, post_id);

CREATE TRIGGER post_tags_added AFTER INSERT ON post_tags BEGIN
    UPDATE tags SET posts = posts + 1 WHERE id = NEW.tag_id AND NEW.published_at IS NOT NULL;
END;
CREATE TRIGGER post_tags_removed AFTER DELETE ON post_tags BEGIN
    UPDATE tags SET posts = posts - 1 WHERE id = OLD.tag_id AND OLD.published_at IS NOT NULL;
END;
CREATE TRIGGER post_tags_changed AFTER UPDATE OF tag_id, published_at ON post_tags BEGIN
    UPDATE tags SET posts = posts - 1 WHERE id = OLD.tag_id AND OLD.published_at IS NOT NULL;
    UPDATE tags SET posts = posts + 1 WHERE id = NEW.tag_id AND NEW.published_at IS NOT NULL;
END;
CREATE TRIGGER posts_tags_published AFTER UPDATE OF published_at ON posts
    WHEN OLD.published_at IS NOT NEW.published_at BEGIN
    UPDATE post_tags SET published_at = NEW.published_at WHERE post_id = NEW.id;
END;

-- What anybody may read (migration 22). Posts are added and removed together with their tags.
CREATE TRIGGER content_tags_changed AFTER UPDATE ON tags BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_post_tags_added AFTER INSERT ON post_tags BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_post_tags_changed AFTER UPDATE ON post_tags BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_post_tags_removed AFTER DELETE ON post_tags BEGIN
    UPDATE content_versions SET number = number + 1;
END;

-- The order of the list "hot": the time of publication in seconds since 1970, and 13,546 more each time
-- the votes double (45,000 for ten times as many). It grows with votes alone, so nothing has to age it.
ALTER TABLE posts ADD COLUMN hot INTEGER NOT NULL DEFAULT 0;
-- In which day, week, month and year it was published, numbered from the beginning of 1970 (years from
-- the year 0), in UTC; weeks begin on Mondays. For the lists with the most votes of each.
ALTER TABLE posts ADD COLUMN published_day INTEGER;
ALTER TABLE posts ADD COLUMN published_week INTEGER;
ALTER TABLE posts ADD COLUMN published_month INTEGER;
ALTER TABLE posts ADD COLUMN published_year INTEGER;

-- The engine has no logarithms: between two powers of two, the points grow in a straight line.
CREATE VIEW hot_points (votes, points) AS VALUES
    (1, 0), (2, 13546), (4, 27092), (8, 40638), (16, 54184), (32, 67730), (64, 81276), (128, 94822),
    (256, 108368), (512, 121914), (1024, 135460), (2048, 149006), (4096, 162552), (8192, 176098),
    (16384, 189644), (32768, 203190), (65536, 216736), (131072, 230282), (262144, 243828),
    (524288, 257374), (1048576, 270920);

UPDATE posts SET
    hot = unixepoch(published_at) + coalesce(
        (SELECT p.points + 13546 * (min(posts.votes, 2097152) - p.votes) / p.votes FROM hot_points p
         WHERE p.votes <= posts.votes ORDER BY p.votes DESC LIMIT 1), 0),
    published_day = unixepoch(published_at) / 86400,
    published_week = (unixepoch(published_at) / 86400 + 3) / 7,
    published_month = CAST(strftime('%Y', published_at) AS INTEGER) * 12
        + CAST(strftime('%m', published_at) AS INTEGER) - 23641,
    published_year = CAST(strftime('%Y', published_at) AS INTEGER)
WHERE published_at IS NOT NULL;

CREATE INDEX posts_hot ON posts (hot, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_day_votes ON posts (published_day, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_week_votes ON posts (published_week, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_month_votes ON posts (published_month, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_year_votes ON posts (published_year, votes, id) WHERE published_at IS NOT NULL;

CREATE TRIGGER posts_dated AFTER INSERT ON posts WHEN NEW.published_at IS NOT NULL BEGIN
    UPDATE posts SET
        hot = unixepoch(published_at) + coalesce(
            (SELECT p.points + 13546 * (min(posts.votes, 2097152) - p.votes) / p.votes FROM hot_points p
             WHERE p.votes <= posts.votes ORDER BY p.votes DESC LIMIT 1), 0),
        published_day = unixepoch(published_at) / 86400,
        published_week = (unixepoch(published_at) / 86400 + 3) / 7,
        published_month = CAST(strftime('%Y', published_at) AS INTEGER) * 12
            + CAST(strftime('%m', published_at) AS INTEGER) - 23641,
        published_year = CAST(strftime('%Y', published_at) AS INTEGER)
    WHERE id = NEW.id;
END;
CREATE TRIGGER posts_redated AFTER UPDATE OF published_at ON posts
    WHEN OLD.published_at IS NOT NEW.published_at BEGIN
    UPDATE posts SET
        hot = coalesce(unixepoch(published_at) + coalesce(
            (SELECT p.points + 13546 * (min(posts.votes, 2097152) - p.votes) / p.votes FROM hot_points p
             WHERE p.votes <= posts.votes ORDER BY p.votes DESC LIMIT 1), 0), 0),
        published_day = unixepoch(published_at) / 86400,
        published_week = (unixepoch(published_at) / 86400 + 3) / 7,
        published_month = CAST(strftime('%Y', published_at) AS INTEGER) * 12
            + CAST(strftime('%m', published_at) AS INTEGER) - 23641,
        published_year = CAST(strftime('%Y', published_at) AS INTEGER)
    WHERE id = NEW.id;
END;
CREATE TRIGGER posts_voted AFTER UPDATE OF votes ON posts
    WHEN OLD.votes <> NEW.votes AND NEW.published_at IS NOT NULL BEGIN
    UPDATE posts SET hot = unixepoch(published_at) + coalesce(
        (SELECT p.points + 13546 * (min(posts.votes, 2097152) - p.votes) / p.votes FROM hot_points p
         WHERE p.votes <= posts.votes ORDER BY p.votes DESC LIMIT 1), 0)
    WHERE id = NEW.id;
END;

-- What one person said, the latest first; "+ 0" as in migration 23.
CREATE INDEX comments_by_author ON comments (user_id, id + 0) WHERE deleted_at IS NULL;

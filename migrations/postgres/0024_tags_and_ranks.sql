-- The names under which posts are found. A name that was merged into another one is its alias.
CREATE TABLE tags (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- As the program normalises it: lower case, without spaces. Compared as in SQLite.
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    alias_of    BIGINT REFERENCES tags (id),
    -- How many published posts have it, kept by the triggers below.
    posts       BIGINT NOT NULL DEFAULT 0,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX tags_posts ON tags (posts, id) WHERE posts > 0;
CREATE INDEX tags_alias_of ON tags (alias_of, id) WHERE alias_of IS NOT NULL;

CREATE TABLE post_tags (
    post_id      BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag_id       BIGINT NOT NULL REFERENCES tags (id),
    -- In the order in which the author wrote them.
    position     BIGINT NOT NULL,
    -- That of the post, kept by a trigger, so that the list of a tag is read in order.
    published_at TIMESTAMPTZ,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX post_tags_published_at ON post_tags (tag_id, published_at, post_id);

-- In the order of the ids, so that two transactions never wait for each other.
CREATE FUNCTION count_post_tags() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change RECORD;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR change IN SELECT tag_id, count(*) AS posts
            FROM added WHERE published_at IS NOT NULL GROUP BY tag_id ORDER BY tag_id
        LOOP
            UPDATE tags t SET posts = t.posts + change.posts WHERE t.id = change.tag_id;
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR change IN SELECT tag_id, count(*) AS posts
            FROM removed WHERE published_at IS NOT NULL GROUP BY tag_id ORDER BY tag_id
        LOOP
            UPDATE tags t SET posts = t.posts - change.posts WHERE t.id = change.tag_id;
        END LOOP;
    ELSE
        FOR change IN SELECT tag_id, sum(posts) AS posts FROM (
                SELECT tag_id, 1 AS posts FROM added WHERE published_at IS NOT NULL
                UNION ALL
                SELECT tag_id, -1 FROM removed WHERE published_at IS NOT NULL
            ) AS rows GROUP BY tag_id HAVING sum(posts) <> 0 ORDER BY tag_id
        LOOP
            UPDATE tags t SET posts = t.posts + change.posts WHERE t.id = change.tag_id;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER post_tags_added AFTER INSERT ON post_tags REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_post_tags();
CREATE TRIGGER post_tags_removed AFTER DELETE ON post_tags REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_post_tags();
CREATE TRIGGER post_tags_changed AFTER UPDATE ON post_tags
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_post_tags();

CREATE FUNCTION publish_post_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE post_tags SET published_at = NEW.published_at WHERE post_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER posts_tags_published AFTER UPDATE OF published_at ON posts FOR EACH ROW
    WHEN (OLD.published_at IS DISTINCT FROM NEW.published_at) EXECUTE FUNCTION publish_post_tags();

-- What anybody may read (migration 22). Posts are added and removed together with their tags.
CREATE TRIGGER content_tags AFTER UPDATE ON tags
    FOR EACH STATEMENT EXECUTE FUNCTION count_content();
CREATE TRIGGER content_post_tags AFTER INSERT OR UPDATE OR DELETE ON post_tags
    FOR EACH STATEMENT EXECUTE FUNCTION count_content();

-- The order of the list "hot": the time of publication in seconds since 1970, and 13,546 more each time
-- the votes double (45,000 for ten times as many). It grows with votes alone, so nothing has to age it.
ALTER TABLE posts ADD COLUMN hot BIGINT NOT NULL DEFAULT 0;
-- In which day, week, month and year it was published, numbered from the beginning of 1970 (years from
-- the year 0), in UTC; weeks begin on Mondays. For the lists with the most votes of each.
ALTER TABLE posts ADD COLUMN published_day BIGINT;
ALTER TABLE posts ADD COLUMN published_week BIGINT;
ALTER TABLE posts ADD COLUMN published_month BIGINT;
ALTER TABLE posts ADD COLUMN published_year BIGINT;

-- As on SQLite, which has no logarithms: between two powers of two, the points grow in a straight line.
CREATE VIEW hot_points (votes, points) AS VALUES
    (1, 0), (2, 13546), (4, 27092), (8, 40638), (16, 54184), (32, 67730), (64, 81276), (128, 94822),
    (256, 108368), (512, 121914), (1024, 135460), (2048, 149006), (4096, 162552), (8192, 176098),
    (16384, 189644), (32768, 203190), (65536, 216736), (131072, 230282), (262144, 243828),
    (524288, 257374), (1048576, 270920);

CREATE FUNCTION rank_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    seconds BIGINT := floor(extract(epoch FROM NEW.published_at));
    published TIMESTAMP := NEW.published_at AT TIME ZONE 'UTC';
BEGIN
    NEW.hot := coalesce(seconds + coalesce(
        (SELECT p.points + 13546 * (least(NEW.votes, 2097152) - p.votes) / p.votes FROM hot_points p
         WHERE p.votes <= NEW.votes ORDER BY p.votes DESC LIMIT 1), 0), 0);
    NEW.published_day := seconds / 86400;
    NEW.published_week := (seconds / 86400 + 3) / 7;
    NEW.published_month := extract(year FROM published) * 12 + extract(month FROM published) - 23641;
    NEW.published_year := extract(year FROM published);
    RETURN NEW;
END
$$;
CREATE TRIGGER posts_ranked BEFORE INSERT OR UPDATE OF published_at, votes ON posts
    FOR EACH ROW EXECUTE FUNCTION rank_post();

UPDATE posts SET published_at = published_at WHERE published_at IS NOT NULL;

CREATE INDEX posts_hot ON posts (hot, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_day_votes ON posts (published_day, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_week_votes ON posts (published_week, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_month_votes ON posts (published_month, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_year_votes ON posts (published_year, votes, id) WHERE published_at IS NOT NULL;

-- What one person said, the latest first; "+ 0" as in migration 23.
CREATE INDEX comments_by_author ON comments (user_id, (id + 0)) WHERE deleted_at IS NULL;

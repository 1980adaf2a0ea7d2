-- Writers of older versions wait until the counts and the triggers that keep them are in place.
LOCK TABLE users, posts, votes IN SHARE ROW EXCLUSIVE MODE;

-- Lists by votes are read with two conditions, on the votes and on the id.
CREATE INDEX posts_user_votes ON posts (user_id, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX votes_post_id ON votes (post_id, id);
-- For the notice about copied tokens.
CREATE INDEX audit_events_subject_kind ON audit_events (subject_id, kind, id);
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

-- How many published posts a person has, and how many votes these have received. A table of its own,
-- locked after posts: a vote must not wait for a log-in, which locks the row of the account. There is no
-- foreign key, because the order in which PostgreSQL follows foreign keys is not fixed: the trigger
-- below deletes the row after the person's posts, in whose triggers it is locked.
CREATE TABLE user_counts (
    user_id BIGINT PRIMARY KEY,
    posts   BIGINT NOT NULL DEFAULT 0,
    votes   BIGINT NOT NULL DEFAULT 0
);

CREATE FUNCTION count_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO user_counts (user_id) VALUES (NEW.id);
    ELSE
        DELETE FROM user_counts WHERE user_id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_counted AFTER INSERT OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION count_user();

-- In the order of the ids, so that two transactions never wait for each other.
CREATE FUNCTION count_posts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change RECORD;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR change IN SELECT user_id, count(*) AS posts, sum(votes) AS votes
            FROM added WHERE published_at IS NOT NULL GROUP BY user_id ORDER BY user_id
        LOOP
            UPDATE user_counts c SET posts = c.posts + change.posts, votes = c.votes + change.votes
                WHERE c.user_id = change.user_id;
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR change IN SELECT user_id, count(*) AS posts, sum(votes) AS votes
            FROM removed WHERE published_at IS NOT NULL GROUP BY user_id ORDER BY user_id
        LOOP
            UPDATE user_counts c SET posts = c.posts - change.posts, votes = c.votes - change.votes
                WHERE c.user_id = change.user_id;
        END LOOP;
    ELSE
        FOR change IN SELECT user_id, sum(posts) AS posts, sum(votes) AS votes FROM (
                SELECT user_id, 1 AS posts, votes FROM added WHERE published_at IS NOT NULL
                UNION ALL
                SELECT user_id, -1, -votes FROM removed WHERE published_at IS NOT NULL
            ) AS rows GROUP BY user_id HAVING sum(posts) <> 0 OR sum(votes) <> 0 ORDER BY user_id
        LOOP
            UPDATE user_counts c SET posts = c.posts + change.posts, votes = c.votes + change.votes
                WHERE c.user_id = change.user_id;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER posts_added AFTER INSERT ON posts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_posts();
CREATE TRIGGER posts_removed AFTER DELETE ON posts REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION count_posts();
CREATE TRIGGER posts_changed AFTER UPDATE ON posts REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_posts();

-- All posts are locked before the first row of user_counts, and in the order of their ids.
CREATE FUNCTION count_votes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM posts WHERE id IN (SELECT post_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE posts p SET votes = p.votes + c.count * (CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END)
        FROM (SELECT post_id, count(*) AS count FROM changed GROUP BY post_id) AS c
        WHERE p.id = c.post_id;
    RETURN NULL;
END
$$;
DROP TRIGGER votes_cast ON votes;
DROP TRIGGER votes_withdrawn ON votes;
DROP FUNCTION count_vote();
CREATE TRIGGER votes_cast AFTER INSERT ON votes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_votes();
CREATE TRIGGER votes_withdrawn AFTER DELETE ON votes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_votes();

INSERT INTO user_counts (user_id, posts, votes)
    SELECT u.id, count(p.id), coalesce(sum(p.votes), 0)
    FROM users u LEFT JOIN posts p ON p.user_id = u.id AND p.published_at IS NOT NULL
    GROUP BY u.id;

-- What is searched: for a post its title and its author, for a person the name and the address, both
-- folded by the program (models/base/search.rs) and so alike on both engines.
CREATE TABLE post_search (
    id   BIGINT PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);
CREATE TABLE user_search (
    id   BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);

-- All sequences of three characters in a text, and the block of ids that it belongs to: a search reads
-- the index block by block, latest first, and stops when a page is full (src/db/search.rs).
CREATE FUNCTION search_keys(text TEXT, block BIGINT) RETURNS TEXT[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    keys TEXT[] := ARRAY['block ' || block];
BEGIN
    FOR n IN 1 .. char_length(text) - 2 LOOP
        keys[n + 1] := substr(text, n, 3);
    END LOOP;
    RETURN keys;
END
$$;
-- Without fastupdate, whose list of pending rows each block would read again.
CREATE INDEX post_search_index ON post_search USING gin (search_keys(text, id / 2048))
    WITH (fastupdate = off);
CREATE INDEX user_search_index ON user_search USING gin (search_keys(text, id / 2048))
    WITH (fastupdate = off);

-- Counts the changes to what anybody may read, so that each instance knows whether the pages that it
-- has kept are still current. The sum of all rows counts. Each connection has a row of its own: if
-- they shared one, each transaction would wait for the others, and the greatest number of a sequence
-- would not tell of a transaction that took its number early and ended late.
CREATE TABLE content_versions (
    slot   BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO content_versions (slot, number) VALUES (0, 1);

CREATE FUNCTION count_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO content_versions AS v (slot, number) VALUES (pg_backend_pid(), 1)
        ON CONFLICT (slot) DO UPDATE SET number = v.number + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER content_posts AFTER INSERT OR UPDATE OR DELETE ON posts
    FOR EACH STATEMENT EXECUTE FUNCTION count_content();
-- The author's name is part of a post, the role of a profile.
CREATE TRIGGER content_users AFTER UPDATE OF username, role OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION count_content();

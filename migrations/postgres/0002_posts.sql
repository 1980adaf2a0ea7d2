CREATE TABLE posts (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        TEXT NOT NULL,
    content      TEXT NOT NULL,
    -- Rendered once, when written; `rendering` says by which version of the renderer.
    content_html TEXT NOT NULL,
    excerpt      TEXT NOT NULL,
    rendering    BIGINT NOT NULL,
    -- Kept by the triggers below.
    votes        BIGINT NOT NULL DEFAULT 0,
    -- One more at each edit, so that a stale edit is noticed.
    version      BIGINT NOT NULL DEFAULT 1,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ
);
CREATE INDEX posts_user_id ON posts (user_id, id);
CREATE INDEX posts_votes ON posts (votes, id);

CREATE TABLE votes (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    post_id    BIGINT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (post_id, user_id)
);
CREATE INDEX votes_user_id ON votes (user_id);

-- The database counts, so that no path (a deleted account among them) can leave a count wrong.
CREATE FUNCTION count_vote() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE posts SET votes = votes + 1 WHERE id = NEW.post_id;
    ELSE
        UPDATE posts SET votes = votes - 1 WHERE id = OLD.post_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER votes_cast AFTER INSERT ON votes FOR EACH ROW EXECUTE FUNCTION count_vote();
CREATE TRIGGER votes_withdrawn AFTER DELETE ON votes FOR EACH ROW EXECUTE FUNCTION count_vote();

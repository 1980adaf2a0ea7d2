CREATE TABLE posts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        TEXT NOT NULL,
    content      TEXT NOT NULL,
    -- Rendered once, when written; `rendering` says by which version of the renderer.
    content_html TEXT NOT NULL,
    excerpt      TEXT NOT NULL,
    rendering    INTEGER NOT NULL,
    -- Kept by the triggers below.
    votes        INTEGER NOT NULL DEFAULT 0,
    -- One more at each edit, so that a stale edit is noticed.
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   TIMESTAMP NOT NULL,
    updated_at   TIMESTAMP
);
CREATE INDEX posts_user_id ON posts (user_id, id);
CREATE INDEX posts_votes ON posts (votes, id);

CREATE TABLE votes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    post_id    INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (post_id, user_id)
);
CREATE INDEX votes_user_id ON votes (user_id);

-- The database counts, so that no path (a deleted account among them) can leave a count wrong.
CREATE TRIGGER votes_cast AFTER INSERT ON votes BEGIN
    UPDATE posts SET votes = votes + 1 WHERE id = NEW.post_id;
END;
CREATE TRIGGER votes_withdrawn AFTER DELETE ON votes BEGIN
    UPDATE posts SET votes = votes - 1 WHERE id = OLD.post_id;
END;

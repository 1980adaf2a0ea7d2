-- How many comments a post has that are not deleted, kept by the triggers below; and since when nobody
-- may add another.
ALTER TABLE posts ADD COLUMN comments INTEGER NOT NULL DEFAULT 0;
ALTER TABLE posts ADD COLUMN comments_closed_at TIMESTAMP;

CREATE TABLE comments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    post_id      INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    -- The comment that it replies to; null when it is about the post itself. Then its depth is 0.
    parent_id    INTEGER REFERENCES comments (id) ON DELETE CASCADE,
    depth        INTEGER NOT NULL,
    -- The comment at depth 0 above it, or itself; and how many of its thread were written before it.
    root_id      INTEGER,
    position     INTEGER NOT NULL,
    -- Of a comment at depth 0: how many comments its thread has ever had.
    thread_size  INTEGER NOT NULL DEFAULT 1,
    -- Null when the account was deleted; the program deletes the text in the same transaction.
    user_id      INTEGER REFERENCES users (id) ON DELETE SET NULL,
    content      TEXT NOT NULL,
    -- Rendered once, when written; `rendering` says by which version of the renderer.
    content_html TEXT NOT NULL,
    rendering    INTEGER NOT NULL,
    -- Both kept by the triggers below. Direct replies, deleted ones among them.
    votes        INTEGER NOT NULL DEFAULT 0,
    replies      INTEGER NOT NULL DEFAULT 0,
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   TIMESTAMP NOT NULL,
    updated_at   TIMESTAMP,
    -- A deleted comment stays, without its text, as long as there are replies to it.
    deleted_at   TIMESTAMP
);
-- "+ 0": a list is never read by the primary key, on which its rows may lie far apart.
CREATE INDEX comments_roots ON comments (post_id, id + 0) WHERE parent_id IS NULL;
CREATE INDEX comments_roots_by_votes ON comments (post_id, votes, id + 0) WHERE parent_id IS NULL;
CREATE INDEX comments_replies ON comments (parent_id, id + 0);
CREATE INDEX comments_replies_by_votes ON comments (parent_id, votes, id + 0);
CREATE INDEX comments_thread ON comments (root_id, position);
-- For the deletion of posts and accounts.
CREATE INDEX comments_post_id ON comments (post_id, id);
CREATE INDEX comments_user_id ON comments (user_id, id);
-- Empty but for a moment.
CREATE INDEX comments_orphans ON comments (id) WHERE user_id IS NULL AND deleted_at IS NULL;

-- What a comment said before it was edited.
CREATE TABLE comment_revisions (
    comment_id INTEGER NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    content    TEXT NOT NULL,
    written_at TIMESTAMP NOT NULL,
    PRIMARY KEY (comment_id, version)
);

CREATE TABLE comment_votes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    comment_id INTEGER NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMP NOT NULL,
    UNIQUE (comment_id, user_id)
);
CREATE INDEX comment_votes_user_id ON comment_votes (user_id);
CREATE INDEX comment_votes_comment_id ON comment_votes (comment_id, id);

CREATE TRIGGER comments_added AFTER INSERT ON comments BEGIN
    UPDATE posts SET comments = comments + 1 WHERE id = NEW.post_id AND NEW.deleted_at IS NULL;
    UPDATE comments SET replies = replies + 1 WHERE id = NEW.parent_id;
END;
CREATE TRIGGER comments_removed AFTER DELETE ON comments BEGIN
    UPDATE posts SET comments = comments - 1 WHERE id = OLD.post_id AND OLD.deleted_at IS NULL;
    UPDATE comments SET replies = replies - 1 WHERE id = OLD.parent_id;
END;
CREATE TRIGGER comments_deleted AFTER UPDATE OF deleted_at ON comments
    WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL BEGIN
    UPDATE posts SET comments = comments - 1 WHERE id = NEW.post_id;
END;
CREATE TRIGGER comment_votes_cast AFTER INSERT ON comment_votes BEGIN
    UPDATE comments SET votes = votes + 1 WHERE id = NEW.comment_id;
END;
CREATE TRIGGER comment_votes_withdrawn AFTER DELETE ON comment_votes BEGIN
    UPDATE comments SET votes = votes - 1 WHERE id = OLD.comment_id;
END;

-- What anybody may read (migration 22).
CREATE TRIGGER content_comments_added AFTER INSERT ON comments BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_comments_changed AFTER UPDATE ON comments BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_comments_removed AFTER DELETE ON comments BEGIN
    UPDATE content_versions SET number = number + 1;
END;

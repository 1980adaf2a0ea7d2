-- Links that show one post to whoever has them, whatever its state.
CREATE TABLE share_links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    post_id    INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    -- As it stands in the link: its author can look it up, and whoever reads this table reads the posts, too.
    token      TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL,
    -- Null if it works until it is revoked.
    expires_at TIMESTAMP
);
CREATE INDEX share_links_post_id ON share_links (post_id, id);
CREATE INDEX share_links_expires_at ON share_links (expires_at) WHERE expires_at IS NOT NULL;

-- A person whom admins have locked out; null for everybody else.
ALTER TABLE users ADD COLUMN disabled_at TIMESTAMP;
ALTER TABLE users ADD COLUMN last_login_at TIMESTAMP;

-- Through which door the session was opened: page or api.
ALTER TABLE sessions ADD COLUMN door TEXT NOT NULL DEFAULT 'page';
-- Where it was last used from.
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- When the password was last given in it.
ALTER TABLE sessions ADD COLUMN proved_at TIMESTAMP;

-- A family of refresh tokens is a session; each token but the first replaced one other. Only their
-- SHA-256 is kept.
CREATE TABLE refresh_tokens (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        TEXT NOT NULL,
    parent_hash TEXT UNIQUE,
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at  TIMESTAMP NOT NULL
);
CREATE INDEX refresh_tokens_hash ON refresh_tokens (hash);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

-- Tokens that people make for their programs.
CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    -- Separated by single blanks.
    scopes       TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    last_address TEXT
);
CREATE INDEX api_tokens_user_id ON api_tokens (user_id, id);

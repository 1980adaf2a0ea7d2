-- An address that was given but not yet confirmed; it becomes `email` when it is.
ALTER TABLE users ADD COLUMN pending_email TEXT;
ALTER TABLE users ADD COLUMN email_verified_at TIMESTAMPTZ;

-- Secrets that travel in mailed links, for one use; only their SHA-256 is kept.
CREATE TABLE link_tokens (
    hash       TEXT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('verify', 'reset')),
    -- Where the link was sent.
    email      TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX link_tokens_user_id ON link_tokens (user_id, purpose);

-- Mails to be sent. A row says what to write to whom, not the text: links are made when the mail is,
-- so that no secret lies here.
CREATE TABLE outbox (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    user_id         BIGINT REFERENCES users (id) ON DELETE CASCADE,
    detail          TEXT NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    created_at      TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX outbox_next_attempt_at ON outbox (next_attempt_at);

-- Authenticators (RFC 6238). The secret is sealed with the signing key.
CREATE TABLE two_factors (
    user_id      BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret       TEXT NOT NULL,
    -- The time step of the last code that was taken: no code is taken twice.
    last_step    BIGINT NOT NULL DEFAULT 0,
    -- Null until the first code was shown.
    confirmed_at TIMESTAMPTZ
);

-- Codes for the day on which the authenticator is lost; each works once.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- People who have shown their password in a browser, but not yet a code.
CREATE TABLE login_challenges (
    hash       TEXT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of what is kept of the password: a changed one ends the challenge.
    stamp      TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_challenges_expires_at ON login_challenges (expires_at);
CREATE INDEX login_challenges_user_id ON login_challenges (user_id);

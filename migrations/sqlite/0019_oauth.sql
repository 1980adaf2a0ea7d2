-- Programs of third parties that people may give access to their accounts (OAuth clients).
CREATE TABLE applications (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whoever registered it.
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id     TEXT NOT NULL UNIQUE,
    -- SHA-256; null for a program that cannot keep a secret.
    secret_hash   TEXT,
    name          TEXT NOT NULL,
    -- Separated by single blanks.
    redirect_uris TEXT NOT NULL,
    created_at    TIMESTAMP NOT NULL
);
CREATE INDEX applications_user_id ON applications (user_id, id);

-- What a program may do with the session, separated by single blanks; null for everything.
ALTER TABLE sessions ADD COLUMN scopes TEXT;
-- The application that has the session; null for a person's own.
ALTER TABLE sessions ADD COLUMN application_id INTEGER REFERENCES applications (id) ON DELETE CASCADE;
CREATE INDEX sessions_application_id ON sessions (application_id) WHERE application_id IS NOT NULL;

-- Authorization codes. A used one is kept as long as its session, to recognise it when it is sent
-- again. Only their SHA-256 is kept.
CREATE TABLE authorization_codes (
    hash           TEXT PRIMARY KEY,
    application_id INTEGER NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of what is kept of the password: a changed one ends the code.
    stamp          TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    -- SHA-256 of the verifier, in base64url (RFC 7636).
    challenge      TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    expires_at     TIMESTAMP NOT NULL,
    -- The session that was opened with it; null until then.
    session_id     TEXT REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX authorization_codes_application_id ON authorization_codes (application_id);
CREATE INDEX authorization_codes_user_id ON authorization_codes (user_id);
CREATE INDEX authorization_codes_session_id ON authorization_codes (session_id);
CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at);

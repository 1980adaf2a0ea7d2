-- POST requests with an Idempotency-Key: the first one runs, others get its answer. Kept for a day.
CREATE TABLE idempotency_keys (
    -- An id is never issued again: it tells the request that holds the key from one that took it over.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- SHA-256 of who asked, and the key.
    digest       TEXT NOT NULL UNIQUE,
    user_id      INTEGER REFERENCES users (id) ON DELETE CASCADE,
    -- Which request it was: the id of a secret key, and a code that only its owner can compute.
    request      TEXT NOT NULL,
    -- Until when nobody else may take the key over, unless there is an answer.
    leased_until TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL,
    -- Set by every transaction of the request: it has changed something.
    has_written  BOOLEAN NOT NULL DEFAULT FALSE,
    -- Sealed: only who has the key can open it.
    answer       TEXT
);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_user ON idempotency_keys (user_id);

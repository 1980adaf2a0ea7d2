-- Work to be done after a transaction, such as sending an e-mail: queued in that transaction, run by
-- the worker of any instance.
CREATE TABLE jobs (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          TEXT NOT NULL,
    -- At most one unfinished job has this key.
    unique_key    TEXT,
    -- JSON; its format depends on the kind. It contains no secrets.
    payload       TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    run_at        TIMESTAMPTZ NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT,
    -- When the claim of the worker that took the job expires.
    claimed_until TIMESTAMPTZ,
    -- When it succeeded, or failed for the last time; deleted some days later.
    finished_at   TIMESTAMPTZ,
    failed        BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX jobs_run_at ON jobs (run_at, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished_at ON jobs (finished_at) WHERE finished_at IS NOT NULL;

INSERT INTO jobs (kind, payload, created_at, run_at, attempts)
    SELECT 'mail',
        json_build_object('kind', kind, 'recipient', recipient, 'user_id', user_id, 'detail', detail)::text,
        created_at, next_attempt_at, attempts
    FROM outbox ORDER BY id;
DROP TABLE outbox;

-- Backfills (migration code in Rust) that have finished.
CREATE TABLE backfills (
    name        TEXT PRIMARY KEY,
    finished_at TIMESTAMPTZ NOT NULL
);

-- When the post was published; null while it is not public. Lists are ordered by it, since it may be
-- earlier or later than the time at which the row was written.
ALTER TABLE posts ADD COLUMN published_at TIMESTAMPTZ;
UPDATE posts SET published_at = created_at;
CREATE INDEX posts_published_at ON posts (published_at, id) WHERE published_at IS NOT NULL;
CREATE INDEX posts_user_published_at ON posts (user_id, published_at, id)
    WHERE published_at IS NOT NULL;
DROP INDEX posts_votes;
CREATE INDEX posts_votes ON posts (votes, id) WHERE published_at IS NOT NULL;

-- For the sweep of expired sessions.
CREATE INDEX sessions_last_used_at ON sessions (last_used_at);

-- The kind of client, as named in the API.
ALTER TABLE sessions RENAME COLUMN door TO client;
UPDATE sessions SET client = 'browser' WHERE client = 'page';

-- Only the program knows the purposes: a new one needs no change of the schema.
ALTER TABLE link_tokens DROP CONSTRAINT link_tokens_purpose_check;
CREATE INDEX link_tokens_expires_at ON link_tokens (expires_at);

-- Written, but never read.
ALTER TABLE users DROP COLUMN last_login_at;

-- Counts the log-ins of a person: the order of their sessions, whatever the clocks say.
ALTER TABLE sessions ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET number = numbered.number FROM (
    SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY created_at, id) AS number
    FROM sessions
) AS numbered
WHERE numbered.id = sessions.id;
DROP INDEX sessions_user_id;
CREATE INDEX sessions_user_number ON sessions (user_id, number);

-- What all refresh tokens of a session have in common (SHA-256 of their first half), by which an old
-- one is recognised after its row was deleted; null for tokens of earlier versions.
ALTER TABLE refresh_tokens ADD COLUMN family TEXT;
-- How many tokens of the session came before.
ALTER TABLE refresh_tokens ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

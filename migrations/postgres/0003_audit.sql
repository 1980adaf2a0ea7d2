-- What happened to accounts, as a chain: each row carries the hash of itself with the one before.
CREATE TABLE audit_events (
    id         BIGINT PRIMARY KEY,
    at         TIMESTAMPTZ NOT NULL,
    kind       TEXT NOT NULL,
    -- Who did it, and to whom. Names are kept too, since accounts may be deleted.
    actor_id   BIGINT,
    actor      TEXT,
    subject_id BIGINT,
    subject    TEXT,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    detail     TEXT NOT NULL,
    hash       TEXT NOT NULL
);
CREATE INDEX audit_events_subject_id ON audit_events (subject_id, id);

-- The end of the chain: without it, the last rows could vanish unnoticed.
CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    id   BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (one, id, hash) VALUES (1, 0, '');

CREATE FUNCTION audit_events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are only ever added';
END $$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_stay();

-- How often something was tried, in a window of time.
CREATE TABLE throttles (
    key     TEXT PRIMARY KEY,
    count   BIGINT NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX throttles_ends_at ON throttles (ends_at);

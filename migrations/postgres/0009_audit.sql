-- Names, IP addresses and user agents of audit events move to a table of their own, from which they
-- can be erased. The event keeps digests of them, which its hash covers. Events from before this
-- migration keep everything in their own row (actor_digest is null), until they are sealed.
ALTER TABLE audit_events ADD COLUMN actor_digest TEXT;
ALTER TABLE audit_events ADD COLUMN subject_digest TEXT;

CREATE TABLE audit_people (
    event_id   BIGINT NOT NULL,
    -- 'actor': who did it, and from where. 'subject': whose account it concerns, if another.
    part       TEXT NOT NULL CHECK (part IN ('actor', 'subject')),
    -- The row is erased together with this account.
    user_id    BIGINT,
    -- Random: without it, the digest in the event says nothing about what was erased.
    salt       TEXT NOT NULL,
    name       TEXT,
    address    TEXT,
    user_agent TEXT,
    PRIMARY KEY (event_id, part)
);
CREATE INDEX audit_people_user_id ON audit_people (user_id);

-- Each row replaces all events up to event_id, the last of which had this hash.
CREATE TABLE audit_seals (
    event_id  BIGINT PRIMARY KEY,
    hash      TEXT NOT NULL,
    sealed_at TIMESTAMPTZ NOT NULL,
    -- The key that signed the row together with the previous row's signature.
    key_id    TEXT NOT NULL,
    signature TEXT NOT NULL
);

-- For the search; the last three concern only events from before this migration.
CREATE INDEX audit_events_actor_id ON audit_events (actor_id, id);
CREATE INDEX audit_events_kind ON audit_events (kind, id);
CREATE INDEX audit_events_request_id ON audit_events (request_id, id);
CREATE INDEX audit_people_address ON audit_people (address, event_id);
CREATE INDEX audit_events_actor ON audit_events (lower(actor), id) WHERE actor IS NOT NULL;
CREATE INDEX audit_events_subject ON audit_events (lower(subject), id) WHERE subject IS NOT NULL;
CREATE INDEX audit_events_address ON audit_events (address, id) WHERE address <> '';

-- The end of the chain follows the last event, without another statement of the program.
CREATE FUNCTION audit_head_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit_head SET id = NEW.id, hash = NEW.hash;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_head_follows AFTER INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_head_follows();

-- Events are still never changed, and deleted only once a seal replaces them.
DROP TRIGGER audit_events_stay ON audit_events;
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_stay();
CREATE FUNCTION audit_events_remain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id > coalesce((SELECT max(event_id) FROM audit_seals), 0) THEN
        RAISE EXCEPTION 'audit events are deleted only after they were sealed';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_remain();

-- Details are erased with their event, or when the account no longer exists.
CREATE TRIGGER audit_people_stay BEFORE UPDATE OR TRUNCATE ON audit_people
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_stay();
CREATE FUNCTION audit_people_remain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.event_id > coalesce((SELECT max(event_id) FROM audit_seals), 0)
        AND (OLD.user_id IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id)) THEN
        RAISE EXCEPTION 'details of audit events are erased only together with the account';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_people_remain BEFORE DELETE ON audit_people
    FOR EACH ROW EXECUTE FUNCTION audit_people_remain();

-- A seal ends with an event that exists, and stays.
CREATE TRIGGER audit_seals_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_stay();
CREATE FUNCTION audit_seals_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.event_id AND hash = NEW.hash) THEN
        RAISE EXCEPTION 'a seal ends with an existing audit event';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_seals_fit BEFORE INSERT ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION audit_seals_fit();

-- Names, IP addresses and user agents of audit events move to a table of their own, from which they
-- can be erased. The event keeps digests of them, which its hash covers. Events from before this
-- migration keep everything in their own row (actor_digest is null), until they are sealed.
ALTER TABLE audit_events ADD COLUMN actor_digest TEXT;
ALTER TABLE audit_events ADD COLUMN subject_digest TEXT;

CREATE TABLE audit_people (
    event_id   INTEGER NOT NULL,
    -- 'actor': who did it, and from where. 'subject': whose account it concerns, if another.
    part       TEXT NOT NULL CHECK (part IN ('actor', 'subject')),
    -- The row is erased together with this account.
    user_id    INTEGER,
    -- Random: without it, the digest in the event says nothing about what was erased.
    salt       TEXT NOT NULL,
    name       TEXT,
    address    TEXT,
    user_agent TEXT,
    PRIMARY KEY (event_id, part)
) WITHOUT ROWID;
CREATE INDEX audit_people_user_id ON audit_people (user_id);

-- Each row replaces all events up to event_id, the last of which had this hash.
CREATE TABLE audit_seals (
    event_id  INTEGER PRIMARY KEY,
    hash      TEXT NOT NULL,
    sealed_at TIMESTAMP NOT NULL,
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
CREATE TRIGGER audit_head_follows AFTER INSERT ON audit_events BEGIN
    UPDATE audit_head SET id = NEW.id, hash = NEW.hash;
END;

-- Events are still never changed (audit_events_stay), and deleted only once a seal replaces them.
DROP TRIGGER audit_events_remain;
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
    WHEN OLD.id > coalesce((SELECT max(event_id) FROM audit_seals), 0)
BEGIN
    SELECT RAISE(ABORT, 'audit events are deleted only after they were sealed');
END;

-- Details are erased with their event, or when the account no longer exists.
CREATE TRIGGER audit_people_stay BEFORE UPDATE ON audit_people BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
CREATE TRIGGER audit_people_remain BEFORE DELETE ON audit_people
    WHEN OLD.event_id > coalesce((SELECT max(event_id) FROM audit_seals), 0)
        AND (OLD.user_id IS NULL OR EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id))
BEGIN
    SELECT RAISE(ABORT, 'details of audit events are erased only together with the account');
END;

-- A seal ends with an event that exists, and stays.
CREATE TRIGGER audit_seals_stay BEFORE UPDATE ON audit_seals BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
CREATE TRIGGER audit_seals_remain BEFORE DELETE ON audit_seals BEGIN
    SELECT RAISE(ABORT, 'audit events are only ever added');
END;
CREATE TRIGGER audit_seals_fit BEFORE INSERT ON audit_seals
    WHEN NOT EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.event_id AND hash = NEW.hash)
BEGIN
    SELECT RAISE(ABORT, 'a seal ends with an existing audit event');
END;

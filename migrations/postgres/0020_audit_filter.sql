-- For what somebody did, of one kind; what concerns somebody has such an index already.
CREATE INDEX audit_events_actor_kind ON audit_events (actor_id, kind, id);

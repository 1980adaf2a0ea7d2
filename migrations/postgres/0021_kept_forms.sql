-- The form that a person sent before they had logged in or confirmed the password, until it is sent again. One
-- for each session.
CREATE TABLE kept_forms (
    session_id TEXT NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    -- The page with the form.
    path       TEXT NOT NULL,
    -- Sealed: what was typed is published nowhere yet.
    fields     TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX kept_forms_expires_at ON kept_forms (expires_at);

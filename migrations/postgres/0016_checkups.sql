-- One row: the latest examination of the site that an admin asked for. The findings are JSON.
CREATE TABLE checkups (
    one          SMALLINT PRIMARY KEY CHECK (one = 1),
    requested_at TIMESTAMPTZ NOT NULL,
    finished_at  TIMESTAMPTZ,
    findings     TEXT NOT NULL
);

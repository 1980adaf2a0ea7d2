-- One row: the latest examination of the site that an admin asked for. The findings are JSON.
CREATE TABLE checkups (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    requested_at TIMESTAMP NOT NULL,
    finished_at  TIMESTAMP,
    findings     TEXT NOT NULL
);

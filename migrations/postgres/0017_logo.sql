-- One row, if the site has a logo. The setting "logo" repeats the fingerprint.
CREATE TABLE logo (
    one         SMALLINT PRIMARY KEY CHECK (one = 1),
    media_type  TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    content     BYTEA NOT NULL
);

-- What admins have set in pages. A name that is missing has its default (models/base/settings.rs).
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
-- One row; rises with each change, so that all instances notice it.
CREATE TABLE settings_version (number INTEGER NOT NULL);
INSERT INTO settings_version (number) VALUES (1);

-- Every version of the rules and of the privacy policy. The latest is in force; an empty one means
-- that the document was withdrawn.
CREATE TABLE documents (
    name         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    content      TEXT NOT NULL,
    content_html TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (name, version)
) WITHOUT ROWID;

-- One row: whether there has ever been an admin. Until then, whoever has the link that the server
-- prints may set up the site; the link is derived from the nonce and the site's key.
CREATE TABLE first_run (
    nonce     TEXT NOT NULL,
    completed BOOLEAN NOT NULL
);
INSERT INTO first_run (nonce, completed)
    SELECT lower(hex(randomblob(16))), EXISTS (SELECT 1 FROM users WHERE role = 'admin');
CREATE TRIGGER users_first_admin AFTER INSERT ON users WHEN NEW.role = 'admin' BEGIN
    UPDATE first_run SET completed = TRUE WHERE NOT completed;
END;
CREATE TRIGGER users_first_promotion AFTER UPDATE OF role ON users
    WHEN NEW.role = 'admin' AND OLD.role <> 'admin'
BEGIN
    UPDATE first_run SET completed = TRUE WHERE NOT completed;
END;

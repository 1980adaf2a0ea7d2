-- Counts the changes to what anybody may read, so that each instance knows whether the pages that it
-- has kept are still current. The sum of all rows counts; on SQLite there is only one.
CREATE TABLE content_versions (
    slot   INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL
);
INSERT INTO content_versions (slot, number) VALUES (0, 1);

CREATE TRIGGER content_posts_added AFTER INSERT ON posts BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_posts_changed AFTER UPDATE ON posts BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_posts_removed AFTER DELETE ON posts BEGIN
    UPDATE content_versions SET number = number + 1;
END;
-- The author's name is part of a post, the role of a profile.
CREATE TRIGGER content_users_changed AFTER UPDATE OF username, role ON users BEGIN
    UPDATE content_versions SET number = number + 1;
END;
CREATE TRIGGER content_users_removed AFTER DELETE ON users BEGIN
    UPDATE content_versions SET number = number + 1;
END;

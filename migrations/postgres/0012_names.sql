-- What a name looks like, in lower case and as it was written: its skeletons (UTS #39). Not unique:
-- names that look alike may have been registered before. Null until the backfill has come by.
ALTER TABLE users ADD COLUMN username_skeleton TEXT;
ALTER TABLE users ADD COLUMN username_skeleton_as_written TEXT;
CREATE INDEX users_username_skeleton ON users (username_skeleton);
CREATE INDEX users_username_skeleton_as_written ON users (username_skeleton_as_written);

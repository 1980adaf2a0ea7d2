-- The users that `postly demo` has created, so that it can take them away again.
CREATE TABLE demo_users (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE
);

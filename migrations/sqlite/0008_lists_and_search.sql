-- Lists by votes are read with two conditions, on the votes and on the id.
CREATE INDEX posts_user_votes ON posts (user_id, votes, id) WHERE published_at IS NOT NULL;
CREATE INDEX votes_post_id ON votes (post_id, id);
-- For the notice about copied tokens.
CREATE INDEX audit_events_subject_kind ON audit_events (subject_id, kind, id);
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

-- How many published posts a person has, and how many votes these have received. A table of its own,
-- as on PostgreSQL, where a vote must not wait for a log-in, which locks the row of the account.
CREATE TABLE user_counts (
    user_id INTEGER PRIMARY KEY,
    posts   INTEGER NOT NULL DEFAULT 0,
    votes   INTEGER NOT NULL DEFAULT 0
);
INSERT INTO user_counts (user_id, posts, votes)
    SELECT u.id, count(p.id), coalesce(sum(p.votes), 0)
    FROM users u LEFT JOIN posts p ON p.user_id = u.id AND p.published_at IS NOT NULL
    GROUP BY u.id;

CREATE TRIGGER users_counted AFTER INSERT ON users BEGIN
    INSERT INTO user_counts (user_id) VALUES (NEW.id);
END;
CREATE TRIGGER users_uncounted AFTER DELETE ON users BEGIN
    DELETE FROM user_counts WHERE user_id = OLD.id;
END;
CREATE TRIGGER posts_added AFTER INSERT ON posts WHEN NEW.published_at IS NOT NULL BEGIN
    UPDATE user_counts SET posts = posts + 1, votes = votes + NEW.votes WHERE user_id = NEW.user_id;
END;
CREATE TRIGGER posts_removed AFTER DELETE ON posts WHEN OLD.published_at IS NOT NULL BEGIN
    UPDATE user_counts SET posts = posts - 1, votes = votes - OLD.votes WHERE user_id = OLD.user_id;
END;
CREATE TRIGGER posts_changed AFTER UPDATE OF user_id, votes, published_at ON posts BEGIN
    UPDATE user_counts SET posts = posts - 1, votes = votes - OLD.votes
        WHERE user_id = OLD.user_id AND OLD.published_at IS NOT NULL;
    UPDATE user_counts SET posts = posts + 1, votes = votes + NEW.votes
        WHERE user_id = NEW.user_id AND NEW.published_at IS NOT NULL;
END;

-- What is searched: for a post its title and its author, for a person the name and the address, both
-- folded by the program (models/base/search.rs) and so alike on both engines.
CREATE TABLE post_search (
    id   INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);
CREATE TABLE user_search (
    id   INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);

-- The index of all sequences of three characters. It holds ids alone; LIKE compares the texts.
CREATE VIRTUAL TABLE post_search_index USING fts5 (
    text, content = 'post_search', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
CREATE TRIGGER post_search_added AFTER INSERT ON post_search BEGIN
    INSERT INTO post_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER post_search_removed AFTER DELETE ON post_search BEGIN
    INSERT INTO post_search_index (post_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
END;
CREATE TRIGGER post_search_changed AFTER UPDATE OF text ON post_search BEGIN
    INSERT INTO post_search_index (post_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO post_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE VIRTUAL TABLE user_search_index USING fts5 (
    text, content = 'user_search', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
CREATE TRIGGER user_search_added AFTER INSERT ON user_search BEGIN
    INSERT INTO user_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER user_search_removed AFTER DELETE ON user_search BEGIN
    INSERT INTO user_search_index (user_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
END;
CREATE TRIGGER user_search_changed AFTER UPDATE OF text ON user_search BEGIN
    INSERT INTO user_search_index (user_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO user_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;

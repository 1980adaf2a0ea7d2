-- What the search finds, as words that the program has folded and stemmed (models/base/words.rs), alike on
-- both engines: lines of words, whose meaning models/posts/word_index.rs explains.
CREATE TABLE post_words (
    id       INTEGER PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- The version of the post, and how the words were made from it: what differs is out of date.
    version  INTEGER NOT NULL,
    stemming TEXT NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX post_words_stemming ON post_words (stemming, id);
CREATE TABLE comment_words (
    id       INTEGER PRIMARY KEY REFERENCES comments (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    stemming TEXT NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX comment_words_stemming ON comment_words (stemming, id);

-- In which blocks of 2,048 ids something was published on a day (numbered from the beginning of 1970): a
-- search for a time begins and ends there. Days are added, and never taken away.
CREATE TABLE word_days (
    source TEXT NOT NULL,
    day    INTEGER NOT NULL,
    block  INTEGER NOT NULL,
    PRIMARY KEY (source, day, block)
);

-- The names of people, without their e-mail addresses, which user_search has: anybody may search here.
CREATE TABLE name_search (
    id   INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);

-- Indexes of whole words, as the program separates them, and of the blocks of three sizes that an id is in:
-- FTS5 looks for the first row with two words through all rows, unless one of the words is a block. The
-- indexes hold ids alone.
CREATE VIEW post_words_in_blocks AS
    SELECT id, text || ' ＾0＾' || (id / 2048) || ' ＾1＾' || (id / 16384) || ' ＾2＾' || (id / 131072) AS text FROM post_words;
CREATE VIRTUAL TABLE post_words_index USING fts5 (
    text, content = 'post_words_in_blocks', content_rowid = 'id', tokenize = 'ascii', detail = 'none', columnsize = 0
);
CREATE TRIGGER post_words_added AFTER INSERT ON post_words BEGIN
    INSERT INTO post_words_index (rowid, text)
        SELECT id, text FROM post_words_in_blocks WHERE id = NEW.id;
END;
CREATE TRIGGER post_words_removed AFTER DELETE ON post_words BEGIN
    INSERT INTO post_words_index (post_words_index, rowid, text) VALUES ('delete', OLD.id,
        OLD.text || ' ＾0＾' || (OLD.id / 2048) || ' ＾1＾' || (OLD.id / 16384) || ' ＾2＾' || (OLD.id / 131072));
END;
CREATE TRIGGER post_words_changed AFTER UPDATE OF text ON post_words WHEN OLD.text <> NEW.text BEGIN
    INSERT INTO post_words_index (post_words_index, rowid, text) VALUES ('delete', OLD.id,
        OLD.text || ' ＾0＾' || (OLD.id / 2048) || ' ＾1＾' || (OLD.id / 16384) || ' ＾2＾' || (OLD.id / 131072));
    INSERT INTO post_words_index (rowid, text)
        SELECT id, text FROM post_words_in_blocks WHERE id = NEW.id;
END;
CREATE VIEW comment_words_in_blocks AS
    SELECT id, text || ' ＾0＾' || (id / 2048) || ' ＾1＾' || (id / 16384) || ' ＾2＾' || (id / 131072) AS text FROM comment_words;
CREATE VIRTUAL TABLE comment_words_index USING fts5 (
    text, content = 'comment_words_in_blocks', content_rowid = 'id', tokenize = 'ascii', detail = 'none', columnsize = 0
);
CREATE TRIGGER comment_words_added AFTER INSERT ON comment_words BEGIN
    INSERT INTO comment_words_index (rowid, text)
        SELECT id, text FROM comment_words_in_blocks WHERE id = NEW.id;
END;
CREATE TRIGGER comment_words_removed AFTER DELETE ON comment_words BEGIN
    INSERT INTO comment_words_index (comment_words_index, rowid, text) VALUES ('delete', OLD.id,
        OLD.text || ' ＾0＾' || (OLD.id / 2048) || ' ＾1＾' || (OLD.id / 16384) || ' ＾2＾' || (OLD.id / 131072));
END;
CREATE TRIGGER comment_words_changed AFTER UPDATE OF text ON comment_words WHEN OLD.text <> NEW.text BEGIN
    INSERT INTO comment_words_index (comment_words_index, rowid, text) VALUES ('delete', OLD.id,
        OLD.text || ' ＾0＾' || (OLD.id / 2048) || ' ＾1＾' || (OLD.id / 16384) || ' ＾2＾' || (OLD.id / 131072));
    INSERT INTO comment_words_index (rowid, text)
        SELECT id, text FROM comment_words_in_blocks WHERE id = NEW.id;
END;

-- Of parts of names, as in migration 8.
CREATE VIRTUAL TABLE name_search_index USING fts5 (
    text, content = 'name_search', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
CREATE TRIGGER name_search_added AFTER INSERT ON name_search BEGIN
    INSERT INTO name_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER name_search_removed AFTER DELETE ON name_search BEGIN
    INSERT INTO name_search_index (name_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
END;
CREATE TRIGGER name_search_changed AFTER UPDATE OF text ON name_search BEGIN
    INSERT INTO name_search_index (name_search_index, rowid, text) VALUES ('delete', OLD.id, OLD.text);
    INSERT INTO name_search_index (rowid, text) VALUES (NEW.id, NEW.text);
END;

-- A deleted comment can stay as a row; its words do not, whichever version of the program deletes it.
CREATE TRIGGER comments_unfindable AFTER UPDATE OF deleted_at ON comments WHEN NEW.deleted_at IS NOT NULL BEGIN
    DELETE FROM comment_words WHERE id = NEW.id;
END;

-- What the search finds, as words that the program has folded and stemmed (models/base/words.rs), alike on
-- both engines: lines of words, whose meaning models/posts/word_index.rs explains.
CREATE TABLE post_words (
    id       BIGINT PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    -- The version of the post, and how the words were made from it: what differs is out of date.
    version  BIGINT NOT NULL,
    stemming TEXT NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX post_words_stemming ON post_words (stemming, id);
CREATE TABLE comment_words (
    id       BIGINT PRIMARY KEY REFERENCES comments (id) ON DELETE CASCADE,
    version  BIGINT NOT NULL,
    stemming TEXT NOT NULL,
    text     TEXT NOT NULL
);
CREATE INDEX comment_words_stemming ON comment_words (stemming, id);

-- In which blocks of 2,048 ids something was published on a day (numbered from the beginning of 1970): a
-- search for a time begins and ends there. Days are added, and never taken away.
CREATE TABLE word_days (
    source TEXT NOT NULL,
    day    BIGINT NOT NULL,
    block  BIGINT NOT NULL,
    PRIMARY KEY (source, day, block)
);

-- The names of people, without their e-mail addresses, which user_search has: anybody may search here.
CREATE TABLE name_search (
    id   BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);

-- The words of a text as they are, which PostgreSQL's own parser would change, and the blocks of three sizes
-- that its id is in: the index has no order, so it is read block by block (src/db/words.rs).
CREATE FUNCTION search_words(text TEXT, id BIGINT) RETURNS TSVECTOR
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_to_tsvector(
        array_remove(string_to_array(translate(text, E'\n', ' '), ' '), '')
        || ARRAY['＾0＾' || id / 2048, '＾1＾' || id / 16384, '＾2＾' || id / 131072])
$$;
-- Without fastupdate, whose list of pending rows each block would read again.
CREATE INDEX post_words_index ON post_words USING gin (search_words(text, id)) WITH (fastupdate = off);
CREATE INDEX comment_words_index ON comment_words USING gin (search_words(text, id)) WITH (fastupdate = off);
-- Of parts of names, as in migration 8.
CREATE INDEX name_search_index ON name_search USING gin (search_keys(text, id / 2048))
    WITH (fastupdate = off);

-- A deleted comment can stay as a row; its words do not, whichever version of the program deletes it.
CREATE FUNCTION forget_comment_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM comment_words WHERE id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER comments_unfindable AFTER UPDATE OF deleted_at ON comments FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION forget_comment_words();

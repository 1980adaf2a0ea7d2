-- What is published for those who know the address, for admins; "+ 0" as in migration 23.
CREATE INDEX posts_published_unlisted ON posts (visibility, (id + 0)) WHERE published_at IS NULL AND state = 'published';

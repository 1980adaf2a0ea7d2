-- The readable part of a post's address, if its author chose one; while it is empty, the title makes it.
ALTER TABLE posts ADD COLUMN slug TEXT NOT NULL DEFAULT '';

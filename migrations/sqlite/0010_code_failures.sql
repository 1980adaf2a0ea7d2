-- How many wrong codes in a row followed the right password at log-in: after a hundred, only a new
-- password or the operator helps.
ALTER TABLE two_factors ADD COLUMN code_failures INTEGER NOT NULL DEFAULT 0;

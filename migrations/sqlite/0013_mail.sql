-- Jobs of one lane are limited together: e-mails by the domain of their recipient. Null: no limit.
ALTER TABLE jobs ADD COLUMN lane TEXT;

-- The job that mails the link: each of its attempts sends the same link.
ALTER TABLE link_tokens ADD COLUMN job_id INTEGER;
-- When it was used, replaced or revoked; `expires_at` is then the same time. The row stays until
-- the job has finished, so that a late attempt does not make the link valid again.
ALTER TABLE link_tokens ADD COLUMN ended_at TIMESTAMP;

-- The last e-mail that the mail server refused for good; cleared when one to the same address is
-- accepted, and when the address changes.
ALTER TABLE users ADD COLUMN mail_failed_to TEXT;
ALTER TABLE users ADD COLUMN mail_failed_reason TEXT;
ALTER TABLE users ADD COLUMN mail_failed_at TIMESTAMP;

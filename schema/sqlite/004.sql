-- Custom headers and the TLS identity of an event notification belong to the scheme, host and port they were set for.
-- NULL: to those of the revision's own URL, as before.
ALTER TABLE notification_revision ADD COLUMN headers_for TEXT;
ALTER TABLE notification_revision ADD COLUMN identity_for TEXT;

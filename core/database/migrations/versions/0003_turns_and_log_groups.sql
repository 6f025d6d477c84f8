CREATE EXTENSION IF NOT EXISTS pg_trgm;

ALTER TABLE events
    ADD COLUMN routed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN shown_at TIMESTAMP WITH TIME ZONE;
UPDATE events SET routed_at = delivered_at, shown_at = delivered_at;

DROP INDEX ix_events_undelivered;
CREATE INDEX ix_events_subject ON events (subject);
CREATE INDEX ix_events_unrouted ON events (id) WHERE routed_at IS NULL;
CREATE INDEX ix_events_unshown ON events (id) WHERE shown_at IS NULL;
CREATE INDEX ix_event_deliveries_open ON event_deliveries (rule) WHERE delivered_at IS NULL;

CREATE INDEX ix_log_posts_subject_at ON log_posts (subject, at);
CREATE INDEX ix_log_posts_text ON log_posts USING gin (text gin_trgm_ops);

COMMENT ON COLUMN events.routed_at IS 'every rule was carried out or waits for its turn on a queue';
COMMENT ON COLUMN events.shown_at IS 'is on Prefect''s feed';
COMMENT ON COLUMN event_deliveries.delivered_at IS
    'null: it waits for its turn, or is to be tried again';
COMMENT ON TABLE log_posts IS
    'append only: a trigger refuses changes, and lets go of what is too old';

CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON log_posts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Only a transaction that says from when on posts are kept may delete, and only older ones.
CREATE FUNCTION refuse_to_end_early() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at < nullif(current_setting('grouper.log_posts_kept_from', true), '')::timestamptz THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
END $$;

CREATE TRIGGER kept_for_its_time BEFORE DELETE ON log_posts
    FOR EACH ROW EXECUTE FUNCTION refuse_to_end_early();

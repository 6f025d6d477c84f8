ALTER TABLE files ADD COLUMN look TEXT DEFAULT 'never' NOT NULL;
COMMENT ON COLUMN files.look IS 'when its headings are shown before it is checked';
ALTER TABLE files ADD CONSTRAINT ck_files_look CHECK (look IN ('never', 'new', 'always'));

ALTER TABLE files DROP CONSTRAINT ck_files_state;
ALTER TABLE files ADD CONSTRAINT ck_files_state CHECK (state IN ('received', 'checking', 'unconfirmed', 'rejected', 'in error', 'ready', 'removed'));
DROP TRIGGER transitions ON files;
CREATE TRIGGER transitions BEFORE INSERT OR UPDATE OF state ON files
    FOR EACH ROW EXECUTE FUNCTION refuse_transition(
        'received',
        'received > checking',
        'received > removed',
        'checking > checking',
        'checking > unconfirmed',
        'checking > rejected',
        'checking > in error',
        'checking > ready',
        'unconfirmed > checking',
        'unconfirmed > removed',
        'rejected > checking',
        'rejected > removed',
        'in error > checking',
        'in error > removed',
        'ready > checking',
        'ready > removed');

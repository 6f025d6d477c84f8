-- Functions of PostgreSQL that anybody may call by default, and that no query of an indicator or of the
-- portal has a use for: settings, locks, other sessions, telling, large objects, queries in
-- texts. The owner of the database keeps them. A superuser runs this in the database, and in template1;
-- on a server that somebody else keeps, put the owner's name for grouper.
DO $$
DECLARE closed regprocedure;
BEGIN
    FOR closed IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND (
            proname LIKE 'pg\_%advisory%' OR proname LIKE 'lo\_%'
            OR proname LIKE '%\_to\_xml%' OR proname LIKE 'pg\_stat\_get\_%activity%'
            OR proname IN (
                'set_config', 'pg_notify', 'pg_listening_channels', 'pg_cancel_backend',
                'pg_terminate_backend', 'pg_lock_status', 'pg_blocking_pids',
                'pg_export_snapshot', 'pg_current_logfile', 'loread', 'lowrite',
                'pg_show_all_settings', 'pg_logical_emit_message'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', closed);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO grouper', closed);
    END LOOP;
END $$;

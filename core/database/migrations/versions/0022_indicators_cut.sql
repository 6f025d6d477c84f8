ALTER TABLE kpi_sessions ADD COLUMN commissioners TEXT[];
COMMENT ON COLUMN kpi_sessions.commissioners IS 'whose charges and episodes it sees; null: of the whole run';

-- The role of indicators asks it, and can change nothing of it.
CREATE FUNCTION kpi_commissioners() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$ SELECT commissioners FROM kpi_sessions WHERE pid = pg_backend_pid() $$;

CREATE TABLE kpi_left_out (
    pid INTEGER NOT NULL,
    patient TEXT NOT NULL,
    CONSTRAINT pk_kpi_left_out PRIMARY KEY (pid, patient)
);
COMMENT ON TABLE kpi_left_out IS 'patients that a session does not see, while it is found out whom a figure rests on';

CREATE TABLE lock_space (
    secret UUID DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT pk_lock_space PRIMARY KEY (secret)
);
COMMENT ON TABLE lock_space IS 'one row: what the numbers of advisory locks are made of';
INSERT INTO lock_space DEFAULT VALUES;

CREATE FUNCTION lock_key(subject text) RETURNS bigint LANGUAGE sql STABLE STRICT SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$
        SELECT ('x' || encode(substr(sha256(convert_to(secret || ' ' || subject, 'UTF8')), 1, 8),
            'hex'))::bit(64)::bigint
        FROM lock_space
    $$;

-- Waits for a lock of the transaction: so that the portal can take one of ours, and no other.
CREATE FUNCTION hold_lock(subject text) RETURNS void LANGUAGE sql STRICT SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$ SELECT pg_advisory_xact_lock(lock_key(subject)) $$;

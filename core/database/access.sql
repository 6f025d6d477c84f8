-- What a transaction of the portal may know of the user it acts for. These run with the rights of
-- the owner, so that policies can ask them; each tells of that user alone. An empty list of actions
-- means: anything at all.

CREATE OR REPLACE FUNCTION grouper_user() RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('grouper.user_id', true), '')::integer
$$;

CREATE OR REPLACE FUNCTION my_memberships(VARIADIC actions text[] DEFAULT '{}')
    RETURNS TABLE (organisation_id integer, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT held.organisation_id, held.role FROM memberships_on(grouper_today()) held
    WHERE held.user_id = grouper_user() AND (cardinality(actions) = 0 OR EXISTS (
        SELECT FROM permissions
        WHERE permissions.kind = held.kind AND permissions.action = ANY (actions)))
$$;

CREATE OR REPLACE FUNCTION i_may(VARIADIC actions text[] DEFAULT '{}') RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT EXISTS (SELECT FROM my_memberships(VARIADIC actions))
$$;

CREATE OR REPLACE FUNCTION my_organisations(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT DISTINCT organisation_id FROM my_memberships(VARIADIC actions)
    WHERE organisation_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION my_codes_of(side text, VARIADIC actions text[] DEFAULT '{}')
    RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT code FROM organisations
    WHERE kind = side AND id IN (SELECT my_organisations(VARIADIC actions))
$$;

CREATE OR REPLACE FUNCTION my_codes(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT my_codes_of('commissioner', VARIADIC actions)
$$;

-- The drafts of configurations whose lead commissioner the user acts for.
CREATE OR REPLACE FUNCTION my_drafts(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT id FROM configurations
    WHERE status = 'draft' AND owner IN (SELECT my_codes(VARIADIC actions))
$$;

CREATE OR REPLACE FUNCTION my_submissions(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT id FROM submissions WHERE provider_id IN (SELECT my_organisations(VARIADIC actions))
$$;

CREATE OR REPLACE FUNCTION my_files(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT id FROM files WHERE submission_id IN (SELECT my_submissions(VARIADIC actions))
$$;

CREATE OR REPLACE FUNCTION my_runs(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT id FROM runs WHERE submission_id IN (SELECT my_submissions(VARIADIC actions))
$$;

-- The runs that are released and charge an area of the user.
CREATE OR REPLACE FUNCTION my_released_runs(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT runs.id FROM runs JOIN submissions ON submissions.run_id = runs.id
    WHERE runs.kind = 'final' AND runs.id IN (
        SELECT run_id FROM run_payers
        WHERE commissioner IN (SELECT my_codes(VARIADIC actions)))
$$;

-- The commissioners that host a clinic with charges in a run that is released.
CREATE OR REPLACE FUNCTION run_hosts(of_run integer) RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT DISTINCT host.id FROM runs
    JOIN submissions ON submissions.run_id = runs.id
    JOIN run_payers paid ON paid.run_id = runs.id
    JOIN clinics ON clinics.provider_id = submissions.provider_id
        AND clinics.clinic_id = paid.clinic_id
    JOIN organisations host ON host.code = coalesce(paid.host, clinics.commissioner)
        AND host.kind = 'commissioner'
    WHERE runs.id = of_run AND runs.kind = 'final'
$$;

CREATE OR REPLACE FUNCTION my_hosted_submissions(VARIADIC actions text[] DEFAULT '{}') RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT id FROM submissions WHERE EXISTS (
        SELECT FROM run_hosts(submissions.run_id) AS host
        WHERE host IN (SELECT my_organisations(VARIADIC actions)))
$$;

-- Whom the user deals with: who charges them, whose clinics they host, who hosts their clinics.
CREATE OR REPLACE FUNCTION my_counterparts() RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT submissions.provider_id FROM submissions WHERE run_id IN (SELECT my_released_runs())
    UNION SELECT provider_id FROM clinics WHERE commissioner IN (SELECT my_codes())
    UNION SELECT host.id FROM clinics
        JOIN organisations host ON host.code = clinics.commissioner
        WHERE clinics.provider_id IN (SELECT my_organisations())
$$;

-- Who has, or ever had, a role in an organisation of the user's.
CREATE OR REPLACE FUNCTION my_colleagues() RETURNS SETOF integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT user_id FROM subscription_periods
    WHERE organisation_id IN (SELECT my_organisations())
$$;

-- What it is about, as file/12, is of a provider of the user's, or was asked for by the user.
CREATE OR REPLACE FUNCTION is_mine(subject text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT CASE split_part(subject, '/', 1)
        WHEN 'file' THEN split_part(subject, '/', 2)::integer IN (SELECT my_files())
        WHEN 'submission' THEN split_part(subject, '/', 2)::integer IN (SELECT my_submissions())
        WHEN 'run' THEN split_part(subject, '/', 2)::integer IN (SELECT my_runs())
        WHEN 'report' THEN EXISTS (
            SELECT FROM reports
            WHERE id = split_part(subject, '/', 2)::integer AND requested_by = grouper_user())
        ELSE false END
$$;

-- Whether some run that a report was made from is published no more.
CREATE OR REPLACE FUNCTION report_is_outdated(report integer) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT EXISTS (
        SELECT FROM report_runs shown JOIN runs ON runs.id = shown.run_id
        WHERE shown.report_id = report AND runs.state <> 'published')
$$;

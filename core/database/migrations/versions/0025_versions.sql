-- A data set has versions, in force from a month on; a month keeps the version and the revision of
-- the tariff that it was submitted under.
ALTER TABLE datasets ADD COLUMN starts DATE;
COMMENT ON COLUMN datasets.starts IS 'first month in force; null: from the beginning';

ALTER TABLE configurations ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE configurations ADD COLUMN holds_from DATE;
ALTER TABLE configurations ADD COLUMN why TEXT;
ALTER TABLE configurations ADD COLUMN made_by TEXT;
COMMENT ON COLUMN configurations.made_by IS 'who made it, where no user did';
UPDATE configurations SET holds_from = starts;
ALTER TABLE configurations ALTER COLUMN holds_from SET NOT NULL;
COMMENT ON COLUMN configurations.revision IS 'counts the revisions of the configuration';
COMMENT ON COLUMN configurations.holds_from IS 'first day on which this revision holds';
COMMENT ON COLUMN configurations.why IS 'reason of the revision; null: the first';
ALTER TABLE configurations DROP CONSTRAINT uq_configurations_configuration;
ALTER TABLE configurations ADD CONSTRAINT uq_configurations_configuration_revision
    UNIQUE (configuration, revision);

ALTER TABLE configuration_providers ADD COLUMN dataset TEXT;
UPDATE configuration_providers SET dataset = datasets.dataset
    FROM configurations JOIN datasets ON datasets.id = configurations.dataset_id
    WHERE configurations.id = configuration_providers.configuration_id;
ALTER TABLE configuration_providers ALTER COLUMN dataset SET NOT NULL;
ALTER TABLE configuration_providers DROP CONSTRAINT one_at_a_time;
ALTER TABLE configuration_providers ADD CONSTRAINT one_at_a_time
    EXCLUDE USING gist (dataset WITH =, provider WITH =, during WITH &&) WHERE (NOT draft);

ALTER TABLE files ADD COLUMN dataset_id INTEGER
    CONSTRAINT fk_files_dataset_id REFERENCES datasets (id);
COMMENT ON COLUMN files.dataset_id IS 'version that it was checked under; null: not checked yet';
-- A file was checked under the newest version of its time.
UPDATE files SET dataset_id = coalesce(
        (SELECT max(datasets.id) FROM datasets WHERE datasets.imported_at <= (
            SELECT max(done_at) FROM file_chunks WHERE file_chunks.file_id = files.id)),
        (SELECT max(id) FROM datasets))
    WHERE state <> 'received';

ALTER TABLE runs ADD COLUMN dataset_id INTEGER
    CONSTRAINT fk_runs_dataset_id REFERENCES datasets (id);
COMMENT ON COLUMN runs.dataset_id IS 'version of the data set that it is calculated under';
UPDATE runs SET dataset_id = configurations.dataset_id
    FROM configurations WHERE configurations.id = runs.configuration_id;

ALTER TABLE submissions ADD COLUMN dataset TEXT;
ALTER TABLE submissions ADD COLUMN dataset_id INTEGER
    CONSTRAINT fk_submissions_dataset_id REFERENCES datasets (id);
ALTER TABLE submissions ADD COLUMN configuration_id INTEGER
    CONSTRAINT fk_submissions_configuration_id REFERENCES configurations (id);
COMMENT ON COLUMN submissions.dataset_id IS 'version once submitted, for ever; null: by month';
COMMENT ON COLUMN submissions.configuration_id IS
    'revision of the tariff once submitted, for ever; null: by month';
-- Submitted before: a final run that was published, or was and is not any more.
UPDATE submissions SET dataset_id = last.dataset_id, configuration_id = last.configuration_id
    FROM (SELECT DISTINCT ON (submission_id) submission_id, dataset_id, configuration_id FROM runs
          WHERE kind = 'final' AND state IN ('published', 'replaced')
          ORDER BY submission_id, number DESC) last
    WHERE last.submission_id = submissions.id;
UPDATE submissions SET dataset = coalesce(
    (SELECT dataset FROM datasets WHERE datasets.id = submissions.dataset_id),
    (SELECT members.dataset FROM configuration_providers members
     JOIN organisations ON organisations.code = members.provider
        AND organisations.kind = 'provider'
     WHERE organisations.id = submissions.provider_id AND NOT members.draft
        AND submissions.month <@ members.during),
    (SELECT dataset FROM datasets JOIN files ON files.dataset_id = datasets.id
     WHERE files.submission_id = submissions.id ORDER BY files.id DESC LIMIT 1),
    (SELECT dataset FROM datasets ORDER BY id DESC LIMIT 1),
    '');
ALTER TABLE submissions ALTER COLUMN dataset SET NOT NULL;
ALTER TABLE submissions ALTER COLUMN dataset SET DEFAULT '';
COMMENT ON COLUMN submissions.dataset IS 'name of the data set; empty: not known yet';
ALTER TABLE submissions DROP CONSTRAINT uq_submissions_provider_id_month;
ALTER TABLE submissions ADD CONSTRAINT uq_submissions_provider_id_month_dataset
    UNIQUE (provider_id, month, dataset);

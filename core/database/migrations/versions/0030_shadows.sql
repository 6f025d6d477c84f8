-- A shadow is calculated beside what charges, so it may overlap it; two shadows may not.
ALTER TABLE configuration_providers ADD COLUMN shadow BOOLEAN NOT NULL DEFAULT false;
COMMENT ON COLUMN configuration_providers.shadow IS
    'calculated beside what charges, which it may overlap';
UPDATE configuration_providers SET shadow = true
    FROM configurations
    WHERE configurations.id = configuration_providers.configuration_id
        AND configurations.status = 'shadow';
ALTER TABLE configuration_providers DROP CONSTRAINT one_at_a_time;
ALTER TABLE configuration_providers ADD CONSTRAINT one_at_a_time
    EXCLUDE USING gist (dataset WITH =, provider WITH =, during WITH &&)
    WHERE (NOT draft AND NOT shadow);
ALTER TABLE configuration_providers ADD CONSTRAINT one_shadow_at_a_time
    EXCLUDE USING gist (dataset WITH =, provider WITH =, during WITH &&) WHERE (shadow);

CREATE TABLE warning_confirmations (
    file_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    confirmed_by INTEGER,
    confirmed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_warning_confirmations PRIMARY KEY (file_id, code, field, value),
    CONSTRAINT fk_warning_confirmations_file_id FOREIGN KEY(file_id) REFERENCES files (id),
    CONSTRAINT fk_warning_confirmations_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES users (id)
);

COMMENT ON COLUMN warning_confirmations.field IS 'empty: the file as a whole';
COMMENT ON COLUMN warning_confirmations.value IS 'empty: blank';

CREATE TABLE heading_choices (
    provider_id INTEGER NOT NULL,
    heading TEXT NOT NULL,
    "column" TEXT,
    chosen_by INTEGER,
    chosen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_heading_choices PRIMARY KEY (provider_id, heading),
    CONSTRAINT fk_heading_choices_provider_id FOREIGN KEY(provider_id) REFERENCES organisations (id),
    CONSTRAINT fk_heading_choices_chosen_by FOREIGN KEY(chosen_by) REFERENCES users (id)
);

COMMENT ON COLUMN heading_choices.heading IS 'without case, white space and signs, as headings are matched';
COMMENT ON COLUMN heading_choices."column" IS 'of the standard layout; null: left out';

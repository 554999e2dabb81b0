-- Judged values of every run, so that a history opens no run folder; since when findings are open; criteria by verdict.
-- Append-only, as the other tables are.

CREATE TABLE finding_values (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    -- Of the finding.
    position INTEGER NOT NULL,
    -- What is judged; null for a note. Attributes are a JSON list.
    metric TEXT,
    across TEXT CHECK (json_valid(across)),
    at_most REAL,
    at_least REAL,
    -- Null where there is no estimate, or where an end is unbounded.
    point REAL,
    lower REAL,
    upper REAL,
    -- The first of the runs in a row in which the finding was open; null where it is not.
    since_run TEXT,
    since_at TEXT,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX finding_values_of_metric ON finding_values (metric, across);

-- The first run of a pipeline in which a finding was open. The cohort is empty where the data choose it: the two that differ most.
CREATE TABLE finding_first (
    pipeline TEXT NOT NULL,
    code TEXT NOT NULL,
    cohort TEXT NOT NULL,
    level TEXT NOT NULL,
    run_id TEXT NOT NULL,
    started_at TEXT NOT NULL,
    PRIMARY KEY (pipeline, code, cohort, level)
) STRICT, WITHOUT ROWID;

-- Criteria by verdict, one row for each run.
CREATE TABLE run_counts (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    met INTEGER NOT NULL,
    breached INTEGER NOT NULL,
    undetermined INTEGER NOT NULL,
    not_measured INTEGER NOT NULL,
    waived INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What earlier runs left.
INSERT INTO finding_first (pipeline, code, cohort, level, run_id, started_at)
SELECT pipeline, code, cohort, level, run_id, started_at FROM (
    SELECT *, row_number() OVER (PARTITION BY pipeline, code, cohort, level ORDER BY sequence, position) AS nth FROM (
        SELECT pipeline, sequence, position, code, level, runs.run_id, started_at,
            CASE WHEN code LIKE 'judge/%/difference/%' OR code LIKE 'judge/%/difference-worst-pair/%'
                OR code LIKE 'judge/%/ratio/%' OR code LIKE 'judge/%/ratio-worst-pair/%' THEN '{}' ELSE cohort END AS cohort
        FROM runs JOIN findings USING (run_id) WHERE verdict <> 'met' AND waived = 0
    )
) WHERE nth = 1;

INSERT INTO run_counts (run_id, met, breached, undetermined, not_measured, waived)
SELECT run_id,
    sum(verdict = 'met'),
    sum(verdict = 'breached' AND waived = 0),
    sum(verdict = 'undetermined' AND waived = 0),
    sum(verdict = 'not-measured' AND waived = 0),
    sum(verdict <> 'met' AND waived = 1)
FROM findings WHERE code LIKE 'judge/%' GROUP BY run_id;

CREATE TRIGGER finding_values_keep_update BEFORE UPDATE ON finding_values BEGIN
    SELECT RAISE(ABORT, 'finding_values is append-only');
END;
CREATE TRIGGER finding_values_keep_delete BEFORE DELETE ON finding_values BEGIN
    SELECT RAISE(ABORT, 'finding_values is append-only');
END;
CREATE TRIGGER finding_values_keep_replace BEFORE INSERT ON finding_values
WHEN EXISTS (SELECT 1 FROM finding_values WHERE run_id = NEW.run_id AND position = NEW.position) BEGIN
    SELECT RAISE(ABORT, 'the value is recorded already');
END;
CREATE TRIGGER finding_first_keep_update BEFORE UPDATE ON finding_first BEGIN
    SELECT RAISE(ABORT, 'finding_first is append-only');
END;
CREATE TRIGGER finding_first_keep_delete BEFORE DELETE ON finding_first BEGIN
    SELECT RAISE(ABORT, 'finding_first is append-only');
END;
CREATE TRIGGER run_counts_keep_update BEFORE UPDATE ON run_counts BEGIN
    SELECT RAISE(ABORT, 'run_counts is append-only');
END;
CREATE TRIGGER run_counts_keep_delete BEFORE DELETE ON run_counts BEGIN
    SELECT RAISE(ABORT, 'run_counts is append-only');
END;
CREATE TRIGGER run_counts_keep_replace BEFORE INSERT ON run_counts
WHEN EXISTS (SELECT 1 FROM run_counts WHERE run_id = NEW.run_id) BEGIN
    SELECT RAISE(ABORT, 'the run is recorded already');
END;

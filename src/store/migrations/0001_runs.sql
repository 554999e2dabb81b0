-- Runs that finished, what they found, and the receipts of what was released.
-- Append-only: rows are never changed, deleted or replaced. This guards against mistakes, not against whoever owns the file.

CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    -- Order of recording: 1, 2, 3.
    sequence INTEGER NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    -- RFC 3339, UTC.
    started_at TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('PASS', 'WARN', 'FAIL', 'INCONCLUSIVE')),
    exit_code INTEGER NOT NULL CHECK (exit_code BETWEEN 0 AND 255),
    report_sha256 TEXT NOT NULL,
    spec_sha256 TEXT NOT NULL,
    -- Run folder, relative to the folder of this file.
    folder TEXT NOT NULL,
    rows_read INTEGER NOT NULL,
    rows_kept INTEGER NOT NULL,
    rows_measured INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_of_pipeline ON runs (pipeline, sequence);

CREATE TABLE findings (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    -- Order in the report, from 0.
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    -- JSON object attribute: level, attributes in order of their names.
    cohort TEXT NOT NULL CHECK (json_valid(cohort)),
    verdict TEXT NOT NULL CHECK (verdict IN ('met', 'undetermined', 'not-measured', 'breached')),
    level TEXT NOT NULL CHECK (level IN ('warn', 'deny')),
    waived INTEGER NOT NULL CHECK (waived IN (0, 1)),
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX findings_of_code ON findings (code, cohort);

CREATE TABLE receipts (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    -- Order of release, from 0.
    position INTEGER NOT NULL,
    statistic TEXT NOT NULL,
    shape TEXT NOT NULL,
    mechanism TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER runs_keep_update BEFORE UPDATE ON runs BEGIN
    SELECT RAISE(ABORT, 'runs is append-only');
END;
CREATE TRIGGER runs_keep_delete BEFORE DELETE ON runs BEGIN
    SELECT RAISE(ABORT, 'runs is append-only');
END;
-- INSERT OR REPLACE deletes without a delete trigger.
CREATE TRIGGER runs_keep_replace BEFORE INSERT ON runs
WHEN EXISTS (SELECT 1 FROM runs WHERE run_id = NEW.run_id OR sequence = NEW.sequence) BEGIN
    SELECT RAISE(ABORT, 'the run is recorded already');
END;

CREATE TRIGGER findings_keep_update BEFORE UPDATE ON findings BEGIN
    SELECT RAISE(ABORT, 'findings is append-only');
END;
CREATE TRIGGER findings_keep_delete BEFORE DELETE ON findings BEGIN
    SELECT RAISE(ABORT, 'findings is append-only');
END;
CREATE TRIGGER findings_keep_replace BEFORE INSERT ON findings
WHEN EXISTS (SELECT 1 FROM findings WHERE run_id = NEW.run_id AND position = NEW.position) BEGIN
    SELECT RAISE(ABORT, 'the finding is recorded already');
END;

CREATE TRIGGER receipts_keep_update BEFORE UPDATE ON receipts BEGIN
    SELECT RAISE(ABORT, 'receipts is append-only');
END;
CREATE TRIGGER receipts_keep_delete BEFORE DELETE ON receipts BEGIN
    SELECT RAISE(ABORT, 'receipts is append-only');
END;
CREATE TRIGGER receipts_keep_replace BEFORE INSERT ON receipts
WHEN EXISTS (SELECT 1 FROM receipts WHERE run_id = NEW.run_id AND position = NEW.position) BEGIN
    SELECT RAISE(ABORT, 'the receipt is recorded already');
END;

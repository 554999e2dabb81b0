-- Due times of scheduled pipelines that were seen to: claimed by a run, or missed.
-- Append-only, as the other tables are. The key makes two schedulers claim a due time once.

CREATE TABLE occurrences (
    pipeline TEXT NOT NULL,
    -- RFC 3339, UTC.
    due_at TEXT NOT NULL,
    -- The pattern and the time zone it was read in.
    pattern TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- `first`: the last due time before the schedule was first asked about; no run is owed for it.
    state TEXT NOT NULL CHECK (state IN ('first', 'claimed', 'missed')),
    seen_at TEXT NOT NULL,
    PRIMARY KEY (pipeline, due_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE occurrence_ends (
    pipeline TEXT NOT NULL,
    due_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    exit_code INTEGER NOT NULL CHECK (exit_code BETWEEN 0 AND 255),
    PRIMARY KEY (pipeline, due_at),
    FOREIGN KEY (pipeline, due_at) REFERENCES occurrences (pipeline, due_at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER occurrences_keep_update BEFORE UPDATE ON occurrences BEGIN
    SELECT RAISE(ABORT, 'occurrences is append-only');
END;
CREATE TRIGGER occurrences_keep_delete BEFORE DELETE ON occurrences BEGIN
    SELECT RAISE(ABORT, 'occurrences is append-only');
END;
CREATE TRIGGER occurrence_ends_keep_update BEFORE UPDATE ON occurrence_ends BEGIN
    SELECT RAISE(ABORT, 'occurrence_ends is append-only');
END;
CREATE TRIGGER occurrence_ends_keep_delete BEFORE DELETE ON occurrence_ends BEGIN
    SELECT RAISE(ABORT, 'occurrence_ends is append-only');
END;

-- Which files were read for which population: the same file under two names is one population charged as two.
-- Append-only, as the other tables are.

CREATE TABLE ledger_sources (
    -- SHA-256 of the file's path without links, hexadecimal.
    source TEXT NOT NULL CHECK (length(source) = 64),
    population TEXT NOT NULL,
    PRIMARY KEY (source, population)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_sources_keep_update BEFORE UPDATE ON ledger_sources BEGIN
    SELECT RAISE(ABORT, 'ledger_sources is append-only');
END;
CREATE TRIGGER ledger_sources_keep_delete BEFORE DELETE ON ledger_sources BEGIN
    SELECT RAISE(ABORT, 'ledger_sources is append-only');
END;

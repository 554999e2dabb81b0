-- The ledger of privacy: one chain of entries over all populations. Amounts are integers of 10^-12.
-- Append-only, as the other tables are. Edits behind the back of the triggers show in the hashes; a ledger that was rolled back or copied
-- shows in the head file beside this one.

CREATE TABLE ledger (
    -- 1, 2, 3, without gaps.
    sequence INTEGER NOT NULL PRIMARY KEY CHECK (sequence >= 1),
    population TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('grant', 'charge', 'restore')),
    -- RFC 3339, UTC.
    at TEXT NOT NULL,
    -- Empty when no pipeline was charged.
    pipeline TEXT NOT NULL,
    -- JSON list: statistic, and the share of the charge it is released with.
    what TEXT NOT NULL CHECK (json_valid(what)),
    -- Why spending was restored, and the latest known head of the entries that were lost.
    reason TEXT,
    lost TEXT,
    -- The charge. epsilon is null when a part is not pure.
    rho INTEGER NOT NULL CHECK (rho >= 0),
    delta INTEGER NOT NULL CHECK (delta >= 0),
    epsilon INTEGER CHECK (epsilon >= 0),
    -- The limits of a grant.
    grant_epsilon INTEGER CHECK (grant_epsilon > 0),
    grant_delta INTEGER CHECK (grant_delta >= 0),
    window_days INTEGER CHECK (window_days > 0),
    window_epsilon INTEGER CHECK (window_epsilon > 0),
    -- SHA-256, hexadecimal. Before the first entry stands the id of the ledger.
    previous TEXT NOT NULL CHECK (length(previous) = 64),
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
    CHECK ((kind = 'grant') = (grant_epsilon IS NOT NULL)),
    CHECK ((grant_epsilon IS NULL) = (grant_delta IS NULL)),
    CHECK ((window_days IS NULL) = (window_epsilon IS NULL)),
    CHECK (window_days IS NULL OR grant_epsilon IS NOT NULL)
) STRICT;

CREATE TRIGGER ledger_keep_update BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'ledger is append-only');
END;
CREATE TRIGGER ledger_keep_delete BEFORE DELETE ON ledger BEGIN
    SELECT RAISE(ABORT, 'ledger is append-only');
END;
CREATE TRIGGER ledger_keep_order BEFORE INSERT ON ledger
WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM ledger)
    OR NEW.previous <> (SELECT coalesce((SELECT hash FROM ledger ORDER BY sequence DESC LIMIT 1), NEW.previous))
BEGIN
    SELECT RAISE(ABORT, 'ledger is append-only');
END;

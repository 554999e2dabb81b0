-- Mails and webhook calls of runs, and every attempt to deliver one. What is delivered is never changed or deleted; attempts are append-only.
-- This guards against mistakes, not against whoever owns the file. Addresses and texts of mails are here, passwords and URLs are not.

CREATE TABLE outbox (
    -- Message-ID without angle brackets, or the id of a webhook call.
    key TEXT NOT NULL PRIMARY KEY,
    -- Order of queueing: 1, 2, 3.
    sequence INTEGER NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'webhook')),
    -- One address; of a webhook the name of the environment variable with its URL.
    recipient TEXT NOT NULL,
    -- Environment variable with the secret a webhook call is signed with.
    secret TEXT,
    -- The whole message, as it is sent each time.
    body BLOB NOT NULL,
    -- RFC 3339, UTC, whole seconds.
    queued_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not tried before this moment.
    next_at TEXT NOT NULL,
    -- Since when it has been waiting: queued_at, or when a person had it tried again.
    since TEXT NOT NULL,
    -- Sent once more than the server's reply was seen: it may have arrived twice, with the same Message-ID.
    possibly_twice INTEGER NOT NULL DEFAULT 0 CHECK (possibly_twice IN (0, 1)),
    -- Why the last attempt failed: a word and the reply's code, never its text.
    last_error TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_of_pipeline ON outbox (pipeline, state, sequence);

CREATE TABLE outbox_attempts (
    key TEXT NOT NULL REFERENCES outbox (key),
    -- 1, 2, 3 for each key, decisions of a person included.
    number INTEGER NOT NULL CHECK (number >= 1),
    at TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('sent', 'later', 'unseen', 'configuration', 'dead', 'interrupted', 'retried')),
    -- How far it got: connect, tls, auth, recipient, data, final-dot and so on.
    stage TEXT,
    -- Code of the reply: three digits of SMTP or HTTP.
    code INTEGER CHECK (code BETWEEN 100 AND 999),
    why TEXT,
    PRIMARY KEY (key, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outbox_keep_message BEFORE UPDATE OF key, sequence, pipeline, run_id, kind, recipient, secret, body, queued_at ON outbox BEGIN
    SELECT RAISE(ABORT, 'a queued message is never changed');
END;
CREATE TRIGGER outbox_keep_sent BEFORE UPDATE ON outbox WHEN OLD.state = 'sent' BEGIN
    SELECT RAISE(ABORT, 'what is sent stays sent');
END;
CREATE TRIGGER outbox_keep_doubt BEFORE UPDATE ON outbox WHEN OLD.possibly_twice > NEW.possibly_twice BEGIN
    SELECT RAISE(ABORT, 'what may have arrived twice stays so');
END;
CREATE TRIGGER outbox_keep_delete BEFORE DELETE ON outbox BEGIN
    SELECT RAISE(ABORT, 'outbox keeps every message');
END;
-- INSERT OR REPLACE deletes without a delete trigger.
CREATE TRIGGER outbox_keep_replace BEFORE INSERT ON outbox
WHEN EXISTS (SELECT 1 FROM outbox WHERE key = NEW.key OR sequence = NEW.sequence) BEGIN
    SELECT RAISE(ABORT, 'the message is queued already');
END;

CREATE TRIGGER outbox_attempts_keep_update BEFORE UPDATE ON outbox_attempts BEGIN
    SELECT RAISE(ABORT, 'outbox_attempts is append-only');
END;
CREATE TRIGGER outbox_attempts_keep_delete BEFORE DELETE ON outbox_attempts BEGIN
    SELECT RAISE(ABORT, 'outbox_attempts is append-only');
END;
CREATE TRIGGER outbox_attempts_keep_replace BEFORE INSERT ON outbox_attempts
WHEN EXISTS (SELECT 1 FROM outbox_attempts WHERE key = NEW.key AND number = NEW.number) BEGIN
    SELECT RAISE(ABORT, 'the attempt is recorded already');
END;

-- Times are milliseconds since 1970 (UTC), amounts exact decimal texts, endings the numbers of
-- lead::disposition, codes the numbers of lead::code.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leads (
    seq            INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    publisher      TEXT    NOT NULL,
    product        TEXT    NOT NULL,
    door           TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    market_version INTEGER NOT NULL,
    settled_at     INTEGER,
    outcome        INTEGER,
    disposition    INTEGER,
    reason         INTEGER,
    sealed         BLOB    NOT NULL, -- the submission, under the lead's key
    decisions      BLOB              -- JSON
) STRICT;

CREATE INDEX leads_unsettled ON leads (seq) WHERE disposition IS NULL;

-- A table of its own, because erasing must leave no copy. Rows are appended, never grow and never go, so
-- no page of it is ever rebalanced, which would leave stale bytes behind in spite of secure_delete. An
-- erased key is overwritten in place with zeros.
CREATE TABLE keys (
    lead    INTEGER PRIMARY KEY REFERENCES leads (seq),
    wrapped BLOB    NOT NULL CHECK (length(wrapped) = 72)
) STRICT;

CREATE TABLE posts (
    lead      INTEGER NOT NULL REFERENCES leads (seq),
    ordinal   INTEGER NOT NULL,
    buyer     TEXT    NOT NULL,
    campaign  TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    slot      INTEGER NOT NULL,
    class     INTEGER,               -- NULL while the intent is open
    code      INTEGER,
    price     TEXT    NOT NULL,
    payout    TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    redirect  BLOB,                  -- under the lead's key
    reference TEXT,
    intent_at INTEGER NOT NULL,
    posted_at INTEGER,
    PRIMARY KEY (lead, ordinal)
) STRICT, WITHOUT ROWID;

-- No slot and no buyer of a lead is ever taken twice, whatever the program above believes: a post takes
-- them while it is open, accepted (1) or unknown (4).
CREATE UNIQUE INDEX posts_one_per_slot ON posts (lead, slot) WHERE class IS NULL OR class IN (1, 4);
CREATE UNIQUE INDEX posts_one_per_buyer ON posts (lead, buyer) WHERE class IS NULL OR class IN (1, 4);

CREATE INDEX posts_open ON posts (lead, ordinal) WHERE class IS NULL;

-- Sales are immutable: a return, a price cut, an outcome is a dated row, and money is the sum.
CREATE TABLE adjustments (
    id       INTEGER PRIMARY KEY,
    lead     INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    kind     INTEGER NOT NULL,
    price    TEXT    NOT NULL,
    payout   TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    reason   TEXT,
    at       INTEGER NOT NULL,
    FOREIGN KEY (lead, ordinal) REFERENCES posts (lead, ordinal)
) STRICT;

CREATE INDEX adjustments_of ON adjustments (lead, ordinal);

-- Times are milliseconds since 1970 (UTC), amounts exact decimal texts, endings the numbers of
-- lead::disposition, codes the numbers of lead::code. `mac` is a keyed hash of its row's other columns.

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
    test           INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    market_version INTEGER NOT NULL,
    settled_at     INTEGER,
    outcome        INTEGER,
    disposition    INTEGER,
    reason         INTEGER,
    answered       INTEGER,          -- what the publisher was told first
    erased         INTEGER NOT NULL,
    posts          INTEGER NOT NULL, -- how many
    claims         BLOB    NOT NULL, -- of each its kind and its key, 17 bytes
    request        BLOB,             -- its key and its body, 32 bytes
    mac            INTEGER NOT NULL,
    decisions      BLOB,             -- a mac, then JSON arrays without the buyers' words
    reasons        BLOB,             -- the buyers' words, under the lead's key
    sealed         BLOB    NOT NULL  -- the submission, under the lead's key
) STRICT;

-- What leads' journeys were judged by. A row is written before the first lead that names it, never changes
-- and never goes.
CREATE TABLE markets (
    version INTEGER PRIMARY KEY,
    sealed  BLOB NOT NULL            -- the documents, under a key of the root key
) STRICT;

CREATE INDEX leads_unsettled ON leads (seq) WHERE disposition IS NULL;
-- There is no index by time: ids begin with the millisecond at which their lead came.

-- A table of its own, because erasing must leave no copy. Rows are appended, never grow and never go, so
-- no page of it is ever rebalanced, which would leave stale bytes behind in spite of secure_delete. An
-- erased key is overwritten in place with zeros.
CREATE TABLE keys (
    lead    INTEGER PRIMARY KEY REFERENCES leads (seq),
    wrapped BLOB    NOT NULL CHECK (length(wrapped) = 60)
) STRICT;

CREATE TABLE posts (
    lead      INTEGER NOT NULL REFERENCES leads (seq),
    ordinal   INTEGER NOT NULL,
    publisher TEXT    NOT NULL,      -- this and the next two as in the lead's row, so that counting
    product   TEXT    NOT NULL,      -- what caps have used reads posts alone
    test      INTEGER NOT NULL,
    buyer     TEXT    NOT NULL,
    campaign  TEXT    NOT NULL,
    attempt   INTEGER NOT NULL,
    slot      INTEGER NOT NULL,
    class     INTEGER,               -- NULL while the intent is open
    code      INTEGER,
    bid       TEXT    NOT NULL,      -- the intent's price
    price     TEXT    NOT NULL,      -- the bid, or what was billed instead
    payout    TEXT    NOT NULL,
    expected  TEXT,                  -- where the price is due only with an outcome: what it counts for
    currency  TEXT    NOT NULL,
    sealed    BLOB,                  -- redirect and reference, under the lead's key
    intent_at INTEGER NOT NULL,
    posted_at INTEGER,
    mac       INTEGER NOT NULL,
    PRIMARY KEY (lead, ordinal)
) STRICT, WITHOUT ROWID;

-- No slot and no buyer of a lead is ever taken twice, whatever the program above believes: a post takes
-- them while it is open, accepted (1) or unknown (4).
CREATE UNIQUE INDEX posts_one_per_slot ON posts (lead, slot) WHERE class IS NULL OR class IN (1, 4);
CREATE UNIQUE INDEX posts_one_per_buyer ON posts (lead, buyer) WHERE class IS NULL OR class IN (1, 4);

CREATE INDEX posts_open ON posts (lead, ordinal) WHERE class IS NULL;

-- By which keyed hashes a lead is found again: an index of the claims and requests in the leads' rows. It
-- is merged from them in sorted batches (a key of its own lands on a page of its own), up to the lead that
-- `traced` in meta names; what is younger is in memory. Keys stay when a lead is erased.
CREATE TABLE traces (
    key  BLOB    NOT NULL,
    lead INTEGER NOT NULL,
    PRIMARY KEY (key, lead)
) STRICT, WITHOUT ROWID;

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

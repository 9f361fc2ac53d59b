-- What buyers told of leads that they bought: rows are appended, never change and never go.
CREATE TABLE events (
    lead     INTEGER NOT NULL REFERENCES leads (seq),
    ordinal  INTEGER NOT NULL,
    buyer    TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    event    INTEGER NOT NULL,       -- the number of lead::event
    mark     BLOB    NOT NULL,       -- a keyed hash by which the same report is known again
    sealed   BLOB,                   -- the buyer's reference and metadata, under the lead's key
    at       INTEGER NOT NULL,
    mac      INTEGER NOT NULL,
    PRIMARY KEY (lead, ordinal)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX events_once ON events (lead, mark);

-- How many events a lead has. It is among the columns of the lead's mac where there are any.
ALTER TABLE leads ADD COLUMN events INTEGER NOT NULL DEFAULT 0;

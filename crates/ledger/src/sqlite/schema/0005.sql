-- A lead that was sold to nobody may be offered again at a lower payout, until its publisher withdraws it.
ALTER TABLE leads ADD COLUMN offers INTEGER NOT NULL DEFAULT 1; -- how often it was offered
ALTER TABLE leads ADD COLUMN least TEXT;           -- what the last further offer must pay, if anything
ALTER TABLE leads ADD COLUMN withdrawn_at INTEGER;

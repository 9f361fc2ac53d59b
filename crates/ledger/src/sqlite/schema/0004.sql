-- The signs of fraud that a lead showed and that did not refuse it: their names with commas between, NULL if
-- none. Among the columns of the lead's mac where there are any.
ALTER TABLE leads ADD COLUMN signals TEXT;

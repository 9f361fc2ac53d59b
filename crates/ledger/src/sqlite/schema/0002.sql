-- A database source's leads, newest first. No other door's leads are in it, so none pays for it.
CREATE INDEX leads_of_sources ON leads (publisher, seq) WHERE door = 'pingtree';

-- Which packets are gone and why, so that whatever they told can say so. Runs of ids; one row a day and reason.
CREATE TABLE removals(
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  -- Too old, too many bytes, or lost with a damaged file.
  reason TEXT NOT NULL CHECK (reason IN ('age', 'size', 'damage')),
  first_packet INTEGER NOT NULL,
  last_packet INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

-- What the packets that became history take, up to a packet: later ones are added when the file is opened. 128: a row beside its bytes.
INSERT OR REPLACE INTO counters(name, value)
SELECT 'kept_bytes', coalesce(sum(octet_length(bytes) + coalesce(octet_length(context), 0) + 128), 0)
FROM packets WHERE held IS NULL;
INSERT OR REPLACE INTO counters(name, value)
SELECT 'kept_upto', max(
  coalesce((SELECT max(id) FROM packets), 0),
  coalesce((SELECT max(packet_id) FROM positions), 0),
  coalesce((SELECT max(packet_id) FROM events), 0));

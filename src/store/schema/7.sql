-- Positions that a person or a rule put out of sight. Their rows stay as they are; what is shown and exported leaves them out and says how many.
CREATE TABLE hidden(
  position_id INTEGER PRIMARY KEY,
  -- Numbers of packets are never given out twice, those of positions may be: a row counts only where both fit.
  packet_id INTEGER NOT NULL,
  device_id INTEGER NOT NULL,
  fix_time_ms INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('hand', 'outlier')),
  -- When it was hidden.
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX hidden_device ON hidden(device_id, fix_time_ms);
CREATE INDEX hidden_packet ON hidden(packet_id);

-- What is known of a device is written now and then, not with each of its packets: ten thousand devices would be ten thousand pages.
-- Up to which packet a row of `latest` has everything. What came later is added when it is read (`store::recent`).
ALTER TABLE latest ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;

-- What packets since the counter `latest_upto` told of their devices that no other row says, in the order they told it.
CREATE TABLE learned(
  id INTEGER PRIMARY KEY,
  packet_id INTEGER NOT NULL,
  device_id INTEGER NOT NULL,
  -- Comes after this position, and before the next.
  after_position INTEGER NOT NULL,
  readings TEXT,
  lost_frames INTEGER NOT NULL
) STRICT;

INSERT OR REPLACE INTO counters(name, value)
SELECT 'latest_upto', max(
  coalesce((SELECT value FROM counters WHERE name = 'kept_upto'), 0),
  coalesce((SELECT max(id) FROM packets), 0),
  coalesce((SELECT max(packet_id) FROM positions), 0));

-- The positions of each device in the order of their times, packed, some hundred a row. An index by device and time would dirty a page of each
-- device with each of its fixes; these rows are written when there is much to write at once (`store::trail`). Found again from `positions`.
CREATE TABLE tracks(
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  -- Its first point, as points are ordered.
  from_ms INTEGER NOT NULL,
  from_tag INTEGER NOT NULL,
  from_id INTEGER NOT NULL,
  points INTEGER NOT NULL,
  packed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX tracks_from ON tracks(device_id, from_ms, from_tag, from_id);

-- Up to which position `tracks` has all of a device. The counter `tracked_upto` says it of all devices.
CREATE TABLE track_ends(
  device_id INTEGER PRIMARY KEY,
  upto INTEGER NOT NULL,
  -- No position of the device up to there has a later time.
  last_ms INTEGER NOT NULL
) STRICT;

-- The same fix again is found by `tracks` and what came since.
DROP INDEX positions_fix;

-- What is watched for, and the events that come of it.

-- What a person drew on the map, or took from a phone. Never given twice: events name them.
CREATE TABLE places(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  -- #rrggbb
  colour TEXT NOT NULL,
  -- As JSON, and so are the ids of the devices that it concerns; NULL is all.
  shape TEXT NOT NULL,
  devices TEXT,
  enter INTEGER NOT NULL,
  leave INTEGER NOT NULL,
  dwell_min INTEGER,
  -- Fixes from before make no events.
  since_ms INTEGER NOT NULL
) STRICT;

-- Rules as JSON; those of device 0 are for all that have none of their own.
CREATE TABLE rules(
  device_id INTEGER PRIMARY KEY,
  rules TEXT NOT NULL,
  since_ms INTEGER NOT NULL
) STRICT;

-- Nobody is called for these; device 0 is everything. Without a moment: until somebody says otherwise.
CREATE TABLE mutes(
  device_id INTEGER PRIMARY KEY,
  until_ms INTEGER
) STRICT;

-- 0: nothing to read. 1: not read yet. 2: told by a packet just now, so the watch has yet to look at it.
ALTER TABLE events ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
-- Of an event that no packet tells: the packet that shows it. Such a row has the packet_id 0, so what is told anew leaves it alone.
ALTER TABLE events ADD COLUMN cause INTEGER;
-- It was made by positions, so it can be found again from them, and goes where they say otherwise.
ALTER TABLE events ADD COLUMN made_by_positions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN place_id INTEGER;
CREATE INDEX events_unread ON events(unread) WHERE unread > 0;
CREATE INDEX events_made ON events(device_id, time_ms) WHERE cause IS NOT NULL;
CREATE INDEX events_news ON events(time_ms) WHERE cause IS NOT NULL OR type = 'alarm';

-- What is there already is history, not news.
INSERT OR REPLACE INTO counters(name, value)
SELECT 'watched_position', coalesce((SELECT max(id) FROM positions), 0);

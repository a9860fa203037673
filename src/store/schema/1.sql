CREATE TABLE devices(
  -- Never given out twice: a connection may still hold the id of a device that was forgotten.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  identity TEXT NOT NULL,
  protocol TEXT NOT NULL,
  name TEXT,
  state TEXT NOT NULL CHECK (state IN ('adopted', 'new', 'ignored')),
  profile TEXT NOT NULL DEFAULT '{}',
  first_seen_ms INTEGER NOT NULL,
  UNIQUE (protocol, identity)
) STRICT;

CREATE TABLE packets(
  id INTEGER PRIMARY KEY,
  received_ms INTEGER NOT NULL,
  protocol TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  peer TEXT NOT NULL,
  -- One number a connection, unique within a run of the program.
  connection INTEGER NOT NULL,
  device_id INTEGER,
  kind TEXT NOT NULL,
  verdict TEXT NOT NULL,
  context TEXT,
  -- The packet that this one answers.
  answers INTEGER,
  -- The device's packet before this one. With latest.packet_id a chain through the packets of a device: an index would cost a page a row.
  previous INTEGER,
  -- The bytes it counts for in the quarantine; NULL once its device is adopted.
  held INTEGER,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX packets_held ON packets(received_ms, device_id, held) WHERE held IS NOT NULL;

CREATE TABLE positions(
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  fix_time_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  valid INTEGER NOT NULL,
  -- The checksum over it was wrong.
  suspect INTEGER NOT NULL,
  latitude REAL NOT NULL,
  longitude REAL NOT NULL,
  altitude_m REAL,
  speed_kmh REAL,
  course_deg REAL,
  accuracy_m REAL,
  attributes TEXT NOT NULL,
  packet_id INTEGER NOT NULL,
  -- Tells fixes of one moment apart; equal for a fix that was sent again.
  fix_key INTEGER NOT NULL,
  message_id TEXT
) STRICT;
CREATE UNIQUE INDEX positions_fix ON positions(device_id, fix_time_ms, fix_key);
CREATE UNIQUE INDEX positions_message ON positions(device_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX positions_packet ON positions(packet_id);

CREATE TABLE events(
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  attributes TEXT NOT NULL,
  packet_id INTEGER NOT NULL,
  -- A hash of the attributes: the same event sent again is one row.
  event_key INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_once ON events(device_id, time_ms, type, event_key);
CREATE INDEX events_time ON events(time_ms);
CREATE INDEX events_packet ON events(packet_id);

CREATE TABLE commands(
  -- Also the GT06 server flag that brings the answer back, so never given out twice.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'answered', 'expired', 'failed')),
  sent_ms INTEGER,
  answered_ms INTEGER,
  answer TEXT,
  guessed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX commands_device ON commands(device_id, state);

-- The last that is known of each device, so that a list of ten thousand reads no position. Written once per batch and device.
CREATE TABLE latest(
  device_id INTEGER PRIMARY KEY,
  last_heard_ms INTEGER,
  packets INTEGER NOT NULL,
  positions INTEGER NOT NULL,
  -- Its newest packet, in or out.
  packet_id INTEGER,
  -- What it told last, where the last fix does not tell the same.
  readings TEXT,
  -- The fix with the greatest sane time, as its row in positions has it.
  position_id INTEGER,
  fix_time_ms INTEGER,
  fix_received_ms INTEGER,
  valid INTEGER,
  suspect INTEGER,
  latitude REAL,
  longitude REAL,
  altitude_m REAL,
  speed_kmh REAL,
  course_deg REAL,
  accuracy_m REAL,
  attributes TEXT,
  fix_packet_id INTEGER
) STRICT;

CREATE TABLE counters(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

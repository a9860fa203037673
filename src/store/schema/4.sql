-- What a person set up for phones. The data folder and this file belong to their owner alone, because keys must be kept as they are.

-- Passwords of HTTP Basic, as salted hashes. Without a device: for every identity with this user part.
CREATE TABLE logins(
  id INTEGER PRIMARY KEY,
  user TEXT NOT NULL COLLATE NOCASE,
  device_id INTEGER,
  hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX logins_once ON logins(user, coalesce(device_id, 0));

-- The secret that a phone encrypts with.
CREATE TABLE phone_keys(
  device_id INTEGER PRIMARY KEY,
  secret TEXT NOT NULL
) STRICT;

-- Further names of a device, attached by hand.
CREATE TABLE aliases(
  protocol TEXT NOT NULL,
  identity TEXT NOT NULL,
  device_id INTEGER NOT NULL,
  PRIMARY KEY (protocol, identity)
) STRICT, WITHOUT ROWID;

-- Who sees whom.
CREATE TABLE friends(
  viewer INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (viewer, seen)
) STRICT, WITHOUT ROWID;

-- The last card of each device. Found again from packets, where those are not encrypted.
CREATE TABLE cards(
  device_id INTEGER PRIMARY KEY,
  name TEXT,
  face TEXT,
  packet_id INTEGER NOT NULL
) STRICT;

-- Kept packets that no key has opened yet; an index over all packets of a device would cost a page a row.
CREATE INDEX packets_closed ON packets(device_id, id) WHERE kind = 'encrypted';

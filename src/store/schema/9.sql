-- What came out of files. A position of it has a packet_id below 0: -(imports.id * 4294967296 + its line or byte in the file).
CREATE TABLE imports(
  -- Never given out twice: positions carry it.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  file TEXT NOT NULL,
  format TEXT NOT NULL,
  counted_in TEXT NOT NULL CHECK (counted_in IN ('line', 'byte')),
  began_ms INTEGER NOT NULL,
  -- NULL: it is under way, or it was cut off.
  ended_ms INTEGER,
  undone_ms INTEGER,
  positions INTEGER NOT NULL DEFAULT 0,
  duplicates INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  -- Devices that were made for it, as a JSON array of ids: they go with it when it is taken back and nothing else came of them.
  made TEXT NOT NULL DEFAULT '[]'
) STRICT;

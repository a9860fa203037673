-- How the connection ended whose last packet this is. It goes with its packet.
CREATE TABLE connection_ends(
  packet_id INTEGER PRIMARY KEY,
  -- Null where that is not known.
  made_ms INTEGER,
  ended_ms INTEGER NOT NULL,
  ended_by TEXT NOT NULL CHECK (ended_by IN ('peer', 'us', 'nobody')),
  -- Empty where nothing more is known than who ended it.
  why TEXT NOT NULL
) STRICT;
CREATE TRIGGER connection_ends_go AFTER DELETE ON packets BEGIN
  DELETE FROM connection_ends WHERE packet_id = OLD.id;
END;

-- What a person wrote about a packet. It goes with its packet.
CREATE TABLE packet_notes(
  packet_id INTEGER PRIMARY KEY,
  marked INTEGER NOT NULL CHECK (marked IN (0, 1)),
  -- Empty where there is none.
  comment TEXT NOT NULL,
  -- When it was written last.
  at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER packet_notes_go AFTER DELETE ON packets BEGIN
  DELETE FROM packet_notes WHERE packet_id = OLD.id;
END;

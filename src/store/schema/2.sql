-- Fuel is cut whatever the speed is: the user confirmed it.
ALTER TABLE commands ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
-- Why it is not sent although its device is connected.
ALTER TABLE commands ADD COLUMN waits TEXT;
-- The packet that took it out, and the one that brought the answer.
ALTER TABLE commands ADD COLUMN sent_packet INTEGER;
ALTER TABLE commands ADD COLUMN answer_packet INTEGER;
CREATE INDEX commands_queued ON commands(device_id, expires_ms) WHERE state = 'queued';

-- Commands that the user added to the library.
CREATE TABLE user_commands(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (title, text)
) STRICT;

-- Fuel is cut whatever the speed is: the user confirmed it.
ALTER TABLE commands ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;
CREATE INDEX commands_queued ON commands(device_id, expires_ms) WHERE state = 'queued';

-- Commands that the user added to the library.
CREATE TABLE user_commands(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (title, text)
) STRICT;

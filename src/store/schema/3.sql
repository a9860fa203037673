-- Devices whose positions, events and readings must be found again from their packets, because they are read differently now.
-- A row goes in the transaction that ends the work, so work that was interrupted begins anew.
CREATE TABLE rederivations(
  -- Greater each time it is asked for, so that work which began before is known to be out of date.
  asked INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id INTEGER NOT NULL UNIQUE
) STRICT;

-- Frames that a device numbered and that did not arrive.
ALTER TABLE latest ADD COLUMN lost_frames INTEGER NOT NULL DEFAULT 0;

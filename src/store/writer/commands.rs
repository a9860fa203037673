//! Commands to devices, within a batch.

use rusqlite::{OptionalExtension, Params, Result, params};

use super::{
    batch::Batch,
    decide::no_such,
    write::{NoteCommand, Progress},
};
use crate::model::{
    CANCELLED, Command, CommandId, DeviceState, NewCommand, PhoneCommand, Protocol, Timestamp,
    library::{self, Danger, UserCommand},
};
use crate::store::{Error, row};

/// Commands that may wait for one device.
const MOST_WAITING: i64 = 64;

/// Commands that the user may add to the library.
const MOST_OF_USER: i64 = 1000;

impl Batch<'_> {
    pub(super) fn queue_command(&mut self, command: &NewCommand) -> Result<Result<Command, Error>> {
        let NewCommand { device, text, created, expires, forced } = command;
        let Some(known) = self.devices.get(*device) else { return Ok(Err(no_such(*device))) };
        let overview = &known.overview;
        let who = overview.device.label();
        match overview.device.state {
            DeviceState::Adopted => {}
            DeviceState::New => return refuse(format!("{who} is new; adopt it before sending it commands")),
            DeviceState::Ignored => return refuse(format!("{who} is ignored; adopt it before sending it commands")),
        }
        let is_tracker = overview.device.protocol == Protocol::Gt06;
        let checked = match overview.device.protocol {
            Protocol::Gt06 => library::check_text(text, overview.device.profile.command_language),
            Protocol::OwnTracks => PhoneCommand::parse(text).map(|_| ()),
        };
        if let Err(why) = checked {
            return refuse(why);
        }
        // One that is silent now is judged when it comes back.
        if is_tracker
            && !forced
            && library::danger(text) == Some(Danger::FuelCut)
            && library::heard_lately(overview, *created)
            && let Err(why) = library::may_cut(overview, *created)
        {
            return refuse(format!("fuel of {who} is not cut: {why}"));
        }
        let waiting: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM commands WHERE state = 'queued' AND device_id = ?1")?
            .query_row([device.0], |row| row.get(0))?;
        if waiting >= MOST_WAITING {
            return refuse(format!("{waiting} commands wait for {who} already"));
        }
        let sql = format!(
            "INSERT INTO commands(device_id, created_ms, expires_ms, text, state, forced)
             VALUES (?1, ?2, ?3, ?4, 'queued', ?5) RETURNING {}",
            row::COMMAND
        );
        let queued = self.db.prepare_cached(&sql)?.query_row(
            params![device.0, created.as_millisecond(), expires.as_millisecond(), text, forced],
            row::command,
        )?;
        self.publish_command(&queued);
        Ok(Ok(queued))
    }

    pub(super) fn cancel_command(&mut self, id: CommandId) -> Result<Result<(), Error>> {
        let cancelled = "state = 'failed', answer = ?2, waits = NULL";
        if self.change(cancelled, "state = 'queued'", params![id.0, CANCELLED])?.is_none() {
            return refuse("it waits no longer, so it cannot be taken back".to_owned());
        }
        Ok(Ok(()))
    }

    pub(super) fn expire_commands(&mut self, now: Timestamp) -> Result<()> {
        let sql = format!(
            "UPDATE commands SET state = 'expired' WHERE state = 'queued' AND expires_ms < ?1 RETURNING {}",
            row::COMMAND
        );
        let expired: Vec<_> =
            self.db.prepare_cached(&sql)?.query_map([now.as_millisecond()], row::command)?.collect::<Result<_>>()?;
        for command in &expired {
            self.publish_command(command);
        }
        Ok(())
    }

    pub(super) fn note_command(&mut self, note: &NoteCommand) -> Result<Option<Command>> {
        let id = note.command.0;
        match &note.progress {
            Progress::Waits { why } => {
                self.change("waits = ?2", "state = 'queued' AND waits IS NOT ?2", params![id, why])
            }
            Progress::Sent { at } => self.change(
                "state = 'sent', sent_ms = ?2, waits = NULL",
                "state = 'queued' AND expires_ms >= ?2",
                params![id, at.as_millisecond()],
            ),
            Progress::Written { packet } => self.change("sent_packet = ?2", "state = 'sent'", params![id, packet.0]),
            Progress::Returned => {
                self.change("state = 'queued', sent_ms = NULL", "state = 'sent' AND sent_packet IS NULL", [id])
            }
            Progress::Failed { why } => {
                self.change("state = 'failed', answer = ?2", "state IN ('queued', 'sent')", params![id, why])
            }
            Progress::Answered { by, at, text, guessed, packet } => self.change(
                "state = 'answered', answered_ms = ?3, answer = ?4, guessed = ?5, answer_packet = ?6",
                "state = 'sent' AND device_id = ?2",
                params![id, by.0, at.as_millisecond(), text, guessed, packet.map(|p| p.0)],
            ),
        }
    }

    /// Changes the command with the number in `?1`, where it is in a state that allows it.
    fn change(&mut self, what: &str, from: &str, values: impl Params) -> Result<Option<Command>> {
        let sql = format!("UPDATE commands SET {what} WHERE id = ?1 AND {from} RETURNING {}", row::COMMAND);
        let changed = self.db.prepare_cached(&sql)?.query_row(values, row::command).optional()?;
        if let Some(changed) = &changed {
            self.publish_command(changed);
        }
        Ok(changed)
    }

    pub(super) fn publish_command(&mut self, command: &Command) {
        self.commands_changed = true;
        let device = self.devices.get(command.device).map(|known| &known.overview.device);
        self.phones.set |= device.is_some_and(|device| device.protocol == Protocol::OwnTracks);
        if let Some(facts) = &mut self.facts {
            facts.commands.push(command.clone());
        }
    }

    pub(super) fn add_user_command(&mut self, title: &str, text: &str) -> Result<Result<UserCommand, Error>> {
        let (title, text) = (title.trim(), text.trim());
        if title.is_empty() || title.len() > 200 {
            return refuse("a command of your own needs a title of up to 200 characters".to_owned());
        }
        if let Err(why) = library::check_text(text, false) {
            return refuse(why);
        }
        let there: i64 =
            self.db.prepare_cached("SELECT count(*) FROM user_commands")?.query_row([], |row| row.get(0))?;
        if there >= MOST_OF_USER {
            return refuse(format!("the library holds {there} commands of yours; remove some first"));
        }
        self.db
            .prepare_cached("INSERT INTO user_commands(title, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute([title, text])?;
        let sql = format!("SELECT {} FROM user_commands WHERE title = ?1 AND text = ?2", row::USER_COMMAND);
        self.db.prepare_cached(&sql)?.query_row([title, text], row::user_command).map(Ok)
    }

    pub(super) fn remove_user_command(&mut self, id: i64) -> Result<()> {
        self.db.prepare_cached("DELETE FROM user_commands WHERE id = ?1")?.execute([id])?;
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what its callers answer")]
fn refuse<T>(why: String) -> Result<Result<T, Error>> {
    Ok(Err(Error::Refused(why)))
}

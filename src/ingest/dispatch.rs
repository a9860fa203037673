//! Brings queued commands to connected devices, and ends those whose time is over.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::roster::Roster;
use crate::{
    model::{
        Clock, DeviceOverview, Timestamp,
        library::{self, Danger},
    },
    store::{Error, Progress, Reader, Writer, query},
};

/// How often it looks while anything waits: for time that ran out, and for a vehicle that has stopped.
const AGAIN: Duration = Duration::from_millis(500);

/// What the one task that does this works with.
pub(super) struct Dispatch {
    pub(super) roster: Arc<Roster>,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    /// Changes when another command may wait.
    pub(super) queued: watch::Receiver<u64>,
    pub(super) clock: Clock,
    pub(super) stop: CancellationToken,
}

impl Dispatch {
    /// Works until it is stopped or the store is closed.
    pub(super) async fn run(mut self) {
        loop {
            self.queued.mark_unchanged();
            let more = match self.look().await {
                Ok(more) => more,
                Err(Error::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "commands could not be looked up");
                    true
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.roster.changed() => {}
                heard = self.queued.changed() => if heard.is_err() { return },
                () = sleep(AGAIN), if more => {}
            }
        }
    }

    /// Hands out what can be sent now. True where something still waits.
    async fn look(&self) -> Result<bool, Error> {
        let now = (self.clock)();
        let connected = self.roster.devices();
        let outbox = self.reader.read(move |db| query::outbox(db, &connected, now)).answered().await?;
        if outbox.overdue {
            self.writer.expire_commands(now).answered().await?;
        }
        for (overview, waiting) in &outbox.devices {
            self.hand_out(overview, waiting, now).await?;
        }
        if outbox.any {
            self.refuse_elsewhere(now).await?;
        }
        Ok(outbox.any)
    }

    /// What goes through a tap is said by the two that talk: nothing of ours is put in between.
    async fn refuse_elsewhere(&self, now: Timestamp) -> Result<(), Error> {
        let elsewhere = self.roster.elsewhere();
        if elsewhere.is_empty() {
            return Ok(());
        }
        let devices: Vec<_> = elsewhere.iter().map(|(device, _)| *device).collect();
        let outbox = self.reader.read(move |db| query::outbox(db, &devices, now)).answered().await?;
        for (overview, waiting) in &outbox.devices {
            let tap = elsewhere.iter().find(|(device, _)| *device == overview.device.id);
            let name = tap.map_or("", |(_, name)| name.as_ref());
            for query::Waiting { command, .. } in waiting {
                let why = format!(
                    "it talks with another server through the tap {name}, which adds nothing of ours: command it from there"
                );
                self.writer.note_command(command.id, Progress::Failed { why }).answered().await?;
            }
        }
        Ok(())
    }

    async fn hand_out(
        &self,
        overview: &DeviceOverview,
        waiting: &[query::Waiting],
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut cut_waits = false;
        for query::Waiting { command, forced } in waiting {
            // The speed counts when it is sent, not when it was asked for.
            let refusal = match library::danger(&command.text) {
                Some(Danger::FuelCut) if !forced => library::may_cut(overview, now).err(),
                // Overtaken by what restores the fuel, a cut would come last and stay.
                _ if cut_waits && library::restores_fuel(&command.text) => {
                    Some("a fuel cut waits before it".to_owned())
                }
                Some(Danger::FuelCut | Danger::FactoryReset | Danger::Connection) | None => None,
            };
            let Some(why) = refusal else {
                self.roster.hand(command, &overview.device.profile);
                continue;
            };
            cut_waits = true;
            // Numbers in the reason change by the second; a receipt that does, too, would be written all the time.
            if command.waits.is_none() {
                self.writer.note_command(command.id, Progress::Waits { why }).answered().await?;
            }
        }
        Ok(())
    }
}

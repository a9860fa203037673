//! Brings queued commands to connected devices, and ends those whose time is over.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use super::roster::Roster;
use crate::{
    model::{
        Clock, CommandId, DeviceOverview, Timestamp,
        library::{self, Danger},
    },
    store::{Error, Reader, Writer, query},
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
        let mut held = HashSet::new();
        loop {
            self.queued.mark_unchanged();
            let more = match self.look(&mut held).await {
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

    /// Hands out what can be sent now. True where something still waits. `held`: cuts that wait for the vehicle to stop, each told once.
    async fn look(&self, held: &mut HashSet<CommandId>) -> Result<bool, Error> {
        let now = (self.clock)();
        let connected = self.roster.devices();
        let outbox = self.reader.read(move |db| query::outbox(db, &connected, now)).answered().await?;
        if outbox.overdue {
            self.writer.expire_commands(now).answered().await?;
        }
        if !outbox.any {
            held.clear();
        }
        for (overview, waiting) in &outbox.devices {
            self.hand_out(overview, waiting, now, held);
        }
        Ok(outbox.any)
    }

    fn hand_out(
        &self,
        overview: &DeviceOverview,
        waiting: &[query::Waiting],
        now: Timestamp,
        held: &mut HashSet<CommandId>,
    ) {
        let mut cut_waits = false;
        for query::Waiting { command, forced } in waiting {
            // The speed counts when it is sent, not when it was asked for.
            if !forced
                && library::danger(&command.text) == Some(Danger::FuelCut)
                && let Err(why) = library::may_cut(overview.last_fix.as_ref(), now)
            {
                cut_waits = true;
                if held.insert(command.id) {
                    let (device, text) = (&overview.device.identity, &command.text);
                    tracing::info!(%device, text, why, "a fuel cut waits");
                }
                continue;
            }
            // Overtaken by what restores the fuel, a cut would come last and stay.
            if cut_waits && library::restores_fuel(&command.text) {
                continue;
            }
            self.roster.hand(command);
        }
    }
}

//! The read model: what the window knows, filled by facts and by answers to its questions.

mod notes;
mod paging;

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
};

pub use self::notes::Notes;
pub use self::paging::{Ends, FIRST_PACKETS, PAGE, Pages};
use super::{
    charts,
    filter::Found,
    lamps::{self, Age},
    ledger::Ledger,
    map::{Shown, Trail},
    out::Out,
    phones::Phones,
    read_as::Otherwise,
    remote::Remote,
    replay::Replay,
    talk::Talk,
    time::History,
    watch::Watch,
};
use crate::{
    backend::{Health, ReceiverLine, Removal, Stage, StoreHealth, TapLine},
    model::{
        Committed, Device, DeviceId, DeviceOverview, DeviceState, Direction, ImportBatch, Keep, Origin, Overviews,
        PacketId, PacketRow, Policy, Profile, Protocol, Readings, StoredEvent, StoredFix, Timestamp, Upto,
    },
    wire::{self, Dissection},
};

/// Packets kept for the list at most.
pub const MAX_PACKETS: usize = 50_000;
/// Bytes of these packets at most; the oldest go first.
pub const MAX_PACKET_BYTES: usize = 64 << 20;
/// Events kept of the selected device at most.
pub const MAX_EVENTS: usize = 100;

/// Everything the panels may read. Only `App::logic` and `App::apply` change it.
#[derive(Default)]
pub struct Data {
    /// Every device in any state, in the order they were first seen.
    pub devices: Ledger<DeviceId, DeviceOverview>,
    /// The trail of each device that is shown.
    pub trails: Ledger<DeviceId, Trail>,
    /// What the map shows of history; `None` is live.
    pub shown: Option<Shown>,
    /// A run of the stored packets, oldest first; bounded.
    pub packets: VecDeque<PacketRow>,
    /// What the store has beyond them.
    pub ends: Ends,
    /// What was found among older ones.
    pub found: Found,
    /// A search for one packet that goes beyond them.
    pub seeking: Option<Seeking>,
    /// What was written about packets.
    pub notes: Notes,
    /// The selected packet, opened.
    pub opened: Option<Opened>,
    /// A packet that was asked for and is no longer there, with when and why it went.
    pub gone: Option<(PacketId, Option<Removal>)>,
    /// What was said about the repair of the database was read.
    pub repair_read: bool,
    /// How far a copy of the store is that is being saved.
    pub copying: Option<Stage>,
    /// How far an export is that is being written, in points.
    pub exporting: Option<Stage>,
    /// Packets on their way out.
    pub out: Out,
    /// A capture that is sent again.
    pub replay: Replay,
    /// How far an import is, or the look at a file, in bytes.
    pub importing: Option<Stage>,
    /// What was imported, the newest first; read when the sheet is opened.
    pub imports: Vec<ImportBatch>,
    /// Where the selected position stood, where it was imported.
    pub origin: Option<(PacketId, Origin)>,
    /// The newest events of the selected device, newest first.
    pub events: Vec<StoredEvent>,
    /// The first answer of the store has come: an empty list means that there is nothing.
    pub loaded: bool,
    /// What the store answered instead of data.
    pub trouble: Option<String>,
    pub station: Station,
    /// How everything fares, where the sheet that shows it is open.
    pub health: Option<Health>,
    /// Why there is no health to show.
    pub health_trouble: Option<String>,
    /// How devices talk.
    pub talk: Talk,
    /// Commands, profile and clock of the selected tracker.
    pub remote: Remote,
    /// What is set up for phones.
    pub phones: Phones,
    /// Places, rules and events.
    pub watch: Watch,
    /// What is known of the user's map files.
    pub charts: BTreeMap<PathBuf, charts::State>,
    /// Why the map file that was opened last cannot be shown.
    pub chart_trouble: Option<String>,
    /// Spans of the past that are looked at.
    pub history: History,
    pub pulse: Pulse,
    /// Counts changes of who is there and what they are called.
    pub roster: u64,
    /// Live, late, stale and lost, as [`Data::count`] found last.
    pub tally: Tally,
    counted_at: Option<(i64, u64)>,
    /// What the devices have counted: a fact about less is old news to them.
    upto: Upto,
    /// The newest packet that the pulse has felt.
    felt: Option<PacketId>,
    packet_bytes: usize,
}

/// How many devices are live, late, stale and lost, and of how many nothing is to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub live: u64,
    pub late: u64,
    pub stale: u64,
    pub lost: u64,
    /// All that is known of them was imported.
    pub imported: u64,
    /// Nobody has decided about them; they are in none of the others.
    pub new: u64,
}

/// A packet with what its bytes say: what tree and bytes show.
pub struct Opened {
    pub row: PacketRow,
    pub dissection: Dissection,
    /// The positions that it told.
    pub fixes: Vec<StoredFix>,
    /// The bytes are read as something else.
    pub otherwise: Option<Otherwise>,
}

/// Receivers and rules, as the backend has them this frame.
#[derive(Default)]
pub struct Station {
    pub receivers: Vec<ReceiverLine>,
    pub taps: Vec<TapLine>,
    pub policy: Policy,
    /// Another instance receives; this window only looks on.
    pub viewer: bool,
    /// What is shown is a capture, and this was found in it.
    pub capture: Option<std::sync::Arc<crate::backend::capture::CaptureStatus>>,
    /// Why nothing is stored.
    pub store_trouble: Option<crate::backend::Error>,
    pub demo: bool,
    /// No demo is running, but its devices are still there: the program ended before it was removed.
    pub demo_left: bool,
    /// Under which a phone in this network reaches this machine.
    pub lan: Vec<IpAddr>,
    pub data_dir: PathBuf,
    /// What is kept for how long.
    pub keep: Keep,
    /// How the store fares; nothing of it in a window that only looks on.
    pub store: StoreHealth,
}

/// Packets per second, over the last ten seconds.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Whole seconds since the epoch with the packets that arrived in each; newest last.
    seconds: VecDeque<(i64, u32)>,
}

impl Pulse {
    const SPAN_S: i64 = 10;

    fn beat(&mut self, at: Timestamp) {
        let second = at.as_second();
        match self.seconds.back_mut() {
            Some((last, n)) if *last >= second => *n += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        while self.seconds.front().is_some_and(|(s, _)| *s < second - Self::SPAN_S) {
            self.seconds.pop_front();
        }
    }

    /// Packets received per second in the ten whole seconds before `now`.
    pub fn per_second(&self, now: Timestamp) -> f64 {
        /// [`Pulse::SPAN_S`] as a divisor.
        const SPAN_S: f64 = 10.0;
        let now_s = now.as_second();
        let span = now_s - Self::SPAN_S..now_s;
        let n: u32 = self.seconds.iter().filter(|(s, _)| span.contains(s)).map(|(_, n)| n).sum();
        f64::from(n) / SPAN_S
    }
}

impl Data {
    /// Takes over what a commit made true. `events_of` is the device whose events are shown.
    pub fn apply(&mut self, committed: &Committed, events_of: Option<DeviceId>) {
        self.phones.learn(committed);
        // Destructured, so that a new kind of fact has to be handled here.
        let Committed { packets, fixes, events, devices, readings, commands, removed, rederived: _, watch, notes } =
            committed;
        self.notes.learn(notes);
        self.notes.remove(removed);
        self.watch.stale |= *watch || !events.is_empty();
        for device in devices {
            self.device(device);
        }
        let newest_known = self.newest_packet();
        for packet in packets {
            self.feel(packet);
            self.count_packet(packet);
            if newest_known < Some(packet.id) {
                self.packet(packet);
            }
        }
        self.trim();
        for fix in fixes {
            self.fix(fix);
        }
        for (device, newer) in readings {
            self.readings(*device, newer);
        }
        self.remote.learn(commands);
        self.talk.learn(commands);
        self.remove_packets(removed);
        for event in events.iter().filter(|e| Some(e.device) == events_of) {
            if self.events.iter().all(|known| known.id != event.id) {
                self.events.insert(0, event.clone());
                self.events.truncate(MAX_EVENTS);
            }
        }
    }

    fn device(&mut self, device: &Device) {
        self.roster += 1;
        if let Some(overview) = self.devices.get_mut(&device.id) {
            overview.device = device.clone();
            return;
        }
        let overview = DeviceOverview {
            device: device.clone(),
            last_fix: None,
            readings: Readings::new(),
            packets: 0,
            positions: 0,
            lost_frames: 0,
        };
        self.devices.insert(device.id, overview);
    }

    fn feel(&mut self, packet: &PacketRow) {
        if self.felt < Some(packet.id) {
            self.felt = Some(packet.id);
            if packet.direction == Direction::In {
                self.pulse.beat(packet.received);
            }
        }
    }

    fn count_packet(&mut self, packet: &PacketRow) {
        if self.upto.packet >= Some(packet.id) {
            return;
        }
        self.upto.packet = Some(packet.id);
        if let Some(overview) = packet.device.and_then(|id| self.devices.get_mut(&id)) {
            overview.packets += 1;
            overview.lost_frames += lost_before(packet, &overview.device.profile);
            if packet.direction == Direction::In {
                if overview.device.last_heard.is_none() {
                    // It counts from now on, not from the next second.
                    self.counted_at = None;
                }
                overview.device.last_heard = overview.device.last_heard.max(Some(packet.received));
            }
        }
    }

    fn packet(&mut self, packet: &PacketRow) {
        self.ends.newest = Some(packet.id);
        if !self.ends.newer {
            self.packet_bytes += packet.bytes.len();
            self.packets.push_back(packet.clone());
        }
    }

    fn fix(&mut self, fix: &StoredFix) {
        if let Some(trail) = self.trails.get_mut(&fix.device) {
            trail.push(fix);
        }
        if self.upto.position >= fix.id {
            return;
        }
        self.upto.position = fix.id;
        if let Some(overview) = self.devices.get_mut(&fix.device) {
            overview.take(fix);
        }
    }

    fn readings(&mut self, device: DeviceId, now: &Readings) {
        if let Some(overview) = self.devices.get_mut(&device) {
            // All of them come, so what is not among them has ended.
            overview.readings.clone_from(now);
        }
    }

    /// Begins anew with what the store has; `since` happened while it was asked, so each answer has all, some or nothing of it.
    pub fn reload(
        &mut self,
        Overviews { devices, upto }: Overviews,
        packets: Vec<PacketRow>,
        since: &[Arc<Committed>],
        events_of: Option<DeviceId>,
    ) {
        *self.devices = devices.into_iter().map(|d| (d.device.id, d)).collect();
        self.trails.retain(|id, _| self.devices.contains_key(id));
        self.roster += 1;
        self.watch.read_again();
        self.notes.stale = true;
        self.upto = upto;
        if self.loaded {
            for packet in &packets {
                self.feel(packet);
            }
        }
        let whole = packets.len() < FIRST_PACKETS;
        self.renew(packets, whole);
        self.trim();
        for committed in since {
            self.apply(committed, events_of);
        }
        // Of a file that took the place of another, ids begin anew.
        self.felt = self.newest_packet();
        self.loaded = true;
    }

    /// A packet of the list.
    pub fn packet_row(&self, id: PacketId) -> Option<&PacketRow> {
        self.packet_index(id).and_then(|at| self.packets.get(at))
    }

    /// Its place in the list.
    pub fn packet_index(&self, id: PacketId) -> Option<usize> {
        self.packets.binary_search_by_key(&id, |p| p.id).ok()
    }

    /// What a person calls this device.
    pub fn label(&self, id: DeviceId) -> &str {
        self.devices.get(&id).map_or("removed device", |d| self.name_of(d))
    }

    /// How this device fares.
    pub fn health(&self, overview: &DeviceOverview, now: Timestamp) -> lamps::Health {
        let id = overview.device.id;
        lamps::health(overview, self.trails.get(&id), self.remote.connected.contains(&id), now)
    }

    /// Counts how the adopted devices fare, where that may have changed: each second, and when one comes, goes or is heard at last.
    pub fn count(&mut self, now: Timestamp) {
        let moment = (now.as_second(), self.roster);
        if self.counted_at == Some(moment) {
            return;
        }
        let mut tally = Tally { new: self.in_state(DeviceState::New).count() as u64, ..Tally::default() };
        for overview in self.in_state(DeviceState::Adopted) {
            match self.health(overview, now).link.age {
                Age::Fresh => tally.live += 1,
                Age::Late => tally.late += 1,
                Age::Stale => tally.stale += 1,
                Age::Lost => tally.lost += 1,
                Age::Never if overview.last_fix.is_some() => tally.imported += 1,
                // Added before it ever called: not lost, only awaited.
                Age::Never => {}
            }
        }
        self.tally = tally;
        self.counted_at = Some(moment);
    }

    /// Devices in this state.
    pub fn in_state(&self, state: DeviceState) -> impl Iterator<Item = &DeviceOverview> {
        self.devices.values().filter(move |d| d.device.state == state)
    }
}

/// A packet is looked for among all that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeking {
    /// "the next packet with a problem".
    pub what: String,
    /// Packets that were looked at.
    pub looked: u64,
}

/// Frames that did not arrive before this packet. Only one behind a gap keeps the serial that came before, so hardly any is read for it.
fn lost_before(packet: &PacketRow, profile: &Profile) -> u64 {
    let gap = packet.context.as_deref().is_some_and(|context| context.contains("last_serial"));
    if packet.protocol != Protocol::Gt06 || !gap {
        return 0;
    }
    wire::dissect_kept(packet, profile).reports.iter().map(|report| u64::from(report.lost_frames)).sum()
}

#[cfg(test)]
mod tests;

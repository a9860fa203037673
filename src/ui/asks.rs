//! Questions on their way to the store. Every answer comes by [`Pending`], polled once a frame; nothing here waits.

use std::{collections::BTreeMap, sync::Arc};

use super::data::FIRST_PACKETS;
use crate::{
    backend::{Backend, Copied, CopyError, Error, ExportError, ExportReport, PacketQuery, Pending, Removal, Watch},
    model::{Committed, DeviceId, Overviews, PacketId, PacketRow, StoredEvent, StoredFix, TimeWindow, Timestamp},
};

/// Points of one trail at most; of the selected device's there may be more.
pub(super) const TRAIL_POINTS: usize = 20_000;
pub(super) const SELECTED_POINTS: usize = 100_000;
/// Trails asked for at a time; the rest waits its turn.
const TRAILS_AT_ONCE: usize = 8;
/// Commits remembered while the store is read again. More than that, and it is read once more.
const MAX_SINCE: usize = 4_096;
/// What is being asked.
#[derive(Default)]
pub(super) struct Asks {
    reload: Option<Reload>,
    trails: BTreeMap<DeviceId, AskedTrail>,
    pub(super) packet: Option<(PacketId, Pending<Option<PacketRow>>)>,
    /// Why a packet is not there.
    pub(super) removal: Option<(PacketId, Pending<Option<Removal>>)>,
    pub(super) fixes: Option<(PacketId, Pending<Vec<StoredFix>>)>,
    pub(super) events: Option<(DeviceId, Pending<Vec<StoredEvent>>)>,
    adoptions: Vec<(DeviceId, Slot<u64>)>,
    changes: Vec<(Change, Pending<()>)>,
    pub(super) export: Option<(Pending<Result<ExportReport, ExportError>>, Watch)>,
    pub(super) copy: Option<(Pending<Result<Copied, CopyError>>, Watch)>,
}

/// What was asked for.
pub(super) struct Change {
    /// In the words of its failure: "rename Van 7".
    pub(super) what: String,
    pub(super) device: Option<DeviceId>,
}

/// A trail on its way.
struct AskedTrail {
    /// Points at most.
    limit: usize,
    answer: Pending<Vec<StoredFix>>,
    /// Fixes that were committed meanwhile.
    since: Vec<StoredFix>,
}

/// A trail that came.
pub(super) struct AnsweredTrail {
    pub(super) fixes: Vec<StoredFix>,
    /// There are older ones.
    pub(super) cut: bool,
}

/// The store is being read from the beginning.
struct Reload {
    devices: Slot<Overviews>,
    packets: Slot<Vec<PacketRow>>,
    since: Vec<Arc<Committed>>,
    overflowed: bool,
}

/// A question, then its answer.
enum Slot<T> {
    Asked(Pending<T>),
    Answered(Result<T, Error>),
}

impl<T> Slot<T> {
    fn poll(&mut self) -> bool {
        if let Self::Asked(pending) = self
            && let Some(answer) = pending.poll()
        {
            *self = Self::Answered(answer);
        }
        matches!(self, Self::Answered(_))
    }

    fn answer(self) -> Result<T, Error> {
        match self {
            Self::Asked(_) => Err(Error::Closed),
            Self::Answered(answer) => answer,
        }
    }
}

/// Everything the list and the log begin with.
pub(super) struct Fresh {
    pub(super) devices: Overviews,
    pub(super) packets: Vec<PacketRow>,
    pub(super) since: Vec<Arc<Committed>>,
    /// Too much happened meanwhile: ask again.
    pub(super) overflowed: bool,
}

impl Asks {
    /// Reads devices and newest packets again.
    pub(super) fn reload(&mut self, backend: &Backend) {
        self.reload = Some(Reload {
            devices: Slot::Asked(backend.overviews()),
            packets: Slot::Asked(backend.packets(PacketQuery { limit: FIRST_PACKETS, ..PacketQuery::default() })),
            since: Vec::new(),
            overflowed: false,
        });
    }

    /// True while devices and packets are being read.
    pub(super) fn reloading(&self) -> bool {
        self.reload.is_some()
    }

    /// Keeps what is committed while the store is being read, so that nothing falls between the two.
    pub(super) fn remember(&mut self, committed: &Arc<Committed>) {
        for fix in &committed.fixes {
            if let Some(asked) = self.trails.get_mut(&fix.device) {
                asked.since.push(fix.clone());
            }
        }
        if let Some(reload) = &mut self.reload {
            if reload.since.len() < MAX_SINCE {
                reload.since.push(committed.clone());
            } else {
                reload.overflowed = true;
            }
        }
    }

    /// The answer to [`Asks::reload`], once.
    pub(super) fn fresh(&mut self) -> Option<Result<Fresh, Error>> {
        let reload = self.reload.as_mut()?;
        let (devices, packets) = (reload.devices.poll(), reload.packets.poll());
        if !devices || !packets {
            return None;
        }
        let Reload { devices, packets, since, overflowed } = self.reload.take()?;
        Some(devices.answer().and_then(|devices| {
            let packets = packets.answer()?;
            Ok(Fresh { devices, packets, since, overflowed })
        }))
    }

    /// Asks for the trails of these devices from a moment on, each of so many points at most, a few at a time, the first ones first.
    pub(super) fn trails(
        &mut self,
        backend: &Backend,
        wanted: impl Iterator<Item = (DeviceId, usize)>,
        from: Option<Timestamp>,
    ) {
        for (device, limit) in wanted {
            if self.trails.len() >= TRAILS_AT_ONCE {
                return;
            }
            let window = TimeWindow { from, to: None };
            self.trails.entry(device).or_insert_with(|| AskedTrail {
                limit,
                answer: backend.track(device, window, limit),
                since: Vec::new(),
            });
        }
    }

    /// What was asked for of trails is not wanted any more.
    pub(super) fn forget_trails(&mut self) {
        self.trails.clear();
    }

    /// Trails that came, and how many points were asked for.
    pub(super) fn trails_answered(&mut self) -> Vec<(DeviceId, usize, Result<AnsweredTrail, Error>)> {
        let mut answered = Vec::new();
        self.trails.retain(|device, asked| match asked.answer.poll() {
            Some(answer) => {
                let answer = answer.map(|mut fixes| {
                    let read = fixes.len();
                    for fix in asked.since.drain(..) {
                        if fixes.iter().take(read).all(|known| known.id != fix.id) {
                            fixes.push(fix);
                        }
                    }
                    fixes.sort_by_key(|fix| fix.fix.at);
                    AnsweredTrail { fixes, cut: read >= asked.limit }
                });
                answered.push((*device, asked.limit, answer));
                false
            }
            None => true,
        });
        answered
    }

    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        let Self { reload, trails, packet, removal, fixes, events, adoptions, changes, export, copy } = self;
        reload.is_some()
            || !trails.is_empty()
            || packet.is_some()
            || removal.is_some()
            || fixes.is_some()
            || events.is_some()
            || !adoptions.is_empty()
            || !changes.is_empty()
            || export.is_some()
            || copy.is_some()
    }

    pub(super) fn adopt(&mut self, device: DeviceId, pending: Pending<u64>) {
        self.adoptions.push((device, Slot::Asked(pending)));
    }

    /// Adoptions that are done, with the number of positions that became history: once the last of them is, for one click on many is
    /// told in one line.
    pub(super) fn adopted(&mut self) -> Vec<(DeviceId, Result<u64, Error>)> {
        let waiting = self.adoptions.iter_mut().map(|(_, asked)| asked.poll()).filter(|answered| !answered).count();
        if waiting > 0 {
            return Vec::new();
        }
        self.adoptions.drain(..).map(|(device, asked)| (device, asked.answer())).collect()
    }

    pub(super) fn change(&mut self, what: String, device: Option<DeviceId>, pending: Pending<()>) {
        self.changes.push((Change { what, device }, pending));
    }

    /// Changes that are done.
    pub(super) fn changed(&mut self) -> Vec<(Change, Result<(), Error>)> {
        take_answered(&mut self.changes)
    }
}

/// Takes the answers that came out of a list of questions.
pub(super) fn take_answered<K, T>(asked: &mut Vec<(K, Pending<T>)>) -> Vec<(K, Result<T, Error>)> {
    let mut answered = Vec::new();
    let mut waiting = Vec::with_capacity(asked.len());
    for (key, mut pending) in asked.drain(..) {
        match pending.poll() {
            Some(answer) => answered.push((key, answer)),
            None => waiting.push((key, pending)),
        }
    }
    *asked = waiting;
    answered
}

/// The answer of a question that is asked at most once at a time, if it came.
pub(super) fn take<K: Copy, T>(asked: &mut Option<(K, Pending<T>)>) -> Option<(K, Result<T, Error>)> {
    let (key, pending) = asked.as_mut()?;
    let answer = (*key, pending.poll()?);
    *asked = None;
    Some(answer)
}

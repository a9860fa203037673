//! Another packet that fulfils a filter, of those that are listed: among what is held at once, beyond it by the store, with what is looked
//! through told meanwhile.

use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

use super::App;
use crate::{
    backend::{Backend, Pending, Seek, Sought},
    model::{
        PacketId, PacketRow,
        filter::{Filter, Ground},
    },
    ui::{
        Data,
        data::Seeking,
        filter::{Known, Sieve},
        toasts::Toasts,
    },
};

/// What may be looked through in the frame that asked; the rest is looked through by the store.
const BUDGET: Duration = Duration::from_millis(4);
/// So many are looked at however long that takes.
const LEAST: usize = 512;

/// Before the first packet, and behind the last.
const FIRST: PacketId = PacketId(i64::MIN);
const END: PacketId = PacketId(i64::MAX);

/// What is sought.
pub(super) struct Aim {
    /// Beside what the list is filtered by.
    pub(super) filter: String,
    /// Towards newer packets.
    pub(super) onward: bool,
    /// Goes on at the other end.
    pub(super) around: bool,
    /// Where nothing is selected: begin at the newest, whichever way it goes.
    pub(super) from_newest: bool,
    /// Goes on from this one, not from the selected one.
    pub(super) from: Option<PacketId>,
    /// In the words of a person: "the next packet with a problem".
    pub(super) what: String,
    /// Where there is none.
    pub(super) nothing: String,
}

/// A search that goes beyond what is held.
struct Search {
    sieve: Sieve,
    onward: bool,
    what: String,
    nothing: String,
    /// What is left to be looked through, the first one now.
    legs: VecDeque<Range<PacketId>>,
    looked: u64,
    pending: Pending<Sought>,
}

/// The search, where there is one.
#[derive(Default)]
pub(super) struct Seeker(Option<Search>);

impl Seeker {
    pub(super) fn waiting(&self) -> bool {
        self.0.is_some()
    }

    /// Leaves off; true where there was something to leave.
    pub(super) fn cancel(&mut self, data: &mut Data) -> bool {
        data.seeking = None;
        self.0.take().is_some()
    }

    fn begin(
        &mut self,
        backend: &Backend,
        data: &Data,
        search: (Sieve, Aim),
        mut legs: VecDeque<Range<PacketId>>,
    ) -> bool {
        legs.retain(|leg| leg.start < leg.end);
        let (sieve, Aim { onward, what, nothing, .. }) = search;
        let Some(leg) = legs.front().cloned() else { return false };
        let pending = ask(backend, data, &sieve, leg, onward);
        self.0 = Some(Search { sieve, onward, what, nothing, legs, looked: 0, pending });
        true
    }

    /// The packet that was found, once.
    fn take(&mut self, backend: &Backend, data: &mut Data, toasts: &mut Toasts) -> Option<PacketId> {
        let search = self.0.as_mut()?;
        let answer = search.pending.poll()?;
        let Sought { row, left, looked } = match answer {
            Ok(sought) => sought,
            Err(error) => {
                toasts.error(error.to_string());
                self.cancel(data);
                return None;
            }
        };
        if let Some(row) = row {
            self.cancel(data);
            return Some(row.id);
        }
        search.looked += looked;
        search.legs.pop_front();
        if left.start < left.end {
            search.legs.push_front(left);
        }
        let Some(leg) = search.legs.front().cloned() else {
            toasts.info(search.nothing.clone());
            self.cancel(data);
            return None;
        };
        data.seeking = Some(Seeking { what: search.what.clone(), looked: search.looked });
        search.pending = ask(backend, data, &search.sieve, leg, search.onward);
        None
    }
}

fn ask(backend: &Backend, data: &Data, sieve: &Sieve, among: Range<PacketId>, onward: bool) -> Pending<Sought> {
    let (known, sieve) = (Known::of(data), sieve.clone());
    let seek = Seek { filter: sieve.filter.clone(), now: sieve.now, among, onward };
    backend.seek_packet(seek, move |row, answered| known.admits(&sieve, row, answered))
}

impl App {
    /// Goes to the packet that was found.
    pub(super) fn take_sought(&mut self) {
        let Some(backend) = &self.backend else { return };
        if let Some(id) = self.seeker.take(backend, &mut self.data, &mut self.toasts) {
            self.view.open.dock = true;
            self.select_packet(id, None);
        }
    }

    /// Goes to another packet that fulfils a filter.
    pub(super) fn find_packet(&mut self, text: &str, by: i32, from: Option<PacketId>) {
        let onward = by > 0;
        let (way, side) = if onward { ("next", "after") } else { ("previous", "before") };
        self.seek(Aim {
            filter: text.to_owned(),
            onward,
            around: false,
            from_newest: true,
            from,
            what: format!("the {way} packet with {text}"),
            nothing: format!("No packet {side} this one has it"),
        });
    }

    /// Goes to another packet among those that are listed.
    pub(super) fn seek(&mut self, aim: Aim) {
        let now = self.now();
        let ground = Ground { now, zone: self.view.zone() };
        let listed = self.panels.packets.sieve(&self.data, &self.view, now);
        let Ok(filter) = Filter::parse(&aim.filter, &ground) else { return };
        let among_all = listed.admits_all();
        let sieve = Sieve { filter: listed.filter.clone().and(filter), ..listed };
        self.seeker.cancel(&mut self.data);
        let (found, legs) = self.look_among_held(&sieve, &aim);
        if let Some(id) = found {
            self.view.open.dock = true;
            return self.select_packet(id, None);
        }
        let aim = Aim {
            nothing: if among_all { aim.nothing } else { format!("{} among those that are listed", aim.nothing) },
            ..aim
        };
        let nothing = aim.nothing.clone();
        let begun =
            self.backend.as_ref().is_some_and(|backend| self.seeker.begin(backend, &self.data, (sieve, aim), legs));
        if !begun {
            self.toasts.info(nothing);
        }
    }

    /// Looks through what is held, in the order in which it would be gone through; gives what was found, else what is left to be looked through.
    fn look_among_held(&self, sieve: &Sieve, aim: &Aim) -> (Option<PacketId>, VecDeque<Range<PacketId>>) {
        let (packets, ends) = (&self.data.packets, self.data.ends);
        let next = |id: PacketId| PacketId(id.0.saturating_add(1));
        let bounds = packets.front().zip(packets.back()).map(|(first, last)| (first.id, last.id));
        let selected = aim.from.or(self.view.selection.packet);
        let from = match (selected, aim.onward, aim.from_newest) {
            (Some(id), true, _) => next(id),
            (Some(id), false, _) => id,
            // The newest itself may be it.
            (None, _, true) | (None, false, _) => END,
            (None, true, false) => FIRST,
        };
        let onward = aim.onward && !(selected.is_none() && aim.from_newest);
        let mut legs: VecDeque<Range<PacketId>> = if onward { [from..END].into() } else { [FIRST..from].into() };
        if aim.around {
            legs.push_back(if onward { FIRST..from } else { from..END });
        }
        let Some((first, last)) = bounds else { return (None, legs) };
        let begun = Instant::now();
        let mut looked = 0;
        while let Some(leg) = legs.pop_front() {
            let held = leg.start.max(first)..leg.end.min(next(last));
            let lacks_before = onward && leg.start < first && ends.older;
            let lacks_behind = !onward && leg.end > next(last) && ends.newer;
            if lacks_before || lacks_behind {
                // What comes first is not held.
                legs.push_front(leg);
                break;
            }
            let rows = packets
                .range(packets.partition_point(|r| r.id < held.start)..packets.partition_point(|r| r.id < held.end));
            let look = |row: &PacketRow, looked: &mut usize| {
                *looked += 1;
                if sieve.admits_held(&self.data, row) {
                    return Some(Ok(row.id));
                }
                (*looked >= LEAST && begun.elapsed() > BUDGET).then_some(Err(row.id))
            };
            let mut stopped = if onward {
                rows.clone().find_map(|row| look(row, &mut looked))
            } else {
                rows.clone().rev().find_map(|row| look(row, &mut looked))
            };
            match stopped.take() {
                Some(Ok(id)) => return (Some(id), VecDeque::new()),
                Some(Err(id)) => {
                    legs.push_front(if onward { next(id)..leg.end } else { leg.start..id });
                    break;
                }
                None => {}
            }
            let beyond = if onward {
                ends.newer.then_some(next(last).max(leg.start)..leg.end)
            } else {
                ends.older.then_some(leg.start..first.min(leg.end))
            };
            if let Some(beyond) = beyond.filter(|beyond| beyond.start < beyond.end) {
                legs.push_front(beyond);
                break;
            }
        }
        (None, legs)
    }
}

//! What the store looks for by a filter, and what is written about packets.

use std::ops::Range;

use super::App;
use crate::{
    backend::{Backend, Find, FoundPackets, Pending},
    model::{PacketId, PacketNote},
    ui::{
        Data,
        filter::{Found, Known, Sieve},
        view::Sheet,
    },
};

/// Matches that are asked for at a time.
const ENOUGH: usize = 300;

/// What is being looked for.
#[derive(Default)]
pub(super) struct Finding {
    asked: Option<(Range<PacketId>, Pending<FoundPackets>)>,
    notes: Option<Pending<Vec<(PacketId, PacketNote)>>>,
}

impl Finding {
    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        self.asked.is_some() || self.notes.is_some()
    }

    /// Looks further for what this admits; what was looked for else is dropped.
    pub(super) fn search(&mut self, backend: &Backend, data: &mut Data, sieve: Option<Sieve>) {
        let Some(sieve) = sieve else {
            self.asked = None;
            data.found = Found::default();
            return;
        };
        if data.found.asked != sieve.asked {
            self.asked = None;
            data.found = Found::begun(sieve.asked.clone());
        }
        let held = data.packets.front().map(|row| row.id);
        let Some(among) = held.and_then(|held| data.found.next(held, true)).filter(|_| self.asked.is_none()) else {
            return;
        };
        data.found.loading = true;
        // What the list let go is joined without a gap.
        let enough = if among.start.0 == i64::MIN { ENOUGH } else { usize::MAX };
        self.asked = Some((among.clone(), ask(backend, data, sieve, among, enough)));
    }

    /// Takes over what came.
    pub(super) fn take(&mut self, backend: &Backend, data: &mut Data) {
        if let Some((among, pending)) = &mut self.asked
            && let Some(answer) = pending.poll()
        {
            let among = among.clone();
            self.asked = None;
            match answer {
                Ok(FoundPackets { rows, from, oldest }) => data.found.take(&among, from, rows, oldest),
                Err(error) => {
                    data.found.loading = false;
                    data.trouble = Some(error.to_string());
                }
            }
        }
        if data.notes.stale {
            data.notes.stale = false;
            self.notes = Some(backend.notes());
        }
        if let Some(answer) = self.notes.as_mut().and_then(Pending::poll) {
            self.notes = None;
            match answer {
                Ok(notes) => data.notes.read(notes),
                Err(error) => data.trouble = Some(error.to_string()),
            }
        }
    }
}

fn ask(backend: &Backend, data: &Data, sieve: Sieve, among: Range<PacketId>, enough: usize) -> Pending<FoundPackets> {
    let known = Known::of(data);
    let (filter, now) = (sieve.filter.clone(), sieve.now);
    let find = Find { filter, now, among, enough };
    backend.find_packets(find, move |row, answered| known.admits(&sieve, row, answered))
}

impl App {
    pub(super) fn take_found(&mut self) {
        if let Some(backend) = &self.backend {
            self.finding.take(backend, &mut self.data);
        }
        self.take_sought();
    }

    /// Opens the editor of what is written about the selected packet.
    pub(super) fn edit_comment(&mut self) {
        if let Some(id) = self.view.selection.packet {
            let comment = self.data.notes.of(id).map(|note| note.comment.clone()).unwrap_or_default();
            self.panels.comment.begin(id, comment);
            self.view.open.sheet = Some(Sheet::Comment);
        }
    }
}

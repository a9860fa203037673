//! Packets on their way out of the window: which of them, how many they are, and how far the writing is.

use std::path::PathBuf;

use super::{
    Data, View,
    filter::{Known, Sieve},
};
use crate::{
    backend::{Backend, ExportError, Judge, PacketsJob, PacketsWritten, Pending, Selection, Stage, Watch, Weight},
    model::{
        DeviceId, PacketId, PacketRow, Timestamp,
        filter::{Filter, Ground, quoted},
    },
};

/// Which packets go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// What the packet list shows, by its filter.
    #[default]
    Listed,
    Marked,
    /// Of the selected device.
    Device,
    /// Of the connection of the selected packet.
    Connection,
    /// The selected packet alone.
    Packet,
}

impl Which {
    /// Every one, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Listed, Self::Marked, Self::Device, Self::Connection, Self::Packet];
}

/// What the packet list shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The filter, as far as it is valid.
    pub filter: String,
    /// Warnings and errors only.
    pub problems: bool,
    pub device: Option<DeviceId>,
    /// The list is held still; nothing after this is shown.
    pub until: Option<PacketId>,
}

/// What a click may ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum OutAction {
    /// Open the sheet, with these chosen.
    Open(Which),
    /// Ask the system for a file; a name to begin with.
    Browse(PathBuf),
    /// Count them, and try a redaction of this seed on the first.
    Weigh(Box<Selection>, u64),
    Write(Box<PacketsJob>),
    /// Break the writing off.
    Cancel,
}

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Out {
    /// How far the counting is, in packets that were looked at.
    pub weighing: Option<Stage>,
    pub weight: Option<Result<Weight, String>>,
    /// How far the writing is, in packets that were looked at.
    pub writing: Option<Stage>,
}

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    weigh: Option<(Pending<Result<Weight, ExportError>>, Watch)>,
    write: Option<(Pending<Result<PacketsWritten, ExportError>>, Watch)>,
}

impl Asking {
    pub(super) fn waiting(&self) -> bool {
        self.weigh.is_some() || self.write.is_some()
    }

    pub(super) fn weigh(&mut self, backend: &Backend, data: &mut Data, selection: Selection, seed: u64) {
        self.weigh.iter().for_each(|(_, watch)| watch.cancel());
        data.out.weight = None;
        self.weigh = Some(backend.weigh_packets(selection, seed));
        data.out.weighing = Some(Stage::Bytes { done: 0, total: 0 });
    }

    pub(super) fn write(&mut self, backend: &Backend, job: PacketsJob) {
        self.write = Some(backend.export_packets(job));
    }

    pub(super) fn cancel(&self) {
        self.write.iter().for_each(|(_, watch)| watch.cancel());
    }

    /// Takes what was answered; gives back how the writing ended, once.
    pub(super) fn take(&mut self, data: &mut Data) -> Option<Result<PacketsWritten, ExportError>> {
        if let Some((pending, _)) = &mut self.weigh
            && let Some(answer) = pending.poll()
        {
            self.weigh = None;
            let weight = answer.unwrap_or_else(|error| Err(error.into()));
            data.out.weight = Some(weight.map_err(|error| error.to_string()));
        }
        data.out.weighing = self.weigh.as_ref().map(|(_, watch)| watch.stage());
        data.out.writing = self.write.as_ref().map(|(_, watch)| watch.stage());
        let answer = self.write.as_mut()?.0.poll()?;
        self.write = None;
        Some(answer.unwrap_or_else(|error| Err(error.into())))
    }
}

/// The selected packet, where it is known.
pub fn selected_packet<'a>(data: &'a Data, view: &View) -> Option<&'a PacketRow> {
    let id = view.selection.packet?;
    let opened = data.opened.as_ref().map(|opened| &opened.row).filter(|row| row.id == id);
    opened.or_else(|| data.packet_row(id))
}

/// The packets that are meant, as the store is asked for them. `None`: there is nothing of the kind.
pub fn selection(which: Which, listed: &Listed, (data, view, now): (&Data, &View, Timestamp)) -> Option<Selection> {
    let ground = Ground { now, zone: view.zone() };
    let by = |text: &str| Selection { filter: Filter::parse(text, &ground).unwrap_or(Filter::ALL), ..Selection::all() };
    match which {
        Which::Listed => Some(as_listed(listed, &ground, (data, view, now))),
        Which::Marked => data.notes.all().any(|(_, note)| note.marked).then(|| by("marked")),
        Which::Device => view.selection.device.map(|id| Selection { devices: vec![id], ..Selection::all() }),
        Which::Connection => selected_packet(data, view).map(|row| {
            let (protocol, connection, peer) = (row.protocol.as_str(), row.connection, quoted(&row.peer));
            by(&format!("proto == {protocol} && conn == {connection} && peer == {peer}"))
        }),
        Which::Packet => view.selection.packet.map(|id| Selection { only: Some(vec![id]), ..Selection::all() }),
    }
}

/// The list judges by what its lines show, so it judges here, too.
fn as_listed(listed: &Listed, ground: &Ground, known: (&Data, &View, Timestamp)) -> Selection {
    let Listed { filter: text, problems, device, until } = listed;
    let filter = Filter::parse(text, ground).unwrap_or(Filter::ALL);
    let sieve = Sieve::new(text, filter, *problems, *device, known);
    let until = *until;
    let filter = sieve.filter.clone();
    let judge = (!sieve.admits_all() || until.is_some()).then(|| {
        let known = Known::of(known.0);
        Judge::new(move |row, answered| {
            until.is_none_or(|until| row.id <= until) && known.admits(&sieve, row, answered)
        })
    });
    Selection { filter, judge, ..Selection::all() }
}

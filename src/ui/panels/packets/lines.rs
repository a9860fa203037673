//! What the rows say: whose packet it is, and its line.

use std::collections::HashMap;

use crate::{
    model::{Look, PacketId, PacketRow, Profile},
    ui::{
        Data,
        summary::{Summary, summarize},
        view::Units,
    },
};

/// Lines that are kept: several screens of them.
const MOST_LINES: usize = 1_024;

/// Whose packet it is: the device as the user calls it, else the far end's address.
pub(super) fn who<'a>(data: &'a Data, row: &'a PacketRow) -> &'a str {
    row.device.and_then(|id| data.devices.get(&id)).map_or(&row.peer, |overview| overview.device.label())
}

/// True where the user gave it a name: names are told apart by their beginning, identities and addresses by their end.
pub(super) fn named(data: &Data, row: &PacketRow) -> bool {
    row.device.and_then(|id| data.devices.get(&id)).is_some_and(|overview| overview.device.name.is_some())
}

/// The lines of the rows that were visible lately.
#[derive(Default)]
pub(super) struct Lines(HashMap<PacketId, (Profile, Units, Summary)>);

impl Lines {
    pub(super) fn line(&mut self, data: &Data, row: &PacketRow, units: Units) -> &Summary {
        let profile = profile(data, row);
        let known = self.0.get(&row.id).is_some_and(|(p, u, _)| p == profile && *u == units);
        if !known {
            if self.0.len() >= MOST_LINES {
                self.0.clear();
            }
            let line = (profile.clone(), units, line(data, row, units));
            self.0.insert(row.id, line);
        }
        &self.0.get(&row.id).expect("it was just put there").2
    }
}

/// The line of a row, made anew.
pub(super) fn line(data: &Data, row: &PacketRow, units: Units) -> Summary {
    let answered = row.answers.and_then(|id| data.packet_row(id));
    summarize(row, profile(data, row), units, answered)
}

pub(super) fn profile<'a>(data: &'a Data, row: &PacketRow) -> &'a Profile {
    static NONE: Profile = Profile {
        model: None,
        clock_offset_s: None,
        alarms: None,
        supply: None,
        dialect: None,
        command_language: false,
        look: Look::PLAIN,
    };
    row.device.and_then(|id| data.devices.get(&id)).map_or(&NONE, |overview| &overview.device.profile)
}

//! How the connections of a device ended, counted: who closes them says more than how often they are made.

use std::{borrow::Cow, fmt::Write};

use crate::model::{CLOSED_BY_SERVER, Ended, Ender, NOT_STORED, REPLACED, SILENT, STOPPING, UNREAD};

/// Ends of connections in a span, as far as they are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    /// The device closed them in order.
    pub by_device: u64,
    /// The device made a newer one while they were still open here.
    pub replaced: u64,
    /// They were silent for longer than we wait.
    pub silent: u64,
    /// The program that received was stopping.
    pub stopped: u64,
    /// The other server behind a tap closed them.
    pub by_server: u64,
    /// We could not store what came.
    pub not_stored: u64,
    /// We closed them for another reason: what came over them, or a setting.
    pub refused: u64,
    /// The reason of the newest of these two.
    pub why: Option<Cow<'static, str>>,
    /// They broke, or nobody says who closed them.
    pub broken: u64,
}

impl Ends {
    /// Counts ends, the newest first.
    pub fn of<'a>(ended: impl IntoIterator<Item = &'a Ended>) -> Self {
        let mut ends = Self::default();
        for Ended { at: _, by, why } in ended {
            let count = match (by, why.as_ref()) {
                (Ender::Peer, _) => &mut ends.by_device,
                (Ender::Nobody, CLOSED_BY_SERVER) => &mut ends.by_server,
                (Ender::Nobody, _) | (Ender::Us, UNREAD) => &mut ends.broken,
                (Ender::Us, REPLACED) => &mut ends.replaced,
                (Ender::Us, SILENT) => &mut ends.silent,
                (Ender::Us, STOPPING) => &mut ends.stopped,
                (Ender::Us, text) => {
                    ends.why.get_or_insert_with(|| why.clone());
                    if text.starts_with(NOT_STORED) { &mut ends.not_stored } else { &mut ends.refused }
                }
            };
            *count += 1;
        }
        ends
    }

    /// How many are recorded.
    pub fn known(&self) -> u64 {
        let Self { by_device, replaced, silent, stopped, by_server, not_stored, refused, why: _, broken } = self;
        by_device + replaced + silent + stopped + by_server + not_stored + refused + broken
    }

    /// True where so many of them are what happens to connections that were made so often: more than half of those whose end is recorded, which
    /// is at least half of them.
    pub(super) fn mostly(&self, n: u64, logins: u64) -> bool {
        const FEW: u64 = 2;
        n >= FEW && 2 * n > self.known() && 2 * self.known() >= logins.saturating_sub(1)
    }

    /// "3 by the device, 1 by a stop of Wayglass"; `None` where none is recorded.
    pub(super) fn line(&self) -> Option<String> {
        let Self { by_device, replaced, silent, stopped, by_server, not_stored, refused, why: _, broken } = self;
        let parts = [
            (by_device, "by the device"),
            (replaced, "replaced by newer ones"),
            (silent, "too silent"),
            (stopped, "by a stop of Wayglass"),
            (by_server, "by the other server"),
            (not_stored, "not stored"),
            (refused, "by us for other reasons"),
            (broken, "broken"),
        ];
        let mut line = String::new();
        for (n, what) in parts.into_iter().filter(|(n, _)| **n > 0) {
            let comma = if line.is_empty() { "" } else { ", " };
            write!(line, "{comma}{n} {what}").expect("writing to a String cannot fail");
        }
        (!line.is_empty()).then_some(line)
    }
}

//! Older and newer packets for the list, and how many there are in all.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use crate::{
    backend::{Backend, Error, PacketQuery, Pending},
    model::{Committed, PacketId, PacketRow},
    ui::{
        Data,
        data::{FIRST_PACKETS, PAGE, Pages},
    },
};

/// Between two counts: each looks at every packet.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// Packets remembered while a page is read that ends with the newest one. More, and the next page brings them.
const MAX_SINCE: usize = 4_096;

/// What is being asked about packets.
#[derive(Default)]
pub(super) struct Paging {
    asked: Option<Asked>,
    counting: Option<Pending<(u64, Option<PacketId>)>>,
    counted_at: Option<Instant>,
    count_stale: bool,
    /// Which of these packets are still there.
    checking: Option<(RangeInclusive<PacketId>, Pending<Vec<PacketId>>)>,
}

struct Asked {
    pages: Pages,
    /// One answer, or what is before and what is after.
    answers: Vec<Pending<Vec<PacketRow>>>,
    got: Vec<Vec<PacketRow>>,
    /// The first and the last packet that were held when it was asked.
    held: (Option<PacketId>, Option<PacketId>),
    /// What was committed meanwhile.
    since: Vec<PacketRow>,
    overflowed: bool,
}

fn held(data: &Data) -> (Option<PacketId>, Option<PacketId>) {
    (data.packets.front().map(|p| p.id), data.packets.back().map(|p| p.id))
}

impl Paging {
    /// Asks for a page, one at a time.
    pub(super) fn ask(&mut self, backend: &Backend, data: &mut Data, pages: Pages) {
        if self.asked.is_some() {
            return;
        }
        let held = held(data);
        let before = |before, limit| backend.packets(PacketQuery { before, limit, ..PacketQuery::default() });
        let after = |id: PacketId| backend.packets_after(id, PAGE);
        let answers = match (pages, held) {
            (Pages::Older, (Some(first), _)) => vec![before(Some(first), PAGE)],
            (Pages::Newer, (_, Some(last))) => vec![after(last)],
            (Pages::Start, _) => vec![after(PacketId(i64::MIN))],
            (Pages::Around(id), _) => vec![before(Some(id), PAGE), after(PacketId(id.0.saturating_sub(1)))],
            (Pages::End | Pages::Older | Pages::Newer, _) => vec![before(None, FIRST_PACKETS)],
        };
        self.asked = Some(Asked { pages, answers, got: Vec::new(), held, since: Vec::new(), overflowed: false });
        data.ends.loading = true;
    }

    /// Keeps what is committed while a page is read, so that nothing falls between the two.
    pub(super) fn remember(&mut self, committed: &Committed) {
        let Some(asked) = &mut self.asked else { return };
        if asked.since.len() + committed.packets.len() > MAX_SINCE {
            asked.overflowed = true;
        } else {
            asked.since.extend_from_slice(&committed.packets);
        }
    }

    /// Everything was read anew: what is counted and held beyond that may be out of date.
    pub(super) fn read_again(&mut self, backend: &Backend, data: &Data) {
        self.count_stale = true;
        if let (Some(first), Some(last)) = held(data) {
            self.checking = Some((first..=last, backend.packet_ids(first, last)));
        }
    }

    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        self.asked.is_some() || self.counting.is_some() || self.checking.is_some()
    }

    /// Takes over what came, and counts where that is due. Gives when to look again at the latest.
    pub(super) fn take(&mut self, backend: &Backend, data: &mut Data) -> Option<Duration> {
        self.take_page(data);
        if let Some((range, pending)) = &mut self.checking
            && let Some(answer) = pending.poll()
        {
            if let Ok(ids) = answer {
                data.keep_packets(&ids.into_iter().collect(), range);
            }
            self.checking = None;
        }
        if let Some(answer) = self.counting.as_mut().and_then(Pending::poll) {
            self.counting = None;
            if let Ok((count, newest)) = answer {
                data.count_packets(count, newest.unwrap_or(PacketId(0)));
            }
        }
        if !self.count_stale || self.counting.is_some() {
            return None;
        }
        let left = self.counted_at.map_or(Duration::ZERO, |at| COUNT_EVERY.saturating_sub(at.elapsed()));
        if left > Duration::ZERO {
            return Some(left);
        }
        self.counting = Some(backend.packet_count());
        self.counted_at = Some(Instant::now());
        self.count_stale = false;
        None
    }

    fn take_page(&mut self, data: &mut Data) {
        let Some(asked) = &mut self.asked else { return };
        while let Some(next) = asked.answers.first_mut() {
            match next.poll() {
                None => return,
                Some(Ok(rows)) => {
                    asked.got.push(rows);
                    drop(asked.answers.remove(0));
                }
                Some(Err(error)) => return self.give_up(data, &error),
            }
        }
        let Some(Asked { pages, got, held: asked_for, since, overflowed, .. }) = self.asked.take() else { return };
        data.ends.loading = false;
        let now = held(data);
        // The list moved meanwhile: it will ask again.
        let fits = match pages {
            Pages::Older => now.0 == asked_for.0,
            Pages::Newer => now.1 == asked_for.1,
            Pages::Start | Pages::End | Pages::Around(_) => true,
        };
        if !fits {
            return;
        }
        let limit = if pages == Pages::End { FIRST_PACKETS } else { PAGE };
        let full = got.first().is_none_or(|rows| rows.len() >= limit);
        let mut rows = got.concat();
        let at_the_end = pages == Pages::End || pages == Pages::Newer && !full;
        if at_the_end {
            let last = rows.last().map(|row| row.id).or(now.1);
            rows.extend(since.into_iter().filter(|row| last.is_none_or(|last| row.id > last)));
        }
        data.take_page(pages, rows, full);
        data.ends.newer |= at_the_end && overflowed;
    }

    fn give_up(&mut self, data: &mut Data, error: &Error) {
        self.asked = None;
        data.ends.loading = false;
        data.trouble = Some(error.to_string());
    }
}

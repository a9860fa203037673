//! Which part of the stored packets is held, and how that part moves.
//!
//! It is one run of packets without a gap. It ends with the newest one while the list is read at its end; whoever reads
//! far above has older pages, and what is too much goes at the other end, to be read again when it is scrolled back to.

use std::{collections::HashSet, ops::RangeInclusive};

use super::{Data, MAX_PACKET_BYTES, MAX_PACKETS};
use crate::model::{PacketId, PacketRow};

/// Newest packets that are read at the start.
pub const FIRST_PACKETS: usize = 5_000;
/// Packets that are read when one of the ends comes near.
pub const PAGE: usize = 2_000;

/// A part of the stored packets that the list wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// More before the first one that is held.
    Older,
    /// More after the last one that is held.
    Newer,
    /// The oldest ones.
    Start,
    /// The newest ones.
    End,
    /// Those around this one.
    Around(PacketId),
}

/// What is beyond both ends of what is held.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, and all combinations occur")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Ends {
    /// The store has older packets.
    pub older: bool,
    /// The store has newer packets: what arrives is counted, not held.
    pub newer: bool,
    /// The greatest id that is known.
    pub newest: Option<PacketId>,
    /// The list stands still above the end of what is held.
    pub reading_above: bool,
    /// A page is on its way.
    pub loading: bool,
    /// Packets in the store when they were counted, and the newest of them.
    counted: Option<(u64, PacketId)>,
}

impl Data {
    /// How many packets the store has; how many are held, before they have been counted.
    pub fn stored_packets(&self) -> u64 {
        let held = self.packets.len() as u64;
        self.ends.counted.map_or(held, |(count, upto)| {
            let since = self.newest_packet().map_or(0, |PacketId(newest)| newest.saturating_sub(upto.0));
            held.max(count.saturating_add(u64::try_from(since).unwrap_or(0)))
        })
    }

    /// Takes over how many packets the store had when `upto` was the newest.
    pub fn count_packets(&mut self, count: u64, upto: PacketId) {
        self.ends.counted = Some((count, upto));
    }

    /// The newest packet that was heard of.
    pub fn newest_packet(&self) -> Option<PacketId> {
        self.ends.newest.max(self.packets.back().map(|p| p.id))
    }

    /// True where this packet may be stored without being held.
    pub fn may_lack(&self, id: PacketId) -> bool {
        let (first, last) = (self.packets.front().map(|p| p.id), self.packets.back().map(|p| p.id));
        self.ends.older && first.is_none_or(|first| id < first) || self.ends.newer && last.is_none_or(|last| id > last)
    }

    /// True where a page more does not push anything out.
    pub fn has_room_for_a_page(&self) -> bool {
        self.packets.len() + PAGE <= MAX_PACKETS && self.packet_bytes < MAX_PACKET_BYTES / 2
    }

    /// Takes over a page. `rows` are in order; `full` where the store may have more in that direction.
    pub fn take_page(&mut self, pages: Pages, rows: Vec<PacketRow>, full: bool) {
        match pages {
            Pages::Older => {
                let first = self.packets.front().map(|p| p.id);
                for row in rows.into_iter().rev().filter(|row| first.is_none_or(|first| row.id < first)) {
                    self.packet_bytes += row.bytes.len();
                    self.packets.push_front(row);
                }
                self.ends.older = full;
                self.trim_newest();
            }
            Pages::Newer => {
                let last = self.packets.back().map(|p| p.id);
                for row in rows.into_iter().filter(|row| last.is_none_or(|last| row.id > last)) {
                    self.packet_bytes += row.bytes.len();
                    self.packets.push_back(row);
                }
                self.ends.newer = full;
                self.trim_oldest();
            }
            Pages::Start | Pages::Around(_) => {
                self.hold(rows);
                self.ends.older = matches!(pages, Pages::Around(_));
                self.ends.newer = true;
            }
            Pages::End => {
                self.hold(rows);
                (self.ends.older, self.ends.newer) = (full, false);
                self.trim_oldest();
            }
        }
    }

    /// Takes over the newest packets, read anew. `whole`: the store has no others.
    pub(super) fn renew(&mut self, newest: Vec<PacketRow>, whole: bool) {
        self.ends.newest = newest.last().map(|p| p.id);
        let first = newest.first().map(|p| p.id);
        let last = self.packets.back().map(|p| p.id);
        let joined = last.zip(first).is_some_and(|(last, first)| first.0 <= last.0 + 1);
        if whole || last.is_none() || !(joined || self.ends.newer || self.ends.reading_above) {
            self.hold(newest);
            (self.ends.older, self.ends.newer) = (!whole, false);
            return;
        }
        let Data { packets, devices, .. } = self;
        packets.retain(|p| p.device.is_none_or(|id| devices.contains_key(&id)));
        if self.ends.newer || !joined {
            // What is read above stays; the end is read when it is gone to.
            self.ends.newer = true;
        } else {
            let older = first.map_or(0, |first| packets.partition_point(|p| p.id < first));
            packets.truncate(older);
            self.ends.older |= older == 0;
            packets.extend(newest);
        }
        self.weigh();
    }

    /// Lets go of packets within `range` that the store does not have any more.
    pub fn keep_packets(&mut self, stored: &HashSet<PacketId>, range: &RangeInclusive<PacketId>) {
        self.packets.retain(|p| !range.contains(&p.id) || stored.contains(&p.id));
        self.weigh();
    }

    /// Lets go of packets that the store has removed, in order.
    pub(super) fn remove_packets(&mut self, removed: &[PacketId]) {
        let Some(newest) = removed.last() else { return };
        if let Some((count, upto)) = &mut self.ends.counted {
            *count = count.saturating_sub(removed.iter().filter(|id| *id <= upto).count() as u64);
        }
        if self.packets.front().is_some_and(|first| first.id <= *newest) {
            self.packets.retain(|p| removed.binary_search(&p.id).is_err());
            self.weigh();
        }
    }

    fn hold(&mut self, rows: Vec<PacketRow>) {
        self.packets = rows.into();
        self.weigh();
    }

    fn weigh(&mut self) {
        self.packet_bytes = self.packets.iter().map(|p| p.bytes.len()).sum();
    }

    fn too_many(&self) -> bool {
        self.packets.len() > MAX_PACKETS || self.packet_bytes > MAX_PACKET_BYTES && self.packets.len() > 1
    }

    /// Lets go of what is too much, far from where the list is read.
    pub(super) fn trim(&mut self) {
        if self.ends.reading_above { self.trim_newest() } else { self.trim_oldest() }
    }

    fn trim_oldest(&mut self) {
        while self.too_many() {
            let Some(oldest) = self.packets.pop_front() else { break };
            self.packet_bytes -= oldest.bytes.len();
            self.ends.older = true;
        }
    }

    fn trim_newest(&mut self) {
        while self.too_many() {
            let Some(newest) = self.packets.pop_back() else { break };
            self.packet_bytes -= newest.bytes.len();
            self.ends.newest = self.ends.newest.max(Some(newest.id));
            self.ends.newer = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{ops::RangeInclusive, sync::Arc};

    use super::*;
    use crate::model::{Committed, Direction, Overviews, Protocol, Verdict};

    fn rows(ids: RangeInclusive<i64>) -> Vec<PacketRow> {
        ids.map(|id| PacketRow {
            id: PacketId(id),
            received: jiff::Timestamp::UNIX_EPOCH,
            protocol: Protocol::Gt06,
            direction: Direction::Out,
            peer: "".into(),
            connection: 1,
            device: None,
            kind: "".into(),
            verdict: Verdict::Ok,
            bytes: Arc::from([]),
            context: None,
            answers: None,
        })
        .collect()
    }

    fn arrive(data: &mut Data, ids: RangeInclusive<i64>) {
        data.apply(&Committed { packets: rows(ids), ..Committed::default() }, None);
    }

    fn check(data: &Data, held: (i64, i64), beyond: (bool, bool)) {
        let ids: Vec<_> = data.packets.iter().map(|p| p.id.0).collect();
        assert!(ids.windows(2).all(|w| w[0] < w[1]), "in order, none twice");
        assert_eq!((ids.first().copied(), ids.last().copied()), (Some(held.0), Some(held.1)));
        assert_eq!((data.ends.older, data.ends.newer), beyond);
    }

    /// The newest of 200,000.
    fn opened() -> Data {
        let mut data = Data::default();
        data.reload(Overviews::default(), rows(195_001..=200_000), &[], None);
        data.count_packets(200_000, PacketId(200_000));
        data
    }

    #[test]
    fn the_count_is_the_stores() {
        let mut data = opened();
        assert_eq!(data.stored_packets(), 200_000);
        arrive(&mut data, 200_001..=200_007);
        assert_eq!(data.stored_packets(), 200_007);
        data.count_packets(150_000, PacketId(200_005));
        assert_eq!(data.stored_packets(), 150_002, "old ones were removed meanwhile");
    }

    #[test]
    fn older_pages_push_out_the_newest_which_come_back() {
        let mut data = opened();
        data.ends.reading_above = true;
        check(&data, (195_001, 200_000), (true, false));
        let mut first = 195_001;
        while first > 140_001 {
            data.take_page(Pages::Older, rows(first - 2_000..=first - 1), true);
            first -= 2_000;
        }
        check(&data, (139_001, 189_000), (true, true));
        arrive(&mut data, 200_001..=200_100);
        check(&data, (139_001, 189_000), (true, true));
        assert_eq!((data.stored_packets(), data.newest_packet()), (200_100, Some(PacketId(200_100))));
        data.take_page(Pages::Newer, rows(189_001..=191_000), true);
        check(&data, (141_001, 191_000), (true, true));
        data.take_page(Pages::End, rows(195_101..=200_100), true);
        check(&data, (195_101, 200_100), (true, false));
        arrive(&mut data, 200_101..=200_102);
        check(&data, (195_101, 200_102), (true, false));
    }

    #[test]
    fn what_arrives_pushes_out_what_nobody_reads() {
        let mut data = opened();
        arrive(&mut data, 200_001..=250_000);
        check(&data, (200_001, 250_000), (true, false));
        data.ends.reading_above = true;
        arrive(&mut data, 250_001..=250_002);
        check(&data, (200_001, 250_000), (true, true));
    }

    #[test]
    fn what_the_store_removed_is_let_go() {
        let mut data = opened();
        let removed = (1..=195_010).filter(|id| id % 2 == 0).map(PacketId).collect();
        data.apply(&Committed { removed, ..Committed::default() }, None);
        assert_eq!((data.packets.len(), data.stored_packets()), (4_995, 200_000 - 97_505));
        assert_eq!(data.packets.front().map(|p| p.id.0), Some(195_001));
    }

    #[test]
    fn a_second_reading_keeps_the_older_pages() {
        let mut data = opened();
        data.take_page(Pages::Older, rows(193_001..=195_000), true);
        data.reload(Overviews::default(), rows(195_500..=200_499), &[], None);
        check(&data, (193_001, 200_499), (true, false));
        data.keep_packets(&[PacketId(194_000), PacketId(200_400)].into(), &(PacketId(193_003)..=PacketId(200_450)));
        check(&data, (193_001, 200_499), (true, false));
        assert_eq!(data.packets.len(), 2 + 2 + 49);
        // Far more came than was read: whoever is at the end stays there, whoever reads above stays above.
        data.reload(Overviews::default(), rows(300_001..=305_000), &[], None);
        check(&data, (300_001, 305_000), (true, false));
        data.ends.reading_above = true;
        data.reload(Overviews::default(), rows(400_001..=405_000), &[], None);
        check(&data, (300_001, 305_000), (true, true));
        data.reload(Overviews::default(), rows(1..=9), &[], None);
        check(&data, (1, 9), (false, false));
    }
}

//! One direction of a TCP connection: segments in, bytes in their order out. What came twice is told once; what never came is said.

use std::collections::BTreeMap;

use crate::{capture::Place, model::Timestamp};

/// Segments, and bytes of them, that wait for one before them. Over that, it is taken for lost.
const MOST_WAITING: usize = 256;
const MOST_WAITING_BYTES: usize = 1 << 20;
/// A segment further ahead than the largest window belongs to something else.
const MOST_AHEAD: u32 = 1 << 30;

/// Bytes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) at: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) bytes: Vec<u8>,
    /// So many bytes before these were never captured.
    pub(super) lost: u32,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Sequence number of the next byte; `None` before the first segment.
    next: Option<u32>,
    /// What came early, by how far it is ahead of `base`.
    early: BTreeMap<u64, Early>,
    /// Bytes delivered so far: the counterpart of `next` that does not wrap.
    delivered: u64,
    waiting_bytes: usize,
    /// The number behind the last byte, once its end was seen.
    end: Option<u64>,
    ready: Vec<Run>,
}

#[derive(Debug)]
struct Early {
    at: Option<Timestamp>,
    place: Place,
    bytes: Vec<u8>,
}

impl Stream {
    /// The stream begins behind this number.
    pub(super) fn opened(&mut self, sequence: u32) {
        self.next = Some(sequence.wrapping_add(1));
    }

    pub(super) fn begun(&self) -> bool {
        self.next.is_some()
    }

    /// True where it has told something.
    pub(super) fn told(&self) -> bool {
        self.delivered > 0
    }

    /// True where everything up to the end was told.
    pub(super) fn over(&self) -> bool {
        self.end.is_some_and(|end| end <= self.delivered)
    }

    /// The end stands behind the bytes of this segment.
    pub(super) fn ends(&mut self, sequence: u32, len: usize) {
        if let Some(next) = self.next {
            let ahead = sequence.wrapping_sub(next);
            let ahead = if ahead < MOST_AHEAD { u64::from(ahead) } else { 0 };
            self.end = Some(self.delivered + ahead + if ahead == 0 && sequence != next { 0 } else { len as u64 });
        }
    }

    /// Takes a segment in.
    pub(super) fn take(&mut self, at: Option<Timestamp>, place: Place, sequence: u32, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next);
        if ahead == 0 {
            self.deliver(at, place, bytes.to_vec(), 0);
        } else if ahead < MOST_AHEAD {
            self.keep(Early { at, place, bytes: bytes.to_vec() }, self.delivered + u64::from(ahead));
        } else {
            // Sent again; what is new of it is at its end.
            let old = usize::try_from(next.wrapping_sub(sequence)).unwrap_or(usize::MAX);
            if let Some(rest) = bytes.get(old..).filter(|rest| !rest.is_empty()) {
                self.deliver(at, place, rest.to_vec(), 0);
            }
        }
        self.release();
        while self.early.len() > MOST_WAITING || self.waiting_bytes > MOST_WAITING_BYTES {
            self.give_up();
        }
    }

    /// The other side says that it has everything before this number: what we lack of that will not come.
    pub(super) fn acknowledged(&mut self, number: u32) {
        let Some(next) = self.next else { return };
        let ahead = number.wrapping_sub(next);
        if ahead >= MOST_AHEAD {
            return;
        }
        let upto = self.delivered + u64::from(ahead);
        while let Some((start, early)) = self.early.first_key_value()
            && start + early.bytes.len() as u64 <= upto
        {
            self.give_up();
        }
    }

    /// Nothing more comes: what waits is told.
    pub(super) fn finish(&mut self) {
        while !self.early.is_empty() {
            self.give_up();
        }
    }

    /// What is in order by now.
    pub(super) fn ready(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.ready)
    }

    fn keep(&mut self, early: Early, start: u64) {
        let len = early.bytes.len();
        // Of two at one place the longer one tells more.
        if self.early.get(&start).is_some_and(|known| known.bytes.len() >= len) {
            return;
        }
        self.waiting_bytes += len;
        if let Some(known) = self.early.insert(start, early) {
            self.waiting_bytes -= known.bytes.len();
        }
    }

    fn deliver(&mut self, at: Option<Timestamp>, place: Place, bytes: Vec<u8>, lost: u32) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.next = self.next.map(|next| next.wrapping_add(len));
        self.delivered += u64::from(len);
        self.ready.push(Run { at, place, bytes, lost });
    }

    /// Tells what waited for what is there now.
    fn release(&mut self) {
        while let Some(first) = self.early.first_entry()
            && *first.key() <= self.delivered
        {
            let (start, Early { at, place, bytes }) = first.remove_entry();
            self.waiting_bytes -= bytes.len();
            let old = usize::try_from(self.delivered - start).unwrap_or(usize::MAX);
            if let Some(rest) = bytes.get(old..).filter(|rest| !rest.is_empty()) {
                self.deliver(at, place, rest.to_vec(), 0);
            }
        }
    }

    /// What is missing is lost: goes on with the first that waits.
    fn give_up(&mut self) {
        let Some((start, Early { at, place, bytes })) = self.early.pop_first() else { return };
        self.waiting_bytes -= bytes.len();
        let lost = u32::try_from(start.saturating_sub(self.delivered)).unwrap_or(u32::MAX);
        self.delivered += u64::from(lost);
        self.next = self.next.map(|next| next.wrapping_add(lost));
        self.deliver(at, place, bytes, lost);
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sequence bytes` a line; what comes out: `lost:bytes`.
    fn told(segments: &[(u32, &str)], acknowledged: Option<u32>) -> Vec<String> {
        let mut stream = Stream::default();
        stream.opened(u32::MAX - 2);
        for (sequence, bytes) in segments {
            stream.take(None, Place::Frame(1), *sequence, bytes.as_bytes());
        }
        if let Some(number) = acknowledged {
            stream.acknowledged(number);
        }
        let tell = |run: Run| format!("{}:{}", run.lost, String::from_utf8(run.bytes).unwrap());
        stream.ready().into_iter().map(tell).collect()
    }

    const FIRST: u32 = u32::MAX - 1;

    #[test]
    fn segments_come_out_in_order_once() {
        assert_eq!(told(&[(FIRST, "abc"), (FIRST, "abc"), (FIRST, "abcde")], None), ["0:abc", "0:de"]);
        assert_eq!(told(&[(FIRST, "abc"), (3, "fgh"), (1, "de"), (1, "def")], None), ["0:abc", "0:de", "0:fgh"]);
    }

    #[test]
    fn what_never_came_is_said() {
        assert_eq!(told(&[(FIRST, "abc"), (4, "fgh")], None), ["0:abc"]);
        assert_eq!(told(&[(FIRST, "abc"), (4, "fgh")], Some(7)), ["0:abc", "3:fgh"]);
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let mut stream = Stream::default();
        stream.opened(0);
        for n in 0..2000_u32 {
            stream.take(None, Place::Frame(1), 10 + n * 2, b"x");
        }
        assert!(stream.early.len() <= MOST_WAITING);
        assert_eq!(stream.ready().len() + stream.early.len(), 2000);
    }
}

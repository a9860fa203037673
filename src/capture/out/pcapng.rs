//! pcapng: a section, one Ethernet interface, and a block a segment. Every connection that our packets name gets a TCP connection.

use std::{
    collections::HashMap,
    io::{self, Write},
    sync::Arc,
};

use super::{
    Entry, http,
    tcp::{Segment, Tcp},
};
use crate::model::{Direction, Protocol, Timestamp};

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const LINK_ETHERNET: u16 = 1;

const OPT_COMMENT: u16 = 1;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const EPB_FLAGS: u16 = 2;

/// Connections that are kept in mind at once. Beyond it, those that were silent longest are closed in the capture.
const MOST_OPEN: usize = 4_096;

/// Section header and interface. `version`: of this program.
pub(super) fn head(out: &mut dyn Write, version: &str) -> io::Result<()> {
    let mut section = Vec::new();
    section.extend(0x1A2B_3C4D_u32.to_le_bytes());
    section.extend(1_u16.to_le_bytes());
    section.extend(0_u16.to_le_bytes());
    // The length of the section: not said.
    section.extend(u64::MAX.to_le_bytes());
    options(&mut section, &[(SHB_USERAPPL, format!("Wayglass {version}").as_bytes())]);
    block(out, SECTION_HEADER, &section)?;
    let mut interface = Vec::new();
    interface.extend(LINK_ETHERNET.to_le_bytes());
    interface.extend(0_u16.to_le_bytes());
    // No bound on the length of a packet. Times are microseconds, as without a word about it.
    interface.extend(0_u32.to_le_bytes());
    let about = b"Headers are made up around what Wayglass has kept";
    options(&mut interface, &[(OPT_COMMENT, about), (IF_NAME, b"wayglass")]);
    block(out, INTERFACE_DESCRIPTION, &interface)
}

/// One packet of the capture. `comment`: what Wireshark shows as its comment, empty for none.
fn enhanced(out: &mut dyn Write, at: Timestamp, frame: &[u8], inbound: bool, comment: &str) -> io::Result<()> {
    let micros = u64::try_from(at.as_microsecond()).unwrap_or_default();
    let low_half = |n: u64| u32::try_from(n & 0xFFFF_FFFF).unwrap_or_default();
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
    let mut body = Vec::with_capacity(frame.len() + 64);
    body.extend(0_u32.to_le_bytes());
    body.extend(low_half(micros >> 32).to_le_bytes());
    body.extend(low_half(micros).to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(frame);
    pad(&mut body);
    let direction = (if inbound { 1_u32 } else { 2 }).to_le_bytes();
    let comment = comment.as_bytes();
    let all = [(OPT_COMMENT, comment), (EPB_FLAGS, direction.as_slice())];
    options(&mut body, all.get(usize::from(comment.is_empty())..).unwrap_or_default());
    block(out, ENHANCED_PACKET, &body)
}

/// Options, each filled up to four bytes, and their end. A text that is too long is cut.
fn options(body: &mut Vec<u8>, options: &[(u16, &[u8])]) {
    for (code, value) in options {
        let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
        body.extend(code.to_le_bytes());
        body.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        body.extend_from_slice(value);
        pad(body);
    }
    body.extend([0; 4]);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

/// Type, length, body, length again.
fn block(out: &mut dyn Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len() + 12).map_err(io::Error::other)?.to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    out.write_all(body)?;
    out.write_all(&length)
}

/// A connection as our packets name it: its number is unique within one run of the program only.
type Key = (Protocol, u64, Arc<str>);

/// The connections that are open in the capture.
#[derive(Default)]
pub(super) struct Flows {
    open: HashMap<Key, Flow>,
    last: Option<Timestamp>,
}

struct Flow {
    tcp: Tcp,
    used: Timestamp,
}

impl Flows {
    pub(super) fn packet(&mut self, out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
        let row = entry.row;
        self.last = Some(row.received);
        if self.open.len() >= MOST_OPEN {
            self.close_silent(out)?;
        }
        let key = (row.protocol, row.connection, Arc::clone(&row.peer));
        if !self.open.contains_key(&key) {
            let tcp = Tcp::new(&row.peer, row.connection, row.protocol.default_port());
            for segment in tcp.handshake() {
                write(out, row.received, &segment, "")?;
            }
            self.open.insert(key.clone(), Flow { tcp, used: row.received });
        }
        let Some(flow) = self.open.get_mut(&key) else { return Ok(()) };
        flow.used = row.received;
        let mut comment = entry.about();
        for segment in flow.tcp.say(row.direction, &http::on_the_wire(row)) {
            write(out, row.received, &segment, &comment)?;
            comment.clear();
        }
        Ok(())
    }

    /// Closes the half that was silent longest.
    fn close_silent(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut used: Vec<_> = self.open.values().map(|flow| flow.used).collect();
        used.sort_unstable();
        let Some(middle) = used.get(used.len() / 2).copied() else { return Ok(()) };
        self.close(out, |flow| flow.used <= middle)
    }

    pub(super) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.close(out, |_| true)
    }

    fn close(&mut self, out: &mut dyn Write, which: impl Fn(&Flow) -> bool) -> io::Result<()> {
        let at = self.last.unwrap_or_default();
        let mut over: Vec<_> = self.open.extract_if(|_, flow| which(flow)).collect();
        // The same file each time.
        over.sort_unstable_by(|(a, _), (b, _)| (a.1, &a.2).cmp(&(b.1, &b.2)));
        for (_, mut flow) in over {
            for segment in flow.tcp.close() {
                write(out, at, &segment, "")?;
            }
        }
        Ok(())
    }
}

fn write(out: &mut dyn Write, at: Timestamp, segment: &Segment, comment: &str) -> io::Result<()> {
    enhanced(out, at, &segment.frame, segment.direction == Direction::In, comment)
}

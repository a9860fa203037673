//! An evidence report: Markdown that shows somebody else what was said, byte by byte, and what is wrong with it.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::out::Entry;
use crate::{
    model::{Device, Direction, PacketRow, Profile, Protocol, Timestamp},
    wire::{Dissection, dissect_kept, hex},
};

/// Bytes of one packet that are dumped; of a longer one it is said how many are not.
const MOST_DUMPED: usize = 4_096;
/// Bytes of one field that are shown beside it.
const MOST_SHOWN: usize = 24;

/// Writes a report, packet by packet.
pub(super) struct Report<W> {
    out: W,
    redacted: bool,
    count: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn begin(mut out: W, version: &str, now: Timestamp, redacted: bool) -> io::Result<Self> {
        writeln!(out, "# Evidence report\n")?;
        writeln!(out, "Written by Wayglass {version} ({}) at {now}. All times are UTC.\n", std::env::consts::OS)?;
        if redacted {
            writeln!(
                out,
                "Redacted: identities, names, texts, addresses, and the numbers of cells, access points and cards are replaced, \
                 unknown bytes are zeros, coordinates are moved by a constant; checksums are computed again. Country and network \
                 codes, times and serials are as they were.\n"
            )?;
        }
        Ok(Self { out, redacted, count: 0 })
    }

    pub(super) fn packet(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.count += 1;
        let row = entry.row;
        let plain = Profile::default();
        let profile = entry.device.map_or(&plain, |device| &device.profile);
        let dissection = dissect_kept(row, profile);
        let way = if row.direction == Direction::In { "received" } else { "sent" };
        writeln!(self.out, "## {}. {}, {way} {}\n", self.count, plain_text(&dissection.title), row.received)?;
        self.facts(entry, profile, &dissection)?;
        if dissection.kind == "encrypted" {
            let said = if self.redacted { ", its content left out" } else { "" };
            writeln!(self.out, "The body is encrypted{said}.\n")?;
        }
        if !(self.redacted && dissection.kind == "encrypted") {
            writeln!(self.out, "```text\n{}```\n", dump(&row.bytes))?;
            self.tree(row, &dissection)?;
        }
        for problem in &dissection.problems {
            let (severity, group, span) = (problem.severity.as_str(), problem.group.as_str(), &problem.span);
            // What a problem says may quote what was found.
            writeln!(
                self.out,
                "- **{severity}**, {group}, bytes {}..{}: {}",
                span.start,
                span.end,
                plain_text(&problem.text)
            )?;
        }
        if !dissection.problems.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn facts(&mut self, entry: &Entry<'_>, profile: &Profile, dissection: &Dissection) -> io::Result<()> {
        let row = entry.row;
        let out = &mut self.out;
        writeln!(out, "| | |\n|---|---|")?;
        writeln!(
            out,
            "| Packet | {}{} |",
            row.id.0,
            row.answers.map(|id| format!(", answers {}", id.0)).unwrap_or_default()
        )?;
        writeln!(out, "| Protocol | {} |", row.protocol.title())?;
        if let Some(device) = entry.device {
            writeln!(out, "| Device | {} |", cell(Device::label(device)))?;
        }
        if let Some(model) = &profile.model {
            writeln!(out, "| Read as model | {} |", cell(model))?;
        }
        if let Some(seconds) = profile.clock_offset_s {
            writeln!(out, "| Clock taken as | {seconds} s ahead of UTC |")?;
        }
        writeln!(out, "| Far end | {}, connection {} |", cell(&row.peer), row.connection)?;
        writeln!(out, "| Kind | {} |", cell(&row.kind))?;
        writeln!(out, "| Verdict | {} |", row.verdict.as_str())?;
        if let Some(crc) = dissection.crc {
            let fits = if crc.ok() { "fits" } else { "does not fit" };
            writeln!(out, "| Checksum | {:04x}, computed {:04x}: {fits} |", crc.received, crc.computed)?;
        }
        if let Some(context) = row.context.as_deref() {
            writeln!(out, "| Beside it | `{}` |", cell(context).replace('`', "'"))?;
        }
        if let Some(reply) = dissection.reply.as_ref().filter(|_| row.direction == Direction::In) {
            let shown = match row.protocol {
                Protocol::Gt06 => hex(reply),
                Protocol::OwnTracks => String::from_utf8_lossy(reply).into_owned(),
            };
            writeln!(out, "| Answer | `{}` |", cell(&shown))?;
        }
        if let Some(comment) = entry.comment {
            writeln!(out, "| Comment | {} |", cell(comment))?;
        }
        writeln!(out)
    }

    fn tree(&mut self, row: &PacketRow, dissection: &Dissection) -> io::Result<()> {
        let out = &mut self.out;
        writeln!(out, "| Bytes | Field | Hex | Value |\n|---|---|---|---|")?;
        for field in &dissection.fields {
            let bytes = row.bytes.get(field.span.clone()).unwrap_or_default();
            let bits = field.bits.map(|(low, high)| format!(" bits {high}..{low}")).unwrap_or_default();
            let indent = "· ".repeat(usize::from(field.depth));
            let (start, end) = (field.span.start, field.span.end);
            let text: String = field.text().chars().take(200).collect();
            writeln!(
                out,
                "| {start}..{end}{bits} | {indent}{} | `{}` | {} |",
                cell(&field.name),
                short(bytes),
                cell(&text)
            )?;
        }
        writeln!(out)
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        writeln!(
            self.out,
            "{} in all.",
            if self.count == 1 { "1 packet".to_owned() } else { format!("{} packets", self.count) }
        )?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn short(bytes: &[u8]) -> String {
    let more = if bytes.len() > MOST_SHOWN { "…" } else { "" };
    format!("{}{more}", hex(bytes.get(..MOST_SHOWN).unwrap_or(bytes)))
}

/// Offset, sixteen bytes, and what of them is text.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, part) in bytes.chunks(16).take(MOST_DUMPED / 16).enumerate() {
        let digits: Vec<_> = part.iter().map(|b| format!("{b:02x}")).collect();
        let ascii: String =
            part.iter().map(|b| if matches!(b, b' '..=b'~') && *b != b'`' { char::from(*b) } else { '.' }).collect();
        writeln!(text, "{:08x}  {:<47}  |{ascii}|", line * 16, digits.join(" "))
            .expect("writing to a String cannot fail");
    }
    if let Some(more @ 1..) = bytes.len().checked_sub(MOST_DUMPED) {
        writeln!(text, "… {more} more bytes").expect("writing to a String cannot fail");
    }
    text
}

/// Text that means nothing to Markdown, in one line.
fn plain_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '`' | '&' => {
                plain.push('\\');
                plain.push(c);
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    plain_text(text)
}

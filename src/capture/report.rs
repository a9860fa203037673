//! An evidence report: Markdown that shows somebody else what was said, byte by byte, and what is wrong with it.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::out::Entry;
use crate::{
    model::{Device, Direction, PacketId, PacketRow, Profile, Protocol, Timestamp},
    wire::{Dissection, dissect_kept, hex},
};

/// Bytes of one packet that are dumped; of a longer one it is said how many are not.
const MOST_DUMPED: usize = 4_096;
/// Bytes of one field that are shown beside it.
const MOST_SHOWN: usize = 24;

/// Something that happened to a device, beside what it sent.
#[derive(Debug, Clone)]
pub struct Happened<'a> {
    pub at: Timestamp,
    pub device: &'a Device,
    /// `Alarm`, `Entered`, `Gone quiet` …
    pub what: &'a str,
    /// Which alarm, which place, how fast; empty where there is nothing more to say.
    pub details: String,
    /// The packet that tells of it, or shows it.
    pub packet: PacketId,
}

/// A rule that made, or could have made, something an event.
#[derive(Debug, Clone)]
pub struct RuleSaid<'a> {
    /// `None`: for all that have none of their own.
    pub device: Option<&'a Device>,
    pub text: String,
}

/// Writes a report, packet by packet.
pub(super) struct Report<W> {
    out: W,
    redacted: bool,
    count: u64,
    /// Lines of the overview.
    glanced: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn begin(mut out: W, version: &str, now: Timestamp, redacted: bool) -> io::Result<Self> {
        writeln!(out, "# Evidence report\n")?;
        writeln!(out, "Written by Wayglass {version} ({}) at {now:.3}. All times are UTC.\n", std::env::consts::OS)?;
        if redacted {
            writeln!(
                out,
                "Redacted: identities, names, texts, addresses, and the numbers of cells, access points and cards are replaced, \
                 unknown bytes are zeros, coordinates are moved by a constant; checksums are computed again. Country and network \
                 codes, times and serials are as they were.\n"
            )?;
        }
        Ok(Self { out, redacted, count: 0, glanced: 0 })
    }

    /// A line of the overview.
    pub(super) fn glance(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        if self.glanced == 0 {
            writeln!(
                self.out,
                "## Overview\n\n| # | Time | Device | Kind | Verdict | Reason |\n|---|---|---|---|---|---|"
            )?;
        }
        self.glanced += 1;
        let (row, n) = (entry.row, self.glanced);
        let plain = Profile::default();
        let dissection = dissect_kept(row, entry.device.map_or(&plain, |device| &device.profile));
        let worst = dissection.problems.iter().rev().max_by_key(|problem| problem.severity);
        let reason = worst.map(|problem| cell(&problem.text)).unwrap_or_default();
        let who = entry.device.map_or(&*row.peer, Device::label);
        writeln!(
            self.out,
            "| [{n}](#{}) | {:.3} | {} | {}, {} | {} | {reason} |",
            anchor(row.id),
            row.received,
            cell(who),
            cell(&row.kind),
            way(row),
            row.verdict.as_str(),
        )
    }

    /// What happened beside the packets, and which rules there are.
    pub(super) fn happened(&mut self, events: &[Happened<'_>], rules: &[RuleSaid<'_>]) -> io::Result<()> {
        let out = &mut self.out;
        if self.glanced > 0 {
            writeln!(out)?;
        }
        if !events.is_empty() {
            writeln!(out, "## Events\n\n| Time | Device | What | Details | Packet |\n|---|---|---|---|---|")?;
            for Happened { at, device, what, details, packet } in events {
                let (who, what, details) = (cell(device.label()), cell(what), cell(details));
                writeln!(out, "| {at:.3} | {who} | {what} | {details} | {} |", packet.0)?;
            }
            writeln!(out)?;
        }
        if !rules.is_empty() {
            writeln!(out, "## Rules\n\nWhat counts as an event now.\n")?;
            for RuleSaid { device, text } in rules {
                writeln!(out, "- {}: {}", device.map_or("All devices".to_owned(), |d| cell(d.label())), cell(text))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    pub(super) fn packet(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.count += 1;
        let row = entry.row;
        let plain = Profile::default();
        let profile = entry.device.map_or(&plain, |device| &device.profile);
        let dissection = dissect_kept(row, profile);
        let (title, at) = (plain_text(&dissection.title), row.received);
        writeln!(self.out, "<a id=\"{}\"></a>\n\n## {}. {title}, {} {at:.3}\n", anchor(row.id), self.count, way(row))?;
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
        if entry.marked() {
            writeln!(out, "| Marked | yes |")?;
        }
        if let Some(comment) = entry.comment() {
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

/// Where the overview leads to.
fn anchor(id: PacketId) -> String {
    format!("packet-{}", id.0)
}

fn way(row: &PacketRow) -> &'static str {
    if row.direction == Direction::In { "received" } else { "sent" }
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

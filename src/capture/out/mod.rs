//! Packets on their way out, in the formats of other programs. Written one by one, in constant memory.
//!
//! | module | writes |
//! |---|---|
//! | `pcapng` | what Wireshark opens: packets in TCP in IP in Ethernet, all three made up around our bytes |
//! | `tcp` | one connection of these: handshake, sequence numbers, lengths, checksums |
//! | `http` | the request around the body of a phone, and the response around our answer |
//! | `lines` | JSON lines, hex log, the log of Traccar |

mod http;
mod lines;
mod pcapng;
mod tcp;

use std::io::{self, Write};

pub use http::Head as RequestHead;
pub use lines::traccar_line;

pub use super::report::{Happened, RuleSaid};
use super::{redact::Redactor, report::Report};
use crate::model::{Device, PacketNote, PacketRow, Timestamp};

/// How packets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// For Wireshark and its tools.
    Pcapng,
    /// One JSON object a line.
    JsonLines,
    /// Time, peer, connection, direction and hex digits, one packet a line.
    Hex,
    /// As the log of Traccar has them: `2026-11-21 14:02:31  INFO: [Te3c4e6ff: gt06 < 10.0.0.9] 7878…`.
    Traccar,
}

impl Form {
    /// Every form, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Pcapng, Self::JsonLines, Self::Hex, Self::Traccar];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pcapng => "pcapng",
            Self::JsonLines => "jsonl",
            Self::Hex => "hex",
            Self::Traccar => "traccar",
        }
    }

    /// What a person may call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pcapng => "pcapng (Wireshark)",
            Self::JsonLines => "JSON lines",
            Self::Hex => "Hex log",
            Self::Traccar => "Log of Traccar",
        }
    }

    /// The end of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pcapng => "pcapng",
            Self::JsonLines => "jsonl",
            Self::Hex | Self::Traccar => "log",
        }
    }

    /// The form of a word that [`Form::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }
}

/// A packet and what stands beside it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub row: &'a PacketRow,
    pub device: Option<&'a Device>,
    /// What the user wrote about it.
    pub note: Option<&'a PacketNote>,
}

impl Entry<'_> {
    /// What the user wrote, where that is more than a mark.
    pub(super) fn comment(&self) -> Option<&str> {
        self.note.map(|note| note.comment.as_str()).filter(|comment| !comment.is_empty())
    }

    pub(super) fn marked(&self) -> bool {
        self.note.is_some_and(|note| note.marked)
    }

    /// Device, kind and verdict, and before them what the user wrote.
    fn about(&self) -> String {
        let (row, who) = (self.row, self.device.map(Device::label).unwrap_or_default());
        let gap = if who.is_empty() { "" } else { ": " };
        let mark = if self.marked() { ", marked" } else { "" };
        let about = format!("{who}{gap}{}, {}{mark}", row.kind, row.verdict.as_str());
        self.comment().map_or(about.clone(), |comment| format!("{comment} ({about})"))
    }
}

/// Writes packets, oldest first.
pub struct Emitter<W> {
    out: W,
    form: Form,
    pcapng: pcapng::Flows,
}

impl<W: Write> Emitter<W> {
    /// Writes what comes before the first packet. `version`: of this program, for those formats that name their author.
    pub fn begin(form: Form, mut out: W, version: &str) -> io::Result<Self> {
        if form == Form::Pcapng {
            pcapng::head(&mut out, version)?;
        }
        Ok(Self { out, form, pcapng: pcapng::Flows::default() })
    }

    /// Writes one packet.
    pub fn packet(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match self.form {
            Form::Pcapng => self.pcapng.packet(&mut self.out, entry),
            Form::JsonLines => lines::json(&mut self.out, entry),
            Form::Hex => lines::hex_log(&mut self.out, entry),
            Form::Traccar => lines::traccar(&mut self.out, entry),
        }
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<W> {
        self.pcapng.finish(&mut self.out)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// What packets are put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    pub sheet: Sheet,
    /// Whose they are and where they were is replaced before they are written. The number decides by what; the same one gives the same.
    pub redact: Option<u64>,
}

/// A capture, or a report about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    Form(Form),
    /// Markdown with frames and their trees.
    Report,
}

impl Sheet {
    /// Every one, in the order they are shown.
    pub const ALL: [Self; 5] = [
        Self::Form(Form::Pcapng),
        Self::Form(Form::JsonLines),
        Self::Form(Form::Hex),
        Self::Form(Form::Traccar),
        Self::Report,
    ];

    /// What a person may call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Form(form) => form.title(),
            Self::Report => "Evidence report",
        }
    }

    /// The end of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Form(form) => form.extension(),
            Self::Report => "md",
        }
    }
}

/// Writes packets onto paper, oldest first.
pub struct Writer<W> {
    to: To<W>,
    redactor: Option<Redactor>,
    written: u64,
}

enum To<W> {
    Capture(Emitter<W>),
    Report(Report<W>),
}

impl<W: Write> Writer<W> {
    /// Writes what comes before the first packet. `version`: of this program; `now`: when this is written.
    pub fn begin(paper: &Paper, out: W, version: &str, now: Timestamp) -> io::Result<Self> {
        let to = match paper.sheet {
            Sheet::Form(form) => To::Capture(Emitter::begin(form, out, version)?),
            Sheet::Report => To::Report(Report::begin(out, version, now, paper.redact.is_some())?),
        };
        Ok(Self { to, redactor: paper.redact.map(Redactor::new), written: 0 })
    }

    /// A line of the overview, which stands before all packets. Only of a report, see [`Writer::wants_overview`].
    pub fn glance(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.put(entry, To::glance)
    }

    /// True where every packet is to be given to [`Writer::glance`] before the first is written.
    pub fn wants_overview(&self) -> bool {
        matches!(self.to, To::Report(_))
    }

    /// What happened beside the packets, after their overview and before the first of them.
    pub fn happened(&mut self, events: &[Happened<'_>], rules: &[RuleSaid<'_>]) -> io::Result<()> {
        let To::Report(report) = &mut self.to else { return Ok(()) };
        let Some(redactor) = &mut self.redactor else { return report.happened(events, rules) };
        // Details name places and persons.
        let others: Vec<_> = events.iter().map(|event| redactor.device(event.device)).collect();
        let events: Vec<_> = events
            .iter()
            .zip(&others)
            .map(|(event, device)| Happened { device, details: String::new(), ..event.clone() })
            .collect();
        let others: Vec<_> = rules.iter().map(|rule| rule.device.map(|device| redactor.device(device))).collect();
        let rules: Vec<_> = rules
            .iter()
            .zip(&others)
            .map(|(rule, device)| RuleSaid { device: device.as_ref(), ..rule.clone() })
            .collect();
        report.happened(&events, &rules)
    }

    /// Writes one packet.
    pub fn packet(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.written += 1;
        self.put(entry, To::packet)
    }

    fn put(&mut self, entry: &Entry<'_>, how: impl FnOnce(&mut To<W>, &Entry<'_>) -> io::Result<()>) -> io::Result<()> {
        match &mut self.redactor {
            None => how(&mut self.to, entry),
            Some(redactor) => {
                let device = entry.device.map(|device| redactor.device(device));
                let row = redactor.row(entry.row, entry.device.map(|device| &device.profile));
                // What the user wrote may name somebody.
                let note = PacketNote { marked: entry.marked(), comment: String::new() };
                how(&mut self.to, &Entry { row: &row, device: device.as_ref(), note: Some(&note) })
            }
        }
    }

    /// Ends it, and gives back how many packets were written, and where to.
    pub fn finish(self) -> io::Result<(u64, W)> {
        let out = match self.to {
            To::Capture(emitter) => emitter.finish()?,
            To::Report(report) => report.finish()?,
        };
        Ok((self.written, out))
    }
}

impl<W: Write> To<W> {
    fn glance(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match self {
            Self::Capture(_) => Ok(()),
            Self::Report(report) => report.glance(entry),
        }
    }

    fn packet(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match self {
            Self::Capture(emitter) => emitter.packet(entry),
            Self::Report(report) => report.packet(entry),
        }
    }
}

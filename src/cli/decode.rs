//! `wayglass decode`: explains bytes. Needs no store, no socket, no window.

mod capture;
mod explain;
mod listing;
mod otherwise;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use clap::{Args, ValueEnum};

use self::otherwise::Otherwise;
use super::words;
use crate::{
    capture::read::{Kind, own_line, sniff},
    model::{Clock, Direction, Problem, Profile, Protocol, Severity, Timestamp},
    wire::{
        Dissection, Field, Value,
        dress::{self, Buffer, Complaint, Line},
        gt06, json, owntracks,
        read_as::ReadAs,
    },
};

/// A longer line is no frame and no body.
const MOST_LINE_BYTES: u64 = 16 * 1024 * 1024;
/// A JSON document over several lines is looked for within this.
const MOST_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Explain bytes: hex in any dress, log lines, JSON bodies, pcap and pcapng.
#[derive(Debug, Clone, Args)]
pub struct DecodeArgs {
    /// What the bytes are; auto finds out for each line.
    #[arg(long, value_enum, default_value_t = Language::Auto)]
    pub protocol: Language,
    /// Model of the tracker, where its alarms or voltages differ.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Keep state from line to line, as one connection would (login, dialect, zone).
    #[arg(long)]
    pub session: bool,
    /// Say of each GT06 frame why it is read by this layout, which others there are, and what they or other models would read.
    #[arg(long, conflicts_with = "json")]
    pub explain: bool,
    /// Read everything as something else and say which fields that changes: gt06, topin, owntracks, a model, or the title of a layout.
    #[arg(long = "as", value_name = "NAME", value_parser = words::read_as())]
    pub read_as: Option<ReadAs>,
    /// Print one JSON object a line for each frame or body.
    #[arg(long)]
    pub json: bool,
    /// Opens encrypted OwnTracks bodies.
    #[arg(long, value_name = "SECRET", env = "WAYGLASS_OWNTRACKS_KEY", hide_env_values = true)]
    pub owntracks_key: Option<String>,
    /// A file, - for standard input (also when nothing is named), or the text itself.
    #[arg(value_name = "FILE|-|TEXT")]
    pub input: Vec<OsString>,
}

/// What the bytes are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Auto,
    Gt06,
    #[value(name = "owntracks")]
    OwnTracks,
}

impl Language {
    fn protocol(self) -> Option<Protocol> {
        match self {
            Self::Auto => None,
            Self::Gt06 => Some(Protocol::Gt06),
            Self::OwnTracks => Some(Protocol::OwnTracks),
        }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every line was read, whatever it held.
    Done,
    /// Some line or file could not be read; each was named on `err`.
    Failed,
}

/// Explains everything that `args` name, on `out`; what cannot be read goes to `err` with its line and column.
/// `input` is standard input. Errs only where `out` or `err` cannot be written; a closed pipe is no error.
pub fn run(
    args: &DecodeArgs,
    clock: &Clock,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Ended> {
    let mut decoder = Decoder::new(args, clock(), out, err);
    match decoder.everything(input) {
        Ok(()) if decoder.failures > 0 => Ok(Ended::Failed),
        Ok(()) => Ok(Ended::Done),
        // `decode … | head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Ended::Done),
        Err(error) => Err(error),
    }
}

struct Decoder<'a> {
    args: &'a DecodeArgs,
    now: Timestamp,
    profile: Profile,
    /// What the session knows so far.
    state: gt06::State,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// How the connection stood when the bytes came that are printed next.
    around: gt06::State,
    /// What is read at the moment, for messages.
    source: String,
    failures: usize,
    /// Log lines that carry no bytes.
    remarks: usize,
    /// Frames of a pcap that are of others.
    passed: usize,
    /// What is counted: lines, or frames of a pcap.
    unit: &'static str,
    buffers: usize,
    printed: usize,
}

impl<'a> Decoder<'a> {
    fn new(args: &'a DecodeArgs, now: Timestamp, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            args,
            now,
            profile: Profile { model: args.model.clone(), ..Profile::default() },
            state: gt06::State::default(),
            around: gt06::State::default(),
            out,
            err,
            source: String::new(),
            failures: 0,
            remarks: 0,
            passed: 0,
            unit: "line",
            buffers: 0,
            printed: 0,
        }
    }

    fn everything(&mut self, stdin: &mut dyn BufRead) -> io::Result<()> {
        let words = &self.args.input;
        if words.is_empty() {
            self.lines("standard input", stdin)?;
        }
        if let Some(text) = one_dump(words) {
            self.lines("the text given", &mut text.as_bytes())?;
        } else {
            for word in words {
                self.word(word, stdin)?;
            }
        }
        if self.remarks > 0 {
            let lines = if self.remarks == 1 { "line carries" } else { "lines carry" };
            writeln!(self.err, "{} log {lines} no bytes", self.remarks)?;
        }
        if self.passed > 0 {
            let frames = if self.passed == 1 { "frame is" } else { "frames are" };
            writeln!(self.err, "{} {frames} traffic of others", self.passed)?;
        }
        if self.buffers == 0 && self.failures == 0 {
            self.failures += 1;
            writeln!(self.err, "nothing to explain: {} holds no bytes", self.source)?;
        }
        self.out.flush()
    }

    /// Reads what one word of the call names.
    fn word(&mut self, word: &OsString, stdin: &mut dyn BufRead) -> io::Result<()> {
        let path = Path::new(word);
        if word == "-" {
            self.lines("standard input", stdin)
        } else if path.is_file() {
            let name = path.display().to_string();
            match File::open(path) {
                Ok(file) => self.lines(&name, &mut BufReader::new(file)),
                Err(error) => {
                    self.failures += 1;
                    writeln!(self.err, "cannot read {name}: {error}")
                }
            }
        } else {
            let shown = word.to_string_lossy();
            let name = if shown.len() < 60 && !shown.contains(char::is_control) {
                format!("\"{shown}\" (no file of that name)")
            } else {
                "the text given".to_owned()
            };
            self.lines(&name, &mut word.as_encoded_bytes())
        }
    }

    /// Reads a source line by line.
    fn lines(&mut self, source: &str, input: &mut dyn BufRead) -> io::Result<()> {
        source.clone_into(&mut self.source);
        let head = input.fill_buf().unwrap_or_default();
        if let Ok(kind @ (Kind::Pcap | Kind::PcapNg)) = sniff(head) {
            return self.pcap(source, kind, input);
        }
        let mut number = 0;
        let mut line = Vec::new();
        while self.next_line(input, number + 1, &mut line)? {
            number += 1;
            if number == 1 && begins_document(&line) {
                // Only a whole input may be one document; what is not goes on line by line.
                let mut document = std::mem::take(&mut line);
                input.take(MOST_DOCUMENT_BYTES as u64).read_to_end(&mut document).or_else(|e| self.unreadable(&e))?;
                if dress::is_json(&document) {
                    return self.line(1, &document);
                }
                let mut rest = document.as_slice().chain(input);
                let mut number = 0;
                while self.next_line(&mut rest, number + 1, &mut line)? {
                    number += 1;
                    self.line(number, &line)?;
                }
                return Ok(());
            }
            self.line(number, &line)?;
        }
        Ok(())
    }

    /// Reads one line into `line`; false at the end. A line that is too long is named and passed over.
    fn next_line(&mut self, input: &mut dyn BufRead, number: usize, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if let Err(error) = input.take(MOST_LINE_BYTES).read_until(b'\n', line) {
            self.unreadable(&error)?;
            return Ok(false);
        }
        if line.len() as u64 == MOST_LINE_BYTES && !line.ends_with(b"\n") {
            self.failures += 1;
            writeln!(self.err, "{} line {number}: longer than 16 MiB, so it is passed over", self.source)?;
            // A blank line stands for it.
            b"\n".as_slice().clone_into(line);
            if let Err(error) = input.skip_until(b'\n') {
                self.unreadable(&error)?;
            }
        }
        Ok(!line.is_empty())
    }

    fn unreadable(&mut self, error: &io::Error) -> io::Result<usize> {
        self.failures += 1;
        writeln!(self.err, "cannot read {}: {error}", self.source)?;
        Ok(0)
    }

    /// Explains one line.
    fn line(&mut self, number: usize, line: &[u8]) -> io::Result<()> {
        if self.args.protocol == Language::Auto && own_line(line.trim_ascii()) {
            return self.own(number, line);
        }
        match dress::line(line, self.args.protocol.protocol()) {
            Ok(Line::Blank) => Ok(()),
            Ok(Line::Remark) => {
                self.remarks += 1;
                Ok(())
            }
            Ok(Line::Buffer(buffer)) => {
                self.buffers += 1;
                if let Some(cut) = &buffer.cut {
                    self.complain(number, cut)?;
                }
                self.buffer(number, &buffer)?;
                self.out.flush()
            }
            Err(complaint) => {
                self.failures += 1;
                self.complain(number, &complaint)
            }
        }
    }

    fn complain(&mut self, number: usize, complaint: &Complaint) -> io::Result<()> {
        let Complaint { column, text } = complaint;
        writeln!(self.err, "{} {} {number}, column {column}: {text}", self.source, self.unit)
    }

    fn buffer(&mut self, number: usize, buffer: &Buffer) -> io::Result<()> {
        match buffer.protocol {
            Protocol::Gt06 => {
                // What a server sent teaches the session nothing.
                let mut apart = gt06::State::default();
                let live = self.args.session && buffer.direction == Direction::In;
                let state = if live { &mut self.state } else { &mut apart };
                let before = state.clone();
                for piece in gt06::explain(&buffer.bytes, &self.profile, state, self.now) {
                    let bytes = buffer.bytes.get(piece.bytes.clone()).unwrap_or_default();
                    self.around = before.clone();
                    self.print(number, buffer, piece.offset, bytes, &piece.dissection)?;
                    if self.args.explain {
                        explain::write(self.out, bytes, &self.profile, &before, self.now)?;
                    }
                }
            }
            Protocol::OwnTracks => {
                let (head, body) = buffer.bytes.split_at(dress::http_head(&buffer.bytes).unwrap_or(0));
                if !head.is_empty() {
                    self.print(number, buffer, 0, head, &request_head(head))?;
                }
                if !body.is_empty() {
                    let dissection = owntracks::dissect_with(body, self.args.owntracks_key.as_deref(), self.now);
                    self.print(number, buffer, head.len(), body, &dissection)?;
                }
            }
        }
        Ok(())
    }

    fn print(
        &mut self,
        number: usize,
        buffer: &Buffer,
        offset: usize,
        bytes: &[u8],
        dissection: &Dissection,
    ) -> io::Result<()> {
        let otherwise = self.args.read_as.as_ref().map(|read_as| {
            let around = std::mem::take(&mut self.around);
            Otherwise::of(read_as, bytes, dissection, (&self.profile, &around, self.now))
        });
        let shown = otherwise.as_ref().map_or(dissection, |otherwise| &otherwise.dissection);
        if self.args.json {
            let object = json::object(buffer.protocol, offset, bytes, shown);
            match &otherwise {
                Some(otherwise) => serde_json::to_writer(&mut *self.out, &otherwise.json(&object))?,
                None => serde_json::to_writer(&mut *self.out, &object)?,
            }
            return writeln!(self.out);
        }
        if self.printed > 0 {
            writeln!(self.out)?;
        }
        self.printed += 1;
        listing::write(
            self.out,
            &listing::Place { unit: self.unit, line: number, offset, direction: buffer.direction },
            buffer.protocol,
            bytes,
            shown,
        )?;
        otherwise.map_or(Ok(()), |otherwise| otherwise.write(self.out))
    }
}

/// The words as one text where the shell has taken a dump apart: `wayglass decode 78 78 0d 01 …`.
fn one_dump(words: &[OsString]) -> Option<String> {
    let small = |word: &OsString| {
        let word = word.to_str()?.trim_end_matches(',');
        let digits = word.strip_prefix("0x").unwrap_or(word);
        ((1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits.to_owned())
    };
    if words.len() < 2 {
        return None;
    }
    Some(words.iter().map(small).collect::<Option<Vec<_>>>()?.join(" "))
}

/// True where a first line opens a JSON document and does not close it.
fn begins_document(line: &[u8]) -> bool {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    matches!(text.last(), Some(b'{' | b'[' | b',')) && matches!(text.first(), Some(b'{' | b'['))
}

/// The head of an HTTP message that a log has in front of the body.
fn request_head(head: &[u8]) -> Dissection {
    let mut fields = Vec::new();
    let mut start = 0;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        let span = start..start + line.len();
        start = span.end;
        // What a log keeps may be shown to others.
        let secret = text.get(..14).is_some_and(|name| name.eq_ignore_ascii_case("authorization:"));
        let value = Value::Text(if secret { "Authorization: …".to_owned() } else { text });
        fields.push(Field {
            name: if fields.is_empty() { "Request".into() } else { "Header".into() },
            span,
            bits: None,
            depth: 0,
            value,
            unit: "",
            source: "",
        });
    }
    let problem = Problem {
        severity: Severity::Note,
        group: crate::model::Group::Framing,
        text: "the head of an HTTP message, whose body follows".to_owned(),
        span: 0..head.len(),
    };
    Dissection {
        kind: "noise".into(),
        title: "Head of HTTP".into(),
        problems: vec![problem],
        fields,
        ..Dissection::default()
    }
}

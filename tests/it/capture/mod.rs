//! Captures: what is read out of logs, dumps and pcap files.

pub mod backend;
mod bytes;
mod pcap;
mod text;
mod window;

use std::{fmt::Write as _, ops::ControlFlow};

use wayglass::{
    capture::{
        Item, Place,
        read::{Ended, Ground, HEAD_BYTES, Refusal, read, sniff},
    },
    model::Direction,
    wire::hex,
};

fn items(bytes: &[u8], ground: &Ground) -> Result<(Vec<Item>, Ended), Refusal> {
    let kind = sniff(&bytes[..bytes.len().min(HEAD_BYTES)])?;
    let mut items = Vec::new();
    let mut keep = |item| {
        items.push(item);
        ControlFlow::Continue(())
    };
    let ended = read(kind, bytes, ground, &mut |_| {}, &mut keep).unwrap();
    Ok((items, ended))
}

fn place(place: Place) -> u64 {
    match place {
        Place::Line(n) | Place::Frame(n) => n,
    }
}

/// A line an item.
fn told(bytes: &[u8]) -> String {
    let (items, ended) = items(bytes, &Ground::default()).unwrap();
    let mut text = String::new();
    for item in items {
        match item {
            Item::Record(r) => {
                let way = if r.direction == Direction::In { '<' } else { '>' };
                let at = r.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
                let peer = if r.peer.is_empty() { "-" } else { &r.peer };
                let json = r.bytes.starts_with(b"{") || r.bytes.starts_with(b"[");
                let bytes = if json { String::from_utf8(r.bytes).unwrap() } else { hex(&r.bytes) };
                let context = r.context.map(|c| format!(" {c}")).unwrap_or_default();
                let cut = r.cut.map(|c| format!(" cut: {}", c.text)).unwrap_or_default();
                writeln!(
                    text,
                    "{} {} #{} {way} {peer} {at} {bytes}{context}{cut}",
                    place(r.place),
                    r.protocol.as_str(),
                    r.connection
                )
                .unwrap();
            }
            Item::Closed { connection, .. } => writeln!(text, "closed #{connection}").unwrap(),
            Item::Passed { place: at } => writeln!(text, "{} passed", place(at)).unwrap(),
            Item::Rejected { place: at, why } => writeln!(text, "{} rejected: {}", place(at), why.text).unwrap(),
        }
    }
    if let Ended::Broken { place: at, why } = ended {
        writeln!(text, "{} broken: {why}", place(at)).unwrap();
    }
    text
}

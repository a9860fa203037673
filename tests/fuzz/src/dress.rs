//! Any text is bytes, a remark or a complaint with its place; bytes printed as hex are those bytes again.

use crate::{
    budget,
    model::Protocol,
    wire::{
        dress::{self, Buffer, Complaint, Line},
        hex,
    },
};

/// Bytes that reading may take at its peak, for each byte of text, and beside them.
const BYTES_PER_BYTE: usize = 256;
const BYTES_BESIDE: usize = 64 * 1024;

/// See the module.
pub fn run(text: &[u8]) {
    for expected in [None, Some(Protocol::Gt06), Some(Protocol::OwnTracks)] {
        let limit = BYTES_BESIDE + BYTES_PER_BYTE * text.len();
        let lines = budget::within(limit, || dress::undress(text, expected));
        let mut before = 0;
        for (number, line) in &lines {
            assert_eq!(*number, before + 1, "line numbers");
            before = *number;
            match line {
                Ok(Line::Blank | Line::Remark) => {}
                Ok(Line::Buffer(Buffer { bytes, protocol, cut, .. })) => {
                    assert!(!bytes.is_empty() && bytes.len() <= text.len());
                    assert!(expected.is_none_or(|expected| expected == *protocol));
                    if let Some(cut) = cut {
                        complaint(cut, text);
                    }
                }
                Err(why) => complaint(why, text),
            }
        }
    }
    assert!(dress::http_head(text).is_none_or(|head| head <= text.len()));
    let printed = hex(text);
    if !text.is_empty() {
        match dress::line(printed.as_bytes(), None) {
            Ok(Line::Buffer(found)) => assert!(found.bytes == text && found.cut.is_none(), "{printed}: {found:?}"),
            other => panic!("{printed}: {other:?}"),
        }
    }
}

fn complaint(complaint: &Complaint, text: &[u8]) {
    // A byte that is no text stands for one character.
    assert!(complaint.column >= 1 && complaint.column <= text.len() + 1, "{complaint:?}");
    assert!(!complaint.text.is_empty());
}

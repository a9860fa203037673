//! The write-ahead log as bytes: whether it is damaged in its middle, which SQLite takes for its end.
//!
//! Each frame's checksum goes on from the one before, so SQLite reads up to the first that is wrong and throws the rest away. After a power loss
//! that is right: the last commit was never synced. But every commit before it was, and was acknowledged; so where two commits follow a wrong
//! frame, something acknowledged would be lost without a word.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use super::connect::PAGE_BYTES;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
#[expect(clippy::cast_possible_truncation, reason = "4096")]
const FRAME: usize = FRAME_HEADER + PAGE_BYTES as usize;

/// Running sums over pairs of words.
type Sums = (u32, u32);

/// The words of a log, in the order of bytes that its header names.
#[derive(Clone, Copy)]
struct Order {
    big: bool,
}

impl Order {
    fn sums(self, (mut a, mut b): Sums, bytes: &[u8]) -> Sums {
        for pair in bytes.chunks_exact(8) {
            let (first, second) = pair.split_at(4);
            let word = |bytes: &[u8]| {
                let bytes = bytes.try_into().unwrap_or_default();
                if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
            };
            a = a.wrapping_add(word(first)).wrapping_add(b);
            b = b.wrapping_add(word(second)).wrapping_add(a);
        }
        (a, b)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn sums_at(bytes: &[u8], at: usize) -> Sums {
    (word(bytes, at), word(bytes, at + 4))
}

/// One frame, and whether its bytes are what its checksum says after the one before it.
struct Frame<'f> {
    bytes: &'f [u8],
    right: bool,
}

impl Frame<'_> {
    fn commits(&self) -> bool {
        word(self.bytes, 4) != 0
    }
}

/// Reads the frames of this run of the log, those behind a wrong one, too. `None`: its header is none.
fn each(path: &Path, mut hear: impl FnMut(&Frame<'_>) -> io::Result<()>) -> io::Result<Option<[u8; HEADER]>> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut header = [0; HEADER];
    if file.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    let magic = word(&header, 0);
    let order = Order { big: magic & 1 == 1 };
    let first = order.sums((0, 0), &header[..24]);
    if magic & !1 != 0x377F_0682 || u64::from(word(&header, 8)) != PAGE_BYTES || first != sums_at(&header, 24) {
        return Ok(None);
    }
    let mut before = first;
    let mut bytes = vec![0; FRAME];
    // What a frame of this run says of itself.
    let salt = header[16..24].to_owned();
    while file.read_exact(&mut bytes).is_ok() {
        let said = sums_at(&bytes, 16);
        if bytes[8..16] == salt {
            let sums = order.sums(before, &bytes[..8]);
            let right = order.sums(sums, &bytes[FRAME_HEADER..]) == said && word(&bytes, 0) != 0;
            hear(&Frame { bytes: &bytes, right })?;
        }
        before = said;
    }
    Ok(Some(header))
}

/// What is wrong with a log, where something acknowledged would be lost by opening it.
pub(super) fn fault(path: &Path) -> Option<String> {
    let (mut wrong, mut commits) = (false, 0);
    let read = each(path, |frame| {
        wrong |= !frame.right;
        commits += u32::from(wrong && frame.commits());
        Ok(())
    });
    match read {
        Ok(Some(_)) if commits >= 2 => Some(format!("its log is damaged before its last {commits} commits")),
        // A file that cannot be read is said by whoever opens it; one that holds no frame holds nothing.
        Ok(None) if fs::metadata(path).is_ok_and(|about| about.len() >= (HEADER + FRAME) as u64) => {
            Some("its log does not begin as a log does".to_owned())
        }
        _ => None,
    }
}

/// Leaves the wrong frames out of a log and joins the rest, so that SQLite reads all of it. Answers how many those were.
pub(super) fn heal(path: &Path) -> io::Result<u64> {
    if fault(path).is_none() {
        return Ok(0);
    }
    let healed = super::place::beside(path, ".healed");
    fs::remove_file(&healed).ok();
    let mut out = BufWriter::with_capacity(1 << 20, super::place::new_file(&healed)?);
    // The header is written when it is known; its sums are the first ones.
    out.write_all(&[0; HEADER])?;
    let mut frames = Vec::new();
    let mut lost = 0;
    let header = {
        let mut header = [0; HEADER];
        File::open(path)?.read_exact(&mut header).map(|()| header)?
    };
    let order = Order { big: word(&header, 0) & 1 == 1 };
    let mut sums = order.sums((0, 0), &header[..24]);
    let read = each(path, |frame| {
        if !frame.right {
            lost += 1;
            return Ok(());
        }
        let (head, page) = frame.bytes.split_at(FRAME_HEADER);
        let (about, _) = head.split_at(16);
        sums = order.sums(order.sums(sums, &about[..8]), page);
        frames.clear();
        frames.extend_from_slice(about);
        frames.extend_from_slice(&sums.0.to_be_bytes());
        frames.extend_from_slice(&sums.1.to_be_bytes());
        out.write_all(&frames)?;
        out.write_all(page)
    })?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let Some(header) = read else {
        // Without its header nobody knows which frames belong together.
        drop(file);
        fs::remove_file(&healed)?;
        return Ok(1);
    };
    let mut file = file;
    io::Seek::seek(&mut file, io::SeekFrom::Start(0))?;
    file.write_all(&header)?;
    drop(file);
    fs::rename(&healed, path)?;
    Ok(lost)
}

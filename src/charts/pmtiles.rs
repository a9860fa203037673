//! Reads a PMTiles archive (version 3), from memory or a file: which bytes are the tile of a zoom, column and row.
//!
//! An archive is a header of 127 bytes, a tree of directories (tile number → place in the file), and the tiles. Tiles are
//! numbered zoom after zoom, each zoom along a Hilbert curve, so that neighbours are mostly neighbours in the file.

use std::{
    borrow::Cow,
    fs::File,
    io::{Read, Seek, SeekFrom},
    sync::{Mutex, PoisonError},
};

use flate2::read::GzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// A directory or tile that unpacks to more is taken for damaged.
const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// Directories nest this deep at most, so that a damaged archive cannot lead in circles.
const MAX_DEPTH: usize = 4;

const HEADER_BYTES: usize = 127;

/// A directory or tile that says it is longer than this, packed, is taken for damaged.
const MAX_PACKED_BYTES: u64 = 32 << 20;

/// What an archive cannot be read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a PMTiles archive")]
    NotPmtiles,
    #[error("PMTiles version {0}, where only 3 is known")]
    Version(u8),
    #[error("its tiles are packed with {}, where gzip, zstd and none are known", packing_name(*.0))]
    Compression(u8),
    #[error("the archive ends within its {0}, or they are damaged")]
    Damaged(&'static str),
}

fn packing_name(code: u8) -> &'static str {
    match code {
        3 => "brotli",
        _ => "something unknown",
    }
}

/// Where an archive's bytes come from.
pub trait Bytes {
    /// The bytes `at..at + len`; `None` where there are not so many, or they cannot be read.
    fn bytes(&self, at: u64, len: u64) -> Option<Cow<'_, [u8]>>;
}

impl Bytes for &[u8] {
    fn bytes(&self, at: u64, len: u64) -> Option<Cow<'_, [u8]>> {
        let (start, end) = (usize::try_from(at).ok()?, usize::try_from(at.checked_add(len)?).ok()?);
        self.get(start..end).map(Cow::Borrowed)
    }
}

/// An archive on disk. Nothing is read before it is asked for.
#[derive(Debug)]
pub struct OnDisk {
    file: Mutex<File>,
    len: u64,
}

impl OnDisk {
    /// Takes an open file.
    pub fn new(file: File) -> std::io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Mutex::new(file), len })
    }
}

impl Bytes for OnDisk {
    fn bytes(&self, at: u64, len: u64) -> Option<Cow<'_, [u8]>> {
        if at.checked_add(len)? > self.len || len > MAX_PACKED_BYTES {
            return None;
        }
        // A reader that panicked left nothing but another place in the file, and each goes to its own.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        file.read_exact(&mut bytes).ok()?;
        Some(Cow::Owned(bytes))
    }
}

/// What the header says about the tiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// 1 is vector (MVT), 2 to 5 are pictures.
    pub tile_type: u8,
    /// West, south, east and north in degrees.
    pub bounds_deg: [f64; 4],
}

/// An archive.
#[derive(Debug)]
pub struct Archive<B> {
    bytes: B,
    header: Header,
    metadata: (u64, u64),
    root: Vec<Entry>,
    leaves_at: u64,
    tiles_at: u64,
    directory_packing: Packing,
    tile_packing: Packing,
}

#[derive(Debug, Clone, Copy)]
enum Packing {
    /// Nobody said.
    Unsaid,
    Plain,
    Gzip,
    Zstd,
}

/// Tiles `first..first + run` all have the `len` bytes at `offset`; with a run of 0, those bytes are a further directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    first: u64,
    run: u64,
    len: u64,
    offset: u64,
}

impl<B: Bytes> Archive<B> {
    /// Reads header and root directory.
    pub fn new(bytes: B) -> Result<Self, Error> {
        let header = bytes.bytes(0, HEADER_BYTES as u64).filter(|h| h.starts_with(b"PMTiles"));
        let header = header.ok_or(Error::NotPmtiles)?.into_owned();
        if header[7] != 3 {
            return Err(Error::Version(header[7]));
        }
        let number = |at: usize| {
            let field = header.get(at..at + 8).and_then(|b| b.try_into().ok());
            field.map_or(0, u64::from_le_bytes)
        };
        let degrees = |at: usize| {
            let field = header.get(at..at + 4).and_then(|b| b.try_into().ok());
            f64::from(field.map_or(0, i32::from_le_bytes)) / 1e7
        };
        let mut archive = Self {
            header: Header {
                min_zoom: header[100],
                max_zoom: header[101],
                tile_type: header[99],
                bounds_deg: [102, 106, 110, 114].map(degrees),
            },
            metadata: (number(24), number(32)),
            bytes,
            root: Vec::new(),
            leaves_at: number(40),
            tiles_at: number(56),
            directory_packing: Packing::new(header[97])?,
            tile_packing: Packing::new(header[98])?,
        };
        archive.root = archive.directory(number(8), number(16))?;
        Ok(archive)
    }

    /// What the header says about the tiles.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The highest zoom that has tiles.
    pub fn max_zoom(&self) -> u8 {
        self.header.max_zoom
    }

    /// The JSON that says whose map it is and what is in it; empty where there is none.
    pub fn metadata(&self) -> Result<Vec<u8>, Error> {
        match self.metadata {
            (_, 0) => Ok(Vec::new()),
            (at, len) => self.unpacked(at, len, self.directory_packing, "metadata"),
        }
    }

    /// The unpacked bytes of a tile. `Ok(None)` where the archive has none, as for open sea.
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, Error> {
        let Some(number) = tile_number(zoom, x, y) else { return Ok(None) };
        let mut leaf;
        let mut directory = &self.root;
        for _ in 0..MAX_DEPTH {
            let after = directory.partition_point(|e| e.first <= number);
            let Some(entry) = after.checked_sub(1).and_then(|i| directory.get(i)) else { return Ok(None) };
            if entry.run == 0 {
                let at = self.leaves_at.checked_add(entry.offset).ok_or(Error::Damaged("directories"))?;
                leaf = self.directory(at, entry.len)?;
                directory = &leaf;
            } else if number - entry.first < entry.run {
                let at = self.tiles_at.checked_add(entry.offset).ok_or(Error::Damaged("tiles"))?;
                return self.unpacked(at, entry.len, self.tile_packing, "tiles").map(Some);
            } else {
                return Ok(None);
            }
        }
        Err(Error::Damaged("directories"))
    }

    /// The unpacked bytes of the tile with the lowest number; `Ok(None)` where there is none.
    pub fn any_tile(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut first = self.root.first().copied();
        for _ in 0..MAX_DEPTH {
            let Some(entry) = first else { return Ok(None) };
            if entry.run > 0 {
                let at = self.tiles_at.checked_add(entry.offset).ok_or(Error::Damaged("tiles"))?;
                return self.unpacked(at, entry.len, self.tile_packing, "tiles").map(Some);
            }
            let at = self.leaves_at.checked_add(entry.offset).ok_or(Error::Damaged("directories"))?;
            first = self.directory(at, entry.len)?.first().copied();
        }
        Err(Error::Damaged("directories"))
    }

    fn directory(&self, at: u64, len: u64) -> Result<Vec<Entry>, Error> {
        let bytes = self.unpacked(at, len, self.directory_packing, "directories")?;
        read_directory(&bytes).ok_or(Error::Damaged("directories"))
    }

    fn unpacked(&self, at: u64, len: u64, packing: Packing, what: &'static str) -> Result<Vec<u8>, Error> {
        let bytes = self.bytes.bytes(at, len).ok_or(Error::Damaged(what))?;
        let packing = match packing {
            Packing::Unsaid if bytes.starts_with(&[0x1F, 0x8B]) => Packing::Gzip,
            other => other,
        };
        match packing {
            Packing::Plain | Packing::Unsaid => Ok(bytes.into_owned()),
            Packing::Gzip => {
                let mut unpacked = Vec::new();
                let read = GzDecoder::new(&*bytes).take(MAX_UNPACKED_BYTES).read_to_end(&mut unpacked);
                read.map(|_| unpacked).map_err(|_| Error::Damaged(what))
            }
            Packing::Zstd => {
                let mut unpacked = Vec::new();
                let decoder = StreamingDecoder::new(&*bytes).map_err(|_| Error::Damaged(what))?;
                let read = decoder.take(MAX_UNPACKED_BYTES).read_to_end(&mut unpacked);
                read.map(|_| unpacked).map_err(|_| Error::Damaged(what))
            }
        }
    }
}

impl Packing {
    fn new(code: u8) -> Result<Self, Error> {
        match code {
            0 => Ok(Self::Unsaid),
            1 => Ok(Self::Plain),
            2 => Ok(Self::Gzip),
            4 => Ok(Self::Zstd),
            other => Err(Error::Compression(other)),
        }
    }
}

/// The number of a tile; `None` where the zoom has no such tile.
pub fn tile_number(zoom: u8, x: u32, y: u32) -> Option<u64> {
    if zoom > 31 || u64::from(x) >> zoom != 0 || u64::from(y) >> zoom != 0 {
        return None;
    }
    // The zooms before this one have 1 + 4 + 16 + … tiles.
    let mut number = ((1u64 << (2 * u32::from(zoom))) - 1) / 3;
    let (mut x, mut y) = (x, y);
    for level in (0..u32::from(zoom)).rev() {
        let half = 1u32 << level;
        let (right, down) = (x & half != 0, y & half != 0);
        let quarter: u64 = match (right, down) {
            (false, false) => 0,
            (false, true) => 1,
            (true, true) => 2,
            (true, false) => 3,
        };
        number += quarter << (2 * level);
        // The curve enters the outer quarters turned; undo that.
        x &= half - 1;
        y &= half - 1;
        if !down {
            if right {
                (x, y) = (half - 1 - x, half - 1 - y);
            }
            (x, y) = (y, x);
        }
    }
    Some(number)
}

/// A directory: a count, then all tile numbers (each as the step from the one before), all runs, all lengths, all offsets.
fn read_directory(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut bytes = bytes.iter().copied();
    let count = usize::try_from(varint(&mut bytes)?).ok()?;
    // Each entry has at least four bytes, so a lying count allocates nothing.
    let mut entries = Vec::with_capacity(count.min(bytes.len() / 4));
    let mut first = 0u64;
    for _ in 0..count {
        first = first.checked_add(varint(&mut bytes)?)?;
        entries.push(Entry { first, run: 0, len: 0, offset: 0 });
    }
    for entry in &mut entries {
        entry.run = varint(&mut bytes)?;
    }
    for entry in &mut entries {
        entry.len = varint(&mut bytes)?;
    }
    let mut next = None;
    for entry in &mut entries {
        // 0 says: right behind the entry before; else the offset plus one.
        entry.offset = match varint(&mut bytes)? {
            0 => next?,
            offset => offset - 1,
        };
        next = Some(entry.offset.checked_add(entry.len)?);
    }
    Some(entries)
}

/// A number of seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tile_numbers_of_the_specification() {
        for ((zoom, x, y), number) in [
            ((0, 0, 0), 0),
            ((1, 0, 0), 1),
            ((1, 0, 1), 2),
            ((1, 1, 1), 3),
            ((1, 1, 0), 4),
            ((2, 0, 0), 5),
            ((12, 3423, 1763), 19_078_479),
        ] {
            assert_eq!(tile_number(zoom, x, y), Some(number), "{zoom}/{x}/{y}");
        }
        assert_eq!(tile_number(1, 2, 0), None);
        assert_eq!(tile_number(32, 0, 0), None);
    }

    #[test]
    fn each_tile_of_a_zoom_has_a_number_and_the_next_is_its_neighbour() {
        let mut by_number = vec![None; 4usize.pow(5)];
        for (x, y) in (0..32u32).flat_map(|x| (0..32u32).map(move |y| (x, y))) {
            let number = usize::try_from(tile_number(5, x, y).unwrap() - 341).unwrap();
            assert_eq!(by_number[number].replace((x, y)), None);
        }
        let tiles: Vec<(u32, u32)> = by_number.into_iter().map(Option::unwrap).collect();
        for pair in tiles.windows(2) {
            assert_eq!(pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1), 1, "{pair:?}");
        }
        assert_eq!(tiles.iter().collect::<HashSet<_>>().len(), 1024);
    }

    /// Header, a root directory that names one leaf, the leaf, and one tile for the numbers 1 to 3.
    fn small() -> Vec<u8> {
        let (root, leaf, tile) = ([1, 1, 0, 5, 1], [1, 1, 3, 4, 1], *b"tile");
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..8].copy_from_slice(b"PMTiles\x03");
        for (at, value) in
            [(8, HEADER_BYTES), (16, 5), (40, HEADER_BYTES + 5), (48, 5), (56, HEADER_BYTES + 10), (64, 4)]
        {
            bytes[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes());
        }
        (bytes[97], bytes[98], bytes[101]) = (1, 1, 1);
        [bytes, root.to_vec(), leaf.to_vec(), tile.to_vec()].concat()
    }

    #[test]
    fn a_leaf_directory_is_followed() {
        let bytes = small();
        let archive = Archive::new(bytes.as_slice()).unwrap();
        assert_eq!(archive.max_zoom(), 1);
        assert_eq!(archive.tile(0, 0, 0), Ok(None));
        for (x, y) in [(0, 0), (0, 1), (1, 1)] {
            assert_eq!(archive.tile(1, x, y), Ok(Some(b"tile".to_vec())));
        }
        assert_eq!(archive.tile(1, 1, 0), Ok(None));
        assert_eq!(archive.any_tile(), Ok(Some(b"tile".to_vec())));
    }

    #[test]
    fn a_file_is_read_as_memory_is() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &small()).unwrap();
        let archive = Archive::new(OnDisk::new(file).unwrap()).unwrap();
        assert_eq!(archive.tile(1, 1, 1), Ok(Some(b"tile".to_vec())));
        assert_eq!(archive.metadata(), Ok(Vec::new()));
        assert_eq!((archive.header().min_zoom, archive.header().max_zoom), (0, 1));
    }

    #[test]
    fn a_tile_that_is_packed_with_zstd_is_unpacked() {
        // `printf tile | zstd --no-check`, and the same as a raw block.
        let packed: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x04, 0x21, 0x00, 0x00, b't', b'i', b'l', b'e'];
        let mut bytes = small();
        let end = bytes.len() - 4;
        bytes.truncate(end);
        bytes.extend(packed);
        bytes[98] = 4;
        // The leaf's one entry is as long as the packed tile.
        bytes[HEADER_BYTES + 5 + 3] = u8::try_from(packed.len()).unwrap();
        let archive = Archive::new(bytes.as_slice()).unwrap();
        assert_eq!(archive.tile(1, 0, 0), Ok(Some(b"tile".to_vec())));
        let cut = &bytes[..bytes.len() - 2];
        assert_eq!(Archive::new(cut).unwrap().tile(1, 0, 0), Err(Error::Damaged("tiles")));
    }

    #[test]
    fn what_is_not_an_archive_is_named() {
        assert_eq!(Archive::new(&b"PMTiles"[..]).unwrap_err(), Error::NotPmtiles);
        let with = |at: usize, value: u8| {
            let mut bytes = small();
            bytes[at] = value;
            Archive::new(bytes.as_slice()).and_then(|archive| archive.tile(1, 0, 0))
        };
        assert_eq!(with(7, 2), Err(Error::Version(2)));
        assert_eq!(with(98, 3), Err(Error::Compression(3)));
        assert_eq!(with(16, 200), Err(Error::Damaged("directories")));
        assert_eq!(with(57, 255), Err(Error::Damaged("tiles")));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut noise in prop::collection::vec(any::<u8>(), 0..64), at in 0usize..140, x in 0u32..4, y in 0u32..4) {
            let mut bytes = small();
            let end = (at + noise.len()).min(bytes.len());
            noise.truncate(end.saturating_sub(at));
            if at < end {
                bytes[at..end].copy_from_slice(&noise);
            }
            if let Ok(archive) = Archive::new(bytes.as_slice()) {
                archive.tile(2, x, y).ok();
                archive.any_tile().ok();
            }
        }
    }
}

//! Map files that a user brings: PMTiles and MBTiles, pictures or vector tiles. Reads them and nothing else; how they look is the window's.
//!
//! A file comes from anywhere, so nothing in it is believed: lengths are bounded before anything is allocated, and what cannot be read is one
//! line for a person.

mod about;
mod mbtiles;
pub mod mvt;
pub mod pmtiles;
pub mod vocabulary;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::{GzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

pub use about::{About, Format, Kind, Schema, plain};

/// A tile that unpacks to more is taken for damaged.
pub const MAX_TILE_BYTES: u64 = 16 << 20;

/// The first bytes of every SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Why a map file cannot be shown. Each is one line that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{}: {why}", .path.display())]
    Unreadable { path: PathBuf, why: String },
    #[error("{}: neither a PMTiles archive nor an MBTiles file", .path.display())]
    NotAMap { path: PathBuf },
    #[error("{}: {why}", .path.display())]
    Damaged { path: PathBuf, why: String },
}

/// An open map file.
#[derive(Debug)]
pub struct Chart {
    path: PathBuf,
    about: About,
    tiles: Tiles,
}

#[derive(Debug)]
enum Tiles {
    Pmtiles(Box<pmtiles::Archive<pmtiles::OnDisk>>),
    Mbtiles(mbtiles::Mbtiles),
}

impl Tiles {
    /// A tile, unpacked, whichever is found first. A file without one is told by every tile that is asked for.
    fn any(&self) -> Option<Vec<u8>> {
        match self {
            Self::Pmtiles(archive) => archive.any_tile().ok()?,
            Self::Mbtiles(file) => file.any_tile().ok()?,
        }
        .and_then(unpacked)
    }
}

impl Chart {
    /// Opens a file, whatever it is called, and reads what it says about itself. Takes as long as the disk does.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |e: std::io::Error| Error::Unreadable { path: path.to_owned(), why: reason(&e) };
        let damaged = |why: String| Error::Damaged { path: path.to_owned(), why };
        let mut file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() {
            return Err(Error::NotAMap { path: path.to_owned() });
        }
        let mut first = Vec::new();
        (&mut file).take(SQLITE.len() as u64).read_to_end(&mut first).map_err(unreadable)?;
        let (tiles, about) = if first.starts_with(b"PMTiles") {
            let on_disk = pmtiles::OnDisk::new(file).map_err(unreadable)?;
            let archive = pmtiles::Archive::new(on_disk).map_err(|e| damaged(e.to_string()))?;
            let about = about::of_pmtiles(&archive).map_err(damaged)?;
            (Tiles::Pmtiles(Box::new(archive)), about)
        } else if first == SQLITE {
            drop(file);
            let opened = mbtiles::Mbtiles::open(path).map_err(|e| damaged(e.to_string()))?;
            let about = opened.about().map_err(|e| damaged(e.to_string()))?;
            (Tiles::Mbtiles(opened), about)
        } else {
            return Err(Error::NotAMap { path: path.to_owned() });
        };
        let named = if about.name.is_empty() { file_name(path) } else { about.name.clone() };
        let about = About { name: named, bytes: meta.len(), ..about };
        let about = match &about {
            About { kind: Kind::Vector, layers, .. } if layers.is_empty() => match tiles.any() {
                Some(tile) => about.with_layers_of(&tile),
                None => about,
            },
            _ => about,
        };
        Ok(Self { path: path.to_owned(), about, tiles })
    }

    /// What the file says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The unpacked bytes of a tile, rows counted from the north; `None` where the file has none.
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, Error> {
        let damaged = |why: String| Error::Damaged { path: self.path.clone(), why };
        let packed = match &self.tiles {
            Tiles::Pmtiles(archive) => archive.tile(zoom, x, y).map_err(|e| damaged(e.to_string()))?,
            Tiles::Mbtiles(file) => file.tile(zoom, x, y).map_err(|e| damaged(e.to_string()))?,
        };
        let Some(packed) = packed.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        unpacked(packed).map(Some).ok_or_else(|| damaged(format!("tile {zoom}/{x}/{y} is damaged")))
    }
}

/// A tile as it is, or out of gzip, zlib or zstd; `None` where it is damaged or too long.
fn unpacked(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match bytes.as_slice() {
        [0x1F, 0x8B, ..] => GzDecoder::new(bytes.as_slice()).take(MAX_TILE_BYTES + 1).read_to_end(&mut out).ok()?,
        [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..] => {
            ZlibDecoder::new(bytes.as_slice()).take(MAX_TILE_BYTES + 1).read_to_end(&mut out).ok()?
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            let decoder = StreamingDecoder::new(bytes.as_slice()).ok()?;
            decoder.take(MAX_TILE_BYTES + 1).read_to_end(&mut out).ok()?
        }
        _ => return Some(bytes),
    };
    (out.len() as u64 <= MAX_TILE_BYTES).then_some(out)
}

fn file_name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Without the number of the error, which tells a person nothing.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the file is not there".to_owned(),
        std::io::ErrorKind::PermissionDenied => "the file may not be read".to_owned(),
        _ => error.to_string(),
    }
}

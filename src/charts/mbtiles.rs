//! MBTiles: a SQLite file with tiles in rows that are counted from the south.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, types::ValueRef};

use super::{About, Format, MAX_TILE_BYTES, about};

/// Steps of the database between two looks at how long a question takes.
const STEPS: i32 = 20_000;
/// Looks after which a question is given up: a view in a foreign file may be anything. About a hundred million steps, some seconds.
const MAX_LOOKS: u32 = 5_000;

/// Letters of one value of the metadata that are read.
const MAX_METADATA_BYTES: usize = 4 << 20;

/// Why such a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("not an MBTiles file: it has no table of tiles")]
    NoTiles,
    #[error("a tile takes more than {} MiB", MAX_TILE_BYTES >> 20)]
    TooLarge,
    #[error("the file is damaged or takes too long to read ({0})")]
    Sqlite(#[from] rusqlite::Error),
}

/// An open file.
#[derive(Debug)]
pub(super) struct Mbtiles {
    db: Mutex<Connection>,
    /// Looks since the question began.
    looks: Arc<AtomicU32>,
}

impl Mbtiles {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut db =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // Views and triggers of a foreign file may call nothing that does more than read.
        db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA cache_size = -4096")?;
        let looks = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&looks);
        db.progress_handler(STEPS, Some(move || counted.fetch_add(1, Ordering::Relaxed) > MAX_LOOKS))?;
        let has_tiles = "SELECT count(*) FROM sqlite_schema WHERE name = 'tiles' AND type IN ('table', 'view')";
        if db.query_row(has_tiles, [], |row| row.get::<_, i64>(0))? == 0 {
            return Err(Error::NoTiles);
        }
        Ok(Self { db: Mutex::new(db), looks })
    }

    /// What the metadata says, and where it is silent the tiles.
    pub(super) fn about(&self) -> Result<About, Error> {
        let value = |name: &str| self.metadata(name);
        let zooms = (zoom(value("minzoom")?), zoom(value("maxzoom")?));
        let (min_zoom, max_zoom) = match zooms {
            (Some(min), Some(max)) if min <= max => (min, max),
            _ => self.zooms()?,
        };
        let first = self.any_tile()?;
        let format = value("format")?.unwrap_or_default();
        let layers = about::layers(&value("json")?.unwrap_or_default());
        Ok(About {
            format: Format::Mbtiles,
            kind: about::kind_of(&format, first.as_deref()),
            name: about::plain(&value("name")?.unwrap_or_default()),
            min_zoom,
            max_zoom,
            bounds: value("bounds")?.and_then(|text| about::bounds(&text)),
            attribution: value("attribution")?.unwrap_or_default(),
            schema: about::schema_of(&layers),
            layers,
            bytes: 0,
        }
        .tidied())
    }

    /// The bytes of a tile as they are in the file.
    pub(super) fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Option<Vec<u8>>, Error> {
        // Rows are counted from the south.
        let Some(row) = 1u32.checked_shl(zoom.into()).and_then(|rows| (rows - 1).checked_sub(y)) else {
            return Ok(None);
        };
        self.ask(|db| {
            let sql = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3";
            let mut select = db.prepare_cached(sql)?;
            let mut rows = select.query((zoom, x, row))?;
            rows.next()?.map_or(Ok(None), |row| blob(row.get_ref(0)?))
        })
    }

    fn metadata(&self, name: &str) -> Result<Option<String>, Error> {
        self.ask(|db| {
            let Ok(mut select) = db.prepare_cached("SELECT value FROM metadata WHERE name = ?1") else {
                return Ok(None);
            };
            let mut rows = select.query([name])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(match row.get_ref(0)? {
                ValueRef::Text(text) if text.len() <= MAX_METADATA_BYTES => {
                    Some(String::from_utf8_lossy(text).into_owned())
                }
                ValueRef::Integer(n) => Some(n.to_string()),
                ValueRef::Real(n) => Some(n.to_string()),
                ValueRef::Text(_) | ValueRef::Null | ValueRef::Blob(_) => None,
            })
        })
    }

    fn zooms(&self) -> Result<(u8, u8), Error> {
        self.ask(|db| {
            // Each by itself, so that an index answers it.
            let sql = "SELECT (SELECT min(zoom_level) FROM tiles), (SELECT max(zoom_level) FROM tiles)";
            let (min, max): (Option<i64>, Option<i64>) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let level = |zoom: Option<i64>| zoom.and_then(|z| u8::try_from(z).ok()).unwrap_or(0).min(about::MAX_ZOOM);
            Ok((level(min), level(max)))
        })
    }

    /// A tile of the file, whichever is found first.
    pub(super) fn any_tile(&self) -> Result<Option<Vec<u8>>, Error> {
        self.ask(|db| {
            let sql = "SELECT tile_data FROM tiles LIMIT 1";
            let found = db.query_row(sql, [], |row| Ok(blob(row.get_ref(0)?))).optional()?;
            found.unwrap_or(Ok(None))
        })
    }

    /// One question, given up when it takes too long.
    fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.looks.store(0, Ordering::Relaxed);
        // Questions only read: a panic in one leaves nothing half done.
        question(&self.db.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn blob(value: ValueRef<'_>) -> Result<Option<Vec<u8>>, Error> {
    match value {
        ValueRef::Blob(bytes) if bytes.len() as u64 > MAX_TILE_BYTES => Err(Error::TooLarge),
        ValueRef::Blob(bytes) => Ok(Some(bytes.to_vec())),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => Ok(None),
    }
}

fn zoom(text: Option<String>) -> Option<u8> {
    text?.trim().parse().ok().filter(|zoom| *zoom <= about::MAX_ZOOM)
}

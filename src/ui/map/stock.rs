//! Decoded tiles of one source, decoded on a thread of their own: what the embedded map and map files have in common.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use egui::{Rect, Theme, pos2};
use walkers::{Text, Tile, TileId};

use super::names::Names;

/// Decoded tiles that are kept, of both themes together.
const MAX_KEPT: usize = 256;

/// About how many bytes of them.
const MAX_KEPT_BYTES: usize = 160 << 20;

/// Tiles that may wait for the worker; one that finds no room is asked for again by the next frame.
const MAX_ASKED: usize = 64;

/// A tile as a theme has it.
pub(super) type Key = (Theme, TileId);

/// Where tiles come from. Asked on the worker's thread.
pub(super) trait Source: Send + Sync + 'static {
    /// Decodes a tile; takes as long as it takes.
    fn decode(&self, key: Key) -> Decoded;
}

/// What came of a tile.
#[derive(Default)]
pub(super) struct Decoded {
    /// `None` where there is nothing to draw.
    pub(super) tile: Option<Tile>,
    /// About how many bytes it takes.
    pub(super) bytes: usize,
    /// Why there is nothing, where that is a fault.
    pub(super) trouble: Option<String>,
}

/// The tiles of a source.
pub(super) struct Stock<S> {
    source: Arc<S>,
    kept: HashMap<Key, Kept>,
    bytes: usize,
    asked: HashSet<Key>,
    /// Counts uses, so that the tile unused for longest can go.
    uses: u64,
    trouble: Option<String>,
    /// `None`: tiles are decoded where they are asked for, so that a test sees a finished map at once.
    worker: Option<Worker>,
}

struct Kept {
    tile: Option<Tile>,
    bytes: usize,
    last_use: u64,
}

impl<S: Source> Stock<S> {
    /// Without a thread: every tile is there when it is asked for.
    pub(super) fn sync(source: S) -> Self {
        Self {
            source: Arc::new(source),
            kept: HashMap::new(),
            bytes: 0,
            asked: HashSet::new(),
            uses: 0,
            trouble: None,
            worker: None,
        }
    }

    /// With a thread of this name that decodes tiles and repaints `ctx` when one is ready.
    pub(super) fn threaded(source: S, name: &str, ctx: egui::Context) -> Self {
        let mut stock = Self::sync(source);
        stock.worker = Some(Worker::new(Arc::clone(&stock.source), name, ctx));
        stock
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// What went wrong last.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The best there is of a tile, and which part of it: the tile itself, else one above it. Sees to it that the finest the source has, whose
    /// zooms these are, is there soon. `sparse`: where the source has nothing, what is above it stands in.
    pub(super) fn find(
        &mut self,
        theme: Theme,
        wanted: TileId,
        zooms: &RangeInclusive<u8>,
        sparse: bool,
    ) -> Option<(&Tile, TileId, Rect)> {
        if wanted.zoom < *zooms.start() || !exists(wanted) {
            return None;
        }
        self.take_answers();
        self.uses += 1;
        let mut finest = wanted.zoom.min(*zooms.end());
        loop {
            let key = (theme, above(wanted, finest).0);
            self.ask(key);
            let is_empty = self.kept.get(&key).is_some_and(|kept| kept.tile.is_none());
            if !(sparse && is_empty && finest > *zooms.start()) {
                break;
            }
            finest -= 1;
        }
        let uses = self.uses;
        let found = (*zooms.start()..=finest).rev().find_map(|zoom| {
            let (id, part) = above(wanted, zoom);
            let kept = self.kept.get_mut(&(theme, id))?;
            kept.last_use = uses;
            (kept.tile.is_some() || !sparse).then_some((id, part))
        });
        let (id, part) = found?;
        let tile = self.kept.get(&(theme, id))?.tile.as_ref()?;
        Some((tile, id, part))
    }

    fn take_answers(&mut self) {
        while let Some((key, decoded)) = self.worker.as_ref().and_then(|w| w.answers.try_recv().ok()) {
            self.asked.remove(&key);
            self.keep(key, decoded);
        }
        while self.kept.len() > MAX_KEPT || self.bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, k)| k.last_use).map(|(key, _)| *key) else { return };
            // What this frame draws stays, however much that is.
            let Some(gone) =
                self.kept.get(&oldest).filter(|k| k.last_use + 64 < self.uses || self.kept.len() > MAX_KEPT)
            else {
                return;
            };
            self.bytes -= gone.bytes;
            self.kept.remove(&oldest);
        }
    }

    fn keep(&mut self, key: Key, decoded: Decoded) {
        let Decoded { tile, bytes, trouble } = decoded;
        self.trouble = trouble.or(self.trouble.take());
        self.bytes += bytes;
        if let Some(before) = self.kept.insert(key, Kept { tile, bytes, last_use: self.uses }) {
            self.bytes -= before.bytes;
        }
    }

    /// Sees to it that the tile is there, now or soon.
    fn ask(&mut self, key: Key) {
        if self.kept.contains_key(&key) || self.asked.contains(&key) {
            return;
        }
        match &self.worker {
            None => {
                let decoded = guarded(&*self.source, key);
                self.keep(key, decoded);
            }
            Some(worker) => {
                if worker.asks.as_ref().is_some_and(|asks| asks.try_send(key).is_ok()) {
                    self.asked.insert(key);
                }
            }
        }
    }

    /// Waits for the next answer.
    #[cfg(test)]
    pub(super) fn wait(&self) -> Option<(TileId, bool)> {
        let ((_, id), decoded) = self.worker.as_ref()?.answers.recv().ok()?;
        Some((id, decoded.tile.is_some()))
    }
}

/// True for a tile of the world.
fn exists(id: TileId) -> bool {
    id.zoom < 32 && u64::from(id.x) >> id.zoom == 0 && u64::from(id.y) >> id.zoom == 0
}

/// A file from anywhere must not end the thread that reads it.
fn guarded(source: &impl Source, key: Key) -> Decoded {
    catch_unwind(AssertUnwindSafe(|| source.decode(key))).unwrap_or_else(|_| {
        let (_, id) = key;
        let trouble = Some(format!("tile {}/{}/{} cannot be drawn", id.zoom, id.x, id.y));
        Decoded { trouble, ..Decoded::default() }
    })
}

/// The tile at `zoom` that covers `id`, and which part of it `id` is.
#[expect(clippy::cast_precision_loss, reason = "a part of an enlarged tile need not be exact to the last bit")]
pub(super) fn above(id: TileId, zoom: u8) -> (TileId, Rect) {
    let levels = id.zoom - zoom;
    let size = (-f32::from(levels)).exp2();
    let (x, y) = (id.x & ((1 << levels) - 1), id.y & ((1 << levels) - 1));
    let corner = pos2(x as f32 * size, y as f32 * size);
    (TileId { x: id.x >> levels, y: id.y >> levels, zoom }, Rect::from_min_size(corner, egui::Vec2::splat(size)))
}

/// `tile`, of so many points a side, with only the names that stand in `part`, are shown at `zoom` and find a place: the widget would lay out all of
/// them, once for each piece of the tile.
pub(super) fn piece(tile: &Tile, id: TileId, zoom: u8, part: Rect, names: Option<&Names>, side: f32) -> Tile {
    match tile {
        Tile::Raster(texture) => Tile::Raster(texture.clone()),
        Tile::Vector { drawables, texts } => {
            // A tile is drawn up to half a zoom above its own.
            let shown_from = f32::from(zoom) + 0.5;
            let texts = texts.iter().filter(|t| {
                t.min_zoom.is_none_or(|z| z <= shown_from)
                    && (part.min.x..part.max.x).contains(&(t.position.x / side))
                    && (part.min.y..part.max.y).contains(&(t.position.y / side))
            });
            let placed = texts.filter_map(|t| {
                let position = names.map_or(Some(t.position), |names| names.place(t, id, side))?;
                Some(Text { position, ..t.clone() })
            });
            Tile::Vector { drawables: Arc::clone(drawables), texts: placed.collect() }
        }
    }
}

/// The thread that decodes tiles.
struct Worker {
    /// `None` once it is to stop.
    asks: Option<mpsc::SyncSender<Key>>,
    answers: mpsc::Receiver<(Key, Decoded)>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn new(source: Arc<impl Source>, name: &str, ctx: egui::Context) -> Self {
        let (asks, asked) = mpsc::sync_channel::<Key>(MAX_ASKED);
        // Never fuller than what was asked for, so sending does not wait.
        let (answer, answers) = mpsc::sync_channel(MAX_ASKED * 2);
        let work = move || {
            for key in asked {
                if answer.send((key, guarded(&*source, key))).is_err() {
                    return;
                }
                ctx.request_repaint();
            }
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        // Without a thread the map stays empty, which the log explains; everything else works.
        let thread = thread.inspect_err(|e| tracing::error!("no thread for the {name}: {e}")).ok();
        Self { asks: Some(asks), answers, thread }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends by itself after the tile it is at: a slow disk must not hold the window up.
        self.asks = None;
        drop(self.thread.take());
    }
}

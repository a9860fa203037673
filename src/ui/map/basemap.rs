//! The map inside the program: land, waters, borders and names, drawn without any network.
//!
//! The archive has tiles up to zoom 5. Beyond that its last tiles are enlarged, which shows where a place is among coasts,
//! rivers and towns, and no streets. A tile that is not ready yet is stood in for by a part of one above it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use egui::{Color32, Rect, Theme, pos2};
use walkers::{Style, StyleLayer, Text, Tile, TileId, TilePiece, Tiles, sources::Attribution};

use super::{names::Names, pmtiles::Archive};

static ARCHIVE: &[u8] = include_bytes!("../../../assets/basemap.pmtiles");
static LIGHT_STYLE: &str = include_str!("../../../assets/basemap/light.json");
static DARK_STYLE: &str = include_str!("../../../assets/basemap/dark.json");

/// Whose work the map is: name and where to read about it.
pub const CREDITS: [(&str, &str); 2] =
    [("Natural Earth", "https://www.naturalearthdata.com"), ("© GeoNames", "https://www.geonames.org")];

/// What has to be said about the map somewhere a user can find it.
pub const CREDITS_TEXT: &str = "Land, waters and borders: Natural Earth, public domain. Borders are its de-facto view: who \
    governs a place, not who claims it. Cities: GeoNames, CC BY 4.0.";

/// Points along a tile's side. The widget counts in tiles of 256, so a tile's zoom is one less than the map's.
const TILE_SIZE: u16 = 512;

/// Decoded tiles that are kept, of both themes together.
const MAX_KEPT: usize = 256;

/// Tiles that may wait for the worker; one that finds no room is asked for again by the next frame.
const MAX_ASKED: usize = 64;

type Key = (Theme, TileId);

/// The embedded map, as the map widget wants its tiles.
pub struct BaseMap {
    source: Arc<Source>,
    theme: Theme,
    /// Where names may stand; `None` is anywhere.
    names: Option<Names>,
    kept: HashMap<Key, Kept>,
    asked: HashSet<Key>,
    /// Counts uses, so that the tile unused for longest can go.
    uses: u64,
    /// `None`: tiles are decoded where they are asked for, so that a test sees a finished map at once.
    worker: Option<Worker>,
}

struct Kept {
    /// `None` where there is nothing to draw: open sea.
    tile: Option<Tile>,
    last_use: u64,
}

impl BaseMap {
    /// With a thread of its own that decodes tiles and repaints `ctx` when one is ready.
    pub fn new(ctx: egui::Context) -> Self {
        let mut map = Self::sync();
        map.worker = Some(Worker::new(Arc::clone(&map.source), ctx));
        map
    }

    /// Without a thread: every tile is there when it is asked for.
    pub fn sync() -> Self {
        Self {
            source: Arc::new(Source::new()),
            theme: Theme::Dark,
            names: None,
            kept: HashMap::new(),
            asked: HashSet::new(),
            uses: 0,
            worker: None,
        }
    }

    /// Chooses the style.
    pub fn set_theme(&mut self, theme: Theme) {
        self.theme = theme;
    }

    /// Where names may stand in the frame that is drawn next.
    pub(super) fn set_names(&mut self, names: Names) {
        self.names = Some(names);
    }

    /// The colour of the sea, to be painted below the tiles: they leave it out.
    pub fn sea(&self) -> Color32 {
        self.source.look(self.theme).sea
    }

    fn take_answers(&mut self) {
        let Some(worker) = &self.worker else { return };
        for (key, tile) in worker.answers.try_iter() {
            self.asked.remove(&key);
            self.kept.insert(key, Kept { tile, last_use: self.uses });
        }
        while self.kept.len() > MAX_KEPT {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, k)| k.last_use).map(|(key, _)| *key) else { return };
            self.kept.remove(&oldest);
        }
    }

    /// Sees to it that the tile is there, now or soon.
    fn ask(&mut self, key: Key) {
        if self.kept.contains_key(&key) || self.asked.contains(&key) {
            return;
        }
        match &self.worker {
            None => {
                let tile = self.source.decode(key);
                self.kept.insert(key, Kept { tile, last_use: self.uses });
            }
            Some(worker) => {
                if worker.asks.as_ref().is_some_and(|asks| asks.try_send(key).is_ok()) {
                    self.asked.insert(key);
                }
            }
        }
    }
}

impl Tiles for BaseMap {
    fn at(&mut self, wanted: TileId) -> Option<TilePiece> {
        self.take_answers();
        self.uses += 1;
        let max_zoom = self.source.archive.max_zoom();
        self.ask((self.theme, above(wanted, wanted.zoom.min(max_zoom)).0));

        let (theme, uses) = (self.theme, self.uses);
        for zoom in (0..=wanted.zoom.min(max_zoom)).rev() {
            let (id, part) = above(wanted, zoom);
            if let Some(kept) = self.kept.get_mut(&(theme, id)) {
                kept.last_use = uses;
                return Some(TilePiece::new(
                    piece(kept.tile.as_ref()?, id, wanted.zoom, part, self.names.as_ref()),
                    part,
                ));
            }
        }
        None
    }

    fn attribution(&self) -> Attribution {
        Attribution { text: CREDITS[0].0, url: CREDITS[0].1, logo_light: None, logo_dark: None }
    }

    fn tile_size(&self) -> u32 {
        TILE_SIZE.into()
    }
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

/// `tile` with only the names that stand in `part`, are shown at `zoom` and find a place: the widget would lay out all of them,
/// once for each piece of the tile.
fn piece(tile: &Tile, id: TileId, zoom: u8, part: Rect, names: Option<&Names>) -> Tile {
    match tile {
        Tile::Raster(texture) => Tile::Raster(texture.clone()),
        Tile::Vector { drawables, texts } => {
            let side = f32::from(TILE_SIZE);
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

/// What tiles are made from.
struct Source {
    archive: Archive<'static>,
    light: Look,
    dark: Look,
}

struct Look {
    style: Style,
    sea: Color32,
}

impl Source {
    fn new() -> Self {
        Self {
            archive: Archive::new(ARCHIVE).expect("a test reads every tile of the embedded archive"),
            light: Look::new(LIGHT_STYLE),
            dark: Look::new(DARK_STYLE),
        }
    }

    fn look(&self, theme: Theme) -> &Look {
        match theme {
            Theme::Light => &self.light,
            Theme::Dark => &self.dark,
        }
    }

    fn decode(&self, (theme, id): Key) -> Option<Tile> {
        let bytes = self.archive.tile(id.zoom, id.x, id.y);
        let tile = bytes.map_err(|e| e.to_string()).and_then(|bytes| match bytes {
            None => Ok(None),
            Some(bytes) => Tile::from_mvt(&bytes, &self.look(theme).style, id.zoom, TILE_SIZE.into())
                .map(Some)
                .map_err(|e| e.to_string()),
        });
        tile.unwrap_or_else(|error| {
            tracing::error!("base map tile {}/{}/{}: {error}", id.zoom, id.x, id.y);
            None
        })
    }
}

impl Look {
    fn new(json: &str) -> Self {
        let mut style: Style = serde_json::from_str(json).expect("a test reads the embedded styles");
        let context = walkers::Context::new(String::new(), HashMap::new(), 0);
        let background = style.layers.iter().find_map(|layer| match layer {
            StyleLayer::Background { paint } => paint.background_color.as_ref(),
            StyleLayer::Fill { .. }
            | StyleLayer::Line { .. }
            | StyleLayer::Symbol { .. }
            | StyleLayer::Circle { .. }
            | StyleLayer::Raster
            | StyleLayer::FillExtrusion => None,
        });
        let sea = background.map_or(Color32::TRANSPARENT, |color| color.evaluate(&context));
        // The sea is painted once below all tiles, not by each.
        style.layers.retain(|layer| !matches!(layer, StyleLayer::Background { .. }));
        Self { style, sea }
    }
}

/// The thread that decodes tiles.
struct Worker {
    /// `None` once it is to stop.
    asks: Option<mpsc::SyncSender<Key>>,
    answers: mpsc::Receiver<(Key, Option<Tile>)>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn new(source: Arc<Source>, ctx: egui::Context) -> Self {
        let (asks, asked) = mpsc::sync_channel::<Key>(MAX_ASKED);
        // Never fuller than what was asked for, so sending does not wait.
        let (answer, answers) = mpsc::sync_channel(MAX_ASKED * 2);
        let work = move || {
            for key in asked {
                if answer.send((key, source.decode(key))).is_err() {
                    return;
                }
                ctx.request_repaint();
            }
        };
        let thread = std::thread::Builder::new().name("base map".to_owned()).spawn(work);
        // Without a thread the map stays empty, which the log explains; everything else works.
        let thread = thread.inspect_err(|e| tracing::error!("no thread for the base map: {e}")).ok();
        Self { asks: Some(asks), answers, thread }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.asks = None;
        // An answer that nobody takes would keep the thread waiting.
        while self.answers.try_recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_decodes_in_both_themes() {
        let source = Source::new();
        let (mut tiles, mut names) = (0, 0);
        for zoom in 0..=source.archive.max_zoom() {
            for (x, y) in (0..1 << zoom).flat_map(|x| (0..1 << zoom).map(move |y| (x, y))) {
                let Some(bytes) = source.archive.tile(zoom, x, y).unwrap() else { continue };
                tiles += 1;
                let themes: &[Theme] = if zoom < 4 { &[Theme::Light, Theme::Dark] } else { &[Theme::Dark] };
                for theme in themes {
                    let tile = Tile::from_mvt(&bytes, &source.look(*theme).style, zoom, TILE_SIZE.into()).unwrap();
                    let Tile::Vector { texts, .. } = tile else { panic!("{zoom}/{x}/{y} is not a vector tile") };
                    names += texts.len();
                }
            }
        }
        assert!(tiles > 900 && names > 30_000, "{tiles} tiles, {names} names");
    }

    #[test]
    fn a_look_deeper_than_the_archive_shows_a_part_of_its_last_tile() {
        let mut map = BaseMap::sync();
        // Brussels, at zoom 12.
        let wanted = TileId { x: 2_097, y: 1_373, zoom: 12 };
        let piece = map.at(wanted).expect("land");
        assert_eq!(piece.uv, Rect::from_min_size(pos2(49.0 / 128.0, 93.0 / 128.0), egui::Vec2::splat(1.0 / 128.0)));
        let names = |map: &mut BaseMap, id| match map.at(id).map(|p| p.tile) {
            Some(Tile::Vector { texts, .. }) => texts.into_iter().map(|t| t.text).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        assert!(names(&mut map, wanted).contains(&"Brussels".to_owned()));
        map.set_theme(Theme::Light);
        assert!(names(&mut map, wanted).contains(&"Brussels".to_owned()));
    }

    #[test]
    fn a_worker_answers_and_stops() {
        let ctx = egui::Context::default();
        let mut map = BaseMap::new(ctx);
        let world = TileId { x: 0, y: 0, zoom: 0 };
        assert!(map.at(world).is_none());
        let answer = map.worker.as_ref().and_then(|w| w.answers.recv().ok());
        let ((_, id), tile) = answer.expect("the worker answers");
        assert_eq!((id, tile.is_some()), (world, true));
    }
}

//! A map file of the user's on the map, above the embedded one: opened and decoded on a thread of its own.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use egui::{Rect, Theme};
use walkers::{Style, Tile, TileId, TilePiece, Tiles, sources::Attribution};

use super::{
    camera::Screen,
    chart_style,
    names::Names,
    stock::{Decoded, Key, Source, Stock, piece},
};
use crate::{
    charts::{About, Chart, Kind, mvt},
    geo::mercator::World,
};

/// Points along the side of a picture, whatever it has in pixels.
const PICTURE_SIDE: u16 = 256;
/// Points along the side of a vector tile: as the embedded map has them, so that names are as large.
const VECTOR_SIDE: u16 = 512;

/// A picture with more pixels a side than this is none.
const MAX_PIXELS: u32 = 2_048;

/// Shapes of a vector tile take about so many times its bytes.
const DRAWN_FACTOR: usize = 8;

/// A file that is shown.
pub(super) struct ChartLayer {
    about: About,
    stock: Stock<File>,
    theme: Theme,
    names: Option<Names>,
    /// What was drawn since the frame began, and in the frame before.
    drawn: Vec<TileId>,
    drawn_before: Vec<TileId>,
}

impl ChartLayer {
    /// The file with this content; `sync` decodes where it is asked for, for tests that look at the picture.
    pub(super) fn new(path: &Path, about: About, ctx: &egui::Context, sync: bool) -> Self {
        let file = File::new(path, &about, ctx.clone());
        let stock = if sync { Stock::sync(file) } else { Stock::threaded(file, "map file", ctx.clone()) };
        Self { about, stock, theme: Theme::Dark, names: None, drawn: Vec::new(), drawn_before: Vec::new() }
    }

    /// What the file says about itself.
    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// What went wrong with it, as one line.
    pub(super) fn problem(&self) -> Option<&str> {
        self.stock.trouble()
    }

    /// To be called before a frame's tiles are drawn.
    pub(super) fn begin(&mut self, theme: Theme) {
        self.theme = theme;
        self.drawn_before = std::mem::take(&mut self.drawn);
    }

    /// Where names may stand in what is drawn next.
    pub(super) fn set_names(&mut self, names: Names) {
        self.names = Some(names);
    }

    /// To be called after them: the names of the map below go where this one is drawn, and come back where it no longer is.
    pub(super) fn end(&self, ctx: &egui::Context) {
        if self.drawn != self.drawn_before {
            ctx.request_repaint();
        }
    }

    /// Where tiles of this map were drawn in the frame before.
    pub(super) fn covered(&self, screen: &Screen) -> impl Iterator<Item = Rect> {
        self.drawn_before.iter().map(|tile| tile_rect(screen, *tile))
    }

    fn side(&self) -> u16 {
        match self.about.kind {
            Kind::Raster => PICTURE_SIDE,
            Kind::Vector => VECTOR_SIDE,
        }
    }
}

/// Where a tile is on the screen.
pub(super) fn tile_rect(screen: &Screen, tile: TileId) -> Rect {
    let side = (-f64::from(tile.zoom)).exp2();
    let corner = |x: u32, y: u32| screen.pos(World { x: f64::from(x) * side, y: f64::from(y) * side });
    Rect::from_min_max(corner(tile.x, tile.y), corner(tile.x + 1, tile.y + 1))
}

impl Tiles for ChartLayer {
    fn at(&mut self, wanted: TileId) -> Option<TilePiece> {
        let side = f32::from(self.side());
        let zooms = self.about.min_zoom..=self.about.max_zoom;
        // A file may have the world coarsely and one town finely.
        let (tile, id, part) = self.stock.find(self.theme, wanted, &zooms, true)?;
        self.drawn.push(wanted);
        Some(TilePiece::new(piece(tile, id, wanted.zoom, part, self.names.as_ref(), side), part))
    }

    fn attribution(&self) -> Attribution {
        // The map draws it itself, because the widget's cannot hold what a file says.
        Attribution { text: "", url: "", logo_light: None, logo_dark: None }
    }

    fn tile_size(&self) -> u32 {
        self.side().into()
    }
}

/// The file on its own thread. It is opened when the first tile is asked for.
struct File {
    path: PathBuf,
    kind: Kind,
    light: Style,
    dark: Style,
    ctx: egui::Context,
    /// Only the worker's thread ever waits for it.
    open: OnceLock<Result<Mutex<Chart>, String>>,
}

impl File {
    fn new(path: &Path, about: &About, ctx: egui::Context) -> Self {
        Self {
            path: path.to_owned(),
            kind: about.kind,
            light: chart_style::style(Theme::Light, about),
            dark: chart_style::style(Theme::Dark, about),
            ctx,
            open: OnceLock::new(),
        }
    }

    fn bytes(&self, id: TileId) -> Result<Option<Vec<u8>>, String> {
        let open = || Chart::open(&self.path).map(Mutex::new).map_err(|e| e.to_string());
        let chart = self.open.get_or_init(open).as_ref().map_err(Clone::clone)?;
        // A panic while reading leaves nothing half done.
        let chart = chart.lock().unwrap_or_else(PoisonError::into_inner);
        chart.tile(id.zoom, id.x, id.y).map_err(|e| e.to_string())
    }

    fn draw(&self, theme: Theme, id: TileId, bytes: &[u8]) -> Result<(Tile, usize), String> {
        match self.kind {
            Kind::Vector => {
                let style = if theme == Theme::Light { &self.light } else { &self.dark };
                let tile = mvt::normal(bytes, |layer| chart_style::draws(style, layer)).map_err(|e| e.to_string())?;
                let drawn = Tile::from_mvt(&tile, style, id.zoom, VECTOR_SIDE.into()).map_err(|e| e.to_string())?;
                Ok((drawn, tile.len() * DRAWN_FACTOR))
            }
            Kind::Raster => {
                let reader =
                    image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
                let (width, height) = reader.into_dimensions().map_err(|_| "its picture cannot be drawn".to_owned())?;
                if width.max(height) > MAX_PIXELS {
                    return Err(format!("its picture has {width} × {height} pixels"));
                }
                let drawn = Tile::new(bytes, &self.light, id.zoom, PICTURE_SIDE.into(), &self.ctx);
                let drawn = drawn.map_err(|_| "its picture cannot be drawn".to_owned())?;
                Ok((drawn, (width * height * 4) as usize))
            }
        }
    }
}

impl Source for File {
    fn decode(&self, (theme, id): Key) -> Decoded {
        let decoded = self.bytes(id).and_then(|bytes| match bytes {
            None => Ok(None),
            Some(bytes) => self
                .draw(theme, id, &bytes)
                .map(Some)
                .map_err(|why| format!("{}: tile {}/{}/{}: {why}", self.path.display(), id.zoom, id.x, id.y)),
        });
        match decoded {
            Ok(Some((tile, bytes))) => Decoded { tile: Some(tile), bytes, trouble: None },
            Ok(None) => Decoded::default(),
            Err(trouble) => {
                tracing::debug!("{trouble}");
                Decoded { trouble: Some(trouble), ..Decoded::default() }
            }
        }
    }
}

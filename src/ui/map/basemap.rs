//! The map inside the program: land, waters, borders and names, drawn without any network.
//!
//! The archive has tiles up to zoom 5. Beyond that its last tiles are enlarged, which shows where a place is among coasts,
//! rivers and towns, and no streets. A tile that is not ready yet is stood in for by a part of one above it.

use std::collections::HashMap;

use egui::{Color32, Theme};
use walkers::{Style, StyleLayer, Tile, TileId, TilePiece, Tiles, sources::Attribution};

use super::{
    names::Names,
    stock::{Decoded, Key, Source, Stock, piece},
};
use crate::charts::pmtiles::Archive;

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

/// The embedded map, as the map widget wants its tiles.
pub struct BaseMap {
    stock: Stock<Embedded>,
    theme: Theme,
    /// Where names may stand; `None` is anywhere.
    names: Option<Names>,
}

impl BaseMap {
    /// With a thread of its own that decodes tiles and repaints `ctx` when one is ready.
    pub fn new(ctx: egui::Context) -> Self {
        Self { stock: Stock::threaded(Embedded::new(), "base map", ctx), theme: Theme::Dark, names: None }
    }

    /// Without a thread: every tile is there when it is asked for.
    pub fn sync() -> Self {
        Self { stock: Stock::sync(Embedded::new()), theme: Theme::Dark, names: None }
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
        self.stock.source().look(self.theme).sea
    }
}

impl Tiles for BaseMap {
    fn at(&mut self, wanted: TileId) -> Option<TilePiece> {
        let zooms = 0..=self.stock.source().archive.max_zoom();
        // Where it has nothing there is open sea.
        let (tile, id, part) = self.stock.find(self.theme, wanted, &zooms, false)?;
        Some(TilePiece::new(piece(tile, id, wanted.zoom, part, self.names.as_ref(), f32::from(TILE_SIZE)), part))
    }

    fn attribution(&self) -> Attribution {
        Attribution { text: CREDITS[0].0, url: CREDITS[0].1, logo_light: None, logo_dark: None }
    }

    fn tile_size(&self) -> u32 {
        TILE_SIZE.into()
    }
}

/// What tiles are made from.
struct Embedded {
    archive: Archive<&'static [u8]>,
    light: Look,
    dark: Look,
}

struct Look {
    style: Style,
    sea: Color32,
}

impl Embedded {
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
}

impl Source for Embedded {
    fn decode(&self, (theme, id): Key) -> Decoded {
        let bytes = self.archive.tile(id.zoom, id.x, id.y);
        let tile = bytes.map_err(|e| e.to_string()).and_then(|bytes| match bytes {
            None => Ok(None),
            Some(bytes) => Tile::from_mvt(&bytes, &self.look(theme).style, id.zoom, TILE_SIZE.into())
                .map(Some)
                .map_err(|e| e.to_string()),
        });
        let tile = tile.unwrap_or_else(|error| {
            tracing::error!("base map tile {}/{}/{}: {error}", id.zoom, id.x, id.y);
            None
        });
        Decoded { tile, ..Decoded::default() }
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

#[cfg(test)]
mod tests {
    use egui::{Rect, pos2};

    use super::*;

    #[test]
    fn every_tile_decodes_in_both_themes() {
        let source = Embedded::new();
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
        assert_eq!(map.stock.wait(), Some((world, true)));
    }
}

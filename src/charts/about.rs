//! What a map file says about itself, in one shape for both kinds of file.

use serde_json::Value;

use super::{
    mvt,
    pmtiles::{Archive, Bytes},
    vocabulary,
};
use crate::geo::{Bounds, LatLon};

/// Deeper than any map goes; a file that says more is taken by this.
pub(super) const MAX_ZOOM: u8 = 24;

/// Letters of a name or an attribution that are shown.
const MAX_TEXT: usize = 300;

/// Layers that are looked at; no map has so many.
const MAX_LAYERS: usize = 200;

/// What is known of a map file.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    pub format: Format,
    pub kind: Kind,
    /// Its own name, else that of the file.
    pub name: String,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// `None` where it says nothing, or the whole world.
    pub bounds: Option<Bounds>,
    /// Whose map it is, without markup.
    pub attribution: String,
    pub schema: Schema,
    /// The layers of vector tiles, by name, as far as they are told.
    pub layers: Vec<String>,
    /// Size of the file.
    pub bytes: u64,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pmtiles,
    Mbtiles,
}

impl Format {
    /// As its makers spell it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pmtiles => "PMTiles",
            Self::Mbtiles => "MBTiles",
        }
    }
}

/// What its tiles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Pictures.
    Raster,
    /// Shapes and names (MVT), which are drawn here.
    Vector,
}

/// In which vocabulary vector tiles are written. Any is drawn; this decides what is below everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Schema {
    /// Land is what is not water: `OpenMapTiles`, Shortbread and most others.
    #[default]
    LandBelow,
    /// Land is drawn upon the sea: Protomaps.
    SeaBelow,
}

impl About {
    /// The layers that no vocabulary knows, in the file's order.
    pub fn foreign_layers(&self) -> Vec<&str> {
        self.layers.iter().map(String::as_str).filter(|layer| !vocabulary::knows(layer)).collect()
    }

    /// True where most layers are foreign: then those with a known name may mean something else by it.
    pub fn is_foreign(&self) -> bool {
        self.kind == Kind::Vector && 2 * self.foreign_layers().len() > self.layers.len()
    }

    /// With the layers of a tile, where the file told none.
    pub(super) fn with_layers_of(mut self, tile: &[u8]) -> Self {
        self.layers = bounded(mvt::layer_names(tile));
        self.schema = schema_of(&self.layers);
        self
    }

    /// With zooms that exist and texts that fit into a line.
    pub(super) fn tidied(mut self) -> Self {
        self.max_zoom = self.max_zoom.min(MAX_ZOOM);
        self.min_zoom = self.min_zoom.min(self.max_zoom);
        self.attribution = plain(&self.attribution);
        self
    }
}

/// Of an archive, whose metadata may be missing.
pub(super) fn of_pmtiles<B: Bytes>(archive: &Archive<B>) -> Result<About, String> {
    let header = archive.header();
    let metadata = archive.metadata().map_err(|e| e.to_string())?;
    let json: Value = serde_json::from_slice(&metadata).unwrap_or_default();
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = match header.tile_type {
        1 => Kind::Vector,
        2..=4 => Kind::Raster,
        5 => return Err("its pictures are AVIF, which this program cannot draw".to_owned()),
        // Nobody said: what a vector tile is not, a picture says of itself.
        _ => kind_of(&text("format"), None),
    };
    let [west, south, east, north] = header.bounds_deg;
    let layers = layers_of(&json);
    Ok(About {
        format: Format::Pmtiles,
        kind,
        name: plain(&text("name")),
        min_zoom: header.min_zoom,
        max_zoom: header.max_zoom,
        bounds: bounds_of(west, south, east, north),
        attribution: text("attribution"),
        schema: schema_of(&layers),
        layers,
        bytes: 0,
    }
    .tidied())
}

/// By the word of the metadata, else by the first bytes of a tile.
pub(super) fn kind_of(format: &str, tile: Option<&[u8]>) -> Kind {
    match format.to_ascii_lowercase().as_str() {
        "pbf" | "mvt" | "application/x-protobuf" | "application/vnd.mapbox-vector-tile" => Kind::Vector,
        "png" | "png8" | "png24" | "png32" | "jpg" | "jpeg" | "webp" | "image/png" | "image/jpeg" => Kind::Raster,
        _ => match tile {
            Some([0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, ..] | [b'R', b'I', b'F', b'F', ..]) => Kind::Raster,
            _ => Kind::Vector,
        },
    }
}

/// The names in `vector_layers` of the metadata.
pub(super) fn layers(json: &str) -> Vec<String> {
    serde_json::from_str(json).map_or_else(|_| Vec::new(), |json| layers_of(&json))
}

fn layers_of(json: &Value) -> Vec<String> {
    let layers = json.get("vector_layers").and_then(Value::as_array).into_iter().flatten();
    bounded(layers.filter_map(|layer| layer.get("id").and_then(Value::as_str).map(str::to_owned)))
}

fn bounded(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().filter(|name| !name.is_empty() && name.len() <= MAX_TEXT).take(MAX_LAYERS).collect()
}

/// The vocabulary, by its layers.
pub(super) fn schema_of(layers: &[String]) -> Schema {
    if layers.iter().any(|name| name == "earth") { Schema::SeaBelow } else { Schema::LandBelow }
}

/// `west,south,east,north` in degrees.
pub(super) fn bounds(text: &str) -> Option<Bounds> {
    let numbers: Vec<f64> = text.split(',').map_while(|n| n.trim().parse().ok()).collect();
    let [west, south, east, north] = numbers[..] else { return None };
    bounds_of(west, south, east, north)
}

fn bounds_of(west: f64, south: f64, east: f64, north: f64) -> Option<Bounds> {
    let corner = |lat: f64, lon: f64| LatLon::new(lat.clamp(-90.0, 90.0), lon.clamp(-180.0, 180.0));
    let is_box = west < east && south < north && (east - west < 359.9 || north - south < 165.0);
    Bounds::around([corner(south, west)?, corner(north, east)?]).filter(|_| is_box)
}

/// Text without markup, entities and line breaks, no longer than a line or two.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    for (entity, sign) in [
        ("&copy;", "©"),
        ("&#169;", "©"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, sign);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_an_attribution_is_left_out() {
        let html = "<a href=\"https://x\" target=_blank>&copy; OpenMapTiles</a>\n &amp; <b>friends</b>";
        assert_eq!(plain(html), "© OpenMapTiles & friends");
        assert_eq!(plain("a <unclosed"), "a");
        assert_eq!(plain(&"x".repeat(999)).len(), MAX_TEXT);
    }

    #[test]
    fn bounds_are_read_where_they_are_some() {
        let found = bounds("4.2, 50.7,4.6,51.0").unwrap();
        assert_eq!(found.south_west(), LatLon::new(50.7, 4.2).unwrap());
        for text in ["", "1,2,3", "4,50,4,51", "a,b,c,d", "-180,-85,180,85", "nan,1,2,3"] {
            assert_eq!(bounds(text), None, "{text}");
        }
    }

    #[test]
    fn pictures_say_so_where_the_metadata_does_not() {
        assert_eq!(kind_of("", Some(b"\x89PNG....")), Kind::Raster);
        assert_eq!(kind_of("", Some(&[0x1F, 0x8B, 8])), Kind::Vector);
        assert_eq!(kind_of("PBF", Some(b"\x89PNG")), Kind::Vector);
        let told = layers(r#"{"vector_layers":[{"id":"water"},{"id":"earth"},{"name":"x"},{"id":""}]}"#);
        assert_eq!(
            (told.as_slice(), schema_of(&told)),
            (["water", "earth"].map(str::to_owned).as_slice(), Schema::SeaBelow)
        );
        assert_eq!((layers("no json"), schema_of(&[])), (Vec::new(), Schema::LandBelow));
    }
}

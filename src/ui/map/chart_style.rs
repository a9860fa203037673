//! How vector tiles of map files look: one plain style for the common vocabularies (`OpenMapTiles`, Protomaps, Shortbread), light and dark.
//!
//! The vocabularies name their layers differently and mean the same things, so one list of drawings with several names each does for all. Layers
//! that are in none of them are drawn plainly, below the others: lines, areas and points in quiet colours.

use egui::Theme;
use serde_json::{Value, json};
use walkers::{Style, StyleLayer};

use crate::charts::{About, Schema};

/// The colours of one theme.
struct Ink {
    land: &'static str,
    sea: &'static str,
    wood: &'static str,
    green: &'static str,
    sand: &'static str,
    ice: &'static str,
    built: &'static str,
    building: &'static str,
    river: &'static str,
    border: &'static str,
    region: &'static str,
    motorway: &'static str,
    road: &'static str,
    minor: &'static str,
    casing: &'static str,
    path: &'static str,
    rail: &'static str,
    text: &'static str,
    faint: &'static str,
    water_text: &'static str,
    halo: &'static str,
}

const LIGHT: Ink = Ink {
    land: "#f4f2ec",
    sea: "#c8dce6",
    wood: "#dce6d2",
    green: "#e6edda",
    sand: "#f3ecd6",
    ice: "#f8fbfd",
    built: "#ebe8e1",
    building: "#dedad0",
    river: "#b4cfdd",
    border: "#a597ad",
    region: "#cfc7bb",
    motorway: "#f0c98a",
    road: "#f8e3b4",
    minor: "#ffffff",
    casing: "#d3ccbf",
    path: "#cdbfae",
    rail: "#b9b4ae",
    text: "#3d444d",
    faint: "#6a717b",
    water_text: "#4f7a91",
    halo: "#f7f5f0",
};

const DARK: Ink = Ink {
    land: "#20262d",
    sea: "#11161c",
    wood: "#1e2a26",
    green: "#222d28",
    sand: "#2a2a27",
    ice: "#2b333b",
    built: "#262c34",
    building: "#2e353e",
    river: "#18222b",
    border: "#5a6272",
    region: "#394350",
    motorway: "#6b5a3c",
    road: "#51493a",
    minor: "#39424c",
    casing: "#181d23",
    path: "#343c45",
    rail: "#3f4852",
    text: "#c3cad3",
    faint: "#8d95a8",
    water_text: "#6d8ba0",
    halo: "#171c22",
};

/// The style of a file in a theme.
pub(super) fn style(theme: Theme, about: &About) -> Style {
    let ink = match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    };
    let below = match about.schema {
        Schema::LandBelow => ink.land,
        Schema::SeaBelow => ink.sea,
    };
    let mut layers = vec![json!({"type": "background", "paint": {"background-color": below}})];
    let foreign = about.foreign_layers();
    if about.is_foreign() {
        // No name at all is all of them: what a file tells of its layers need not be all that is in it.
        layers.extend(plain(&[], ink));
    } else if !foreign.is_empty() {
        layers.extend(plain(&foreign, ink));
    }
    layers.extend(ground(ink));
    layers.extend(roads(ink));
    layers.extend(borders(ink));
    layers.extend(names(ink));
    let style = serde_json::from_value(json!({ "layers": layers }));
    style.expect("a test makes every style")
}

/// True where the style draws something of a layer with this name.
pub(super) fn draws(style: &Style, name: &str) -> bool {
    style.layers.iter().any(|layer| match layer {
        StyleLayer::Fill { source_layer, .. }
        | StyleLayer::Line { source_layer, .. }
        | StyleLayer::Symbol { source_layer, .. } => source_layer.matches(name),
        StyleLayer::Background { .. } | StyleLayer::Circle { .. } | StyleLayer::Raster | StyleLayer::FillExtrusion => {
            false
        }
    })
}

/// True where a feature says one of `words` about what it is: `OpenMapTiles` has `class`, the others `kind`, old Protomaps `pmap:kind`.
fn is(words: &[&str]) -> Value {
    let under = |key: &str| {
        let mut test = vec![json!("in"), json!(key)];
        test.extend(words.iter().map(|word| json!(word)));
        Value::Array(test)
    };
    json!(["any", under("class"), under("kind"), under("pmap:kind"), under("kind_detail")])
}

fn all(tests: &[Value]) -> Value {
    let mut test = vec![json!("all")];
    test.extend_from_slice(tests);
    Value::Array(test)
}

/// Of this shape: `Polygon`, `LineString`, `Point`.
fn shape(name: &str) -> Value {
    json!(["==", "$type", name])
}

/// From this zoom of the tile on.
fn from_zoom(zoom: u8) -> Value {
    json!([">=", ["zoom"], zoom])
}

fn fill(layers: &[&str], filter: &Value, color: &str) -> Value {
    json!({"type": "fill", "source-layer": layers, "filter": filter, "paint": {"fill-color": color}})
}

/// `width`: zoom and points, alternating.
fn line(layers: &[&str], filter: &Value, color: &str, width: &[(f64, f64)]) -> Value {
    let stops = width.iter().flat_map(|(zoom, points)| [json!(zoom), json!(points)]);
    let mut curve = vec![json!("interpolate"), json!(["linear"]), json!(["zoom"])];
    curve.extend(stops);
    json!({"type": "line", "source-layer": layers, "filter": filter, "paint": {"line-color": color, "line-width": curve}})
}

fn dashed(mut line: Value, dashes: [u32; 2]) -> Value {
    line["paint"]["line-dasharray"] = json!(dashes);
    line
}

/// What nobody knows the meaning of. Areas are seen through, because they may lie upon each other.
fn plain(layers: &[&str], ink: &Ink) -> Vec<Value> {
    let mut area = fill(layers, &shape("Polygon"), ink.faint);
    area["paint"]["fill-opacity"] = json!(0.14);
    let mut way = line(layers, &shape("LineString"), ink.faint, &[(4.0, 0.7), (10.0, 1.0), (14.0, 1.6)]);
    way["paint"]["line-opacity"] = json!(0.6);
    // A point that has no name is a dot.
    let text = json!(["coalesce", ["get", "name:latin"], ["get", "name"], ["get", "name:en"], ["get", "name_en"], "•"]);
    let point = json!({
        "type": "symbol", "source-layer": layers, "filter": shape("Point"),
        "layout": {"text-field": text, "text-size": 10.5, "text-padding": 4},
        "paint": {"text-color": ink.faint, "text-halo-color": ink.halo, "text-halo-width": 1.2}
    });
    vec![area, way, point]
}

/// Land, what grows and stands on it, and water.
fn ground(ink: &Ink) -> Vec<Value> {
    let polygon = || shape("Polygon");
    let cover = ["landcover", "landuse", "natural", "land", "park", "sites"];
    let of = |words: &[&str]| all(&[polygon(), is(words)]);
    let water = ["water", "ocean", "water_polygons"];
    let flowing = ["waterway", "water_lines", "physical_line", "water"];
    let wood = ["wood", "forest", "scrub"];
    let green = [
        "grass",
        "grassland",
        "meadow",
        "park",
        "national_park",
        "nature_reserve",
        "protected_area",
        "garden",
        "golf_course",
        "cemetery",
        "pitch",
        "farmland",
        "village_green",
        "recreation_ground",
        "allotments",
        "orchard",
        "vineyard",
        "heath",
        "wetland",
        "playground",
        "public_park",
        "zoo",
    ];
    let built = [
        "residential",
        "urban_area",
        "suburb",
        "neighbourhood",
        "commercial",
        "industrial",
        "retail",
        "railway",
        "school",
        "university",
        "college",
        "hospital",
        "military",
        "airport",
        "aerodrome",
        "stadium",
        "garages",
        "brownfield",
    ];
    vec![
        fill(&["earth"], &polygon(), ink.land),
        fill(&cover, &of(&built), ink.built),
        fill(&cover, &of(&green), ink.green),
        fill(&cover, &of(&wood), ink.wood),
        fill(&cover, &of(&["sand", "beach", "barren", "desert", "bare_rock", "rock"]), ink.sand),
        fill(&cover, &of(&["ice", "glacier", "snowfield"]), ink.ice),
        fill(&water, &polygon(), ink.sea),
        line(&flowing, &shape("LineString"), ink.river, &[(6.0, 0.5), (10.0, 1.0), (14.0, 2.0)]),
        fill(&["building", "buildings"], &all(&[polygon(), from_zoom(12)]), ink.building),
    ]
}

/// From the least to the greatest, each with an edge where it is wide enough to have one.
fn roads(ink: &Ink) -> Vec<Value> {
    const LAYERS: [&str; 3] = ["transportation", "roads", "streets"];
    let way = |words: &[&str], from: u8| all(&[shape("LineString"), is(words), from_zoom(from)]);
    let path = way(&["path", "footway", "track", "pedestrian", "cycleway", "bridleway", "steps"], 13);
    let rail = way(&["rail", "transit", "light_rail", "subway", "tram", "narrow_gauge", "railway"], 9);
    let ferry = way(&["ferry"], 7);
    let minor = way(
        &[
            "minor",
            "minor_road",
            "service",
            "residential",
            "unclassified",
            "living_street",
            "minor_construction",
            "taxiway",
        ],
        11,
    );
    let medium = way(&["tertiary", "secondary", "medium_road", "tertiary_link", "secondary_link"], 8);
    let major = way(&["primary", "trunk", "major_road", "primary_link", "trunk_link", "runway"], 6);
    let motorway = way(&["motorway", "highway", "motorway_link"], 4);
    let widths = |scale: f64| [(6.0, 0.4 * scale), (9.0, 0.8 * scale), (12.0, 1.6 * scale), (14.0, 3.2 * scale)];
    let wider = |scale: f64| widths(scale).map(|(zoom, points)| (zoom, points + 1.2));
    vec![
        dashed(line(&LAYERS, &ferry, ink.river, &[(7.0, 0.8), (14.0, 1.4)]), [4, 4]),
        dashed(line(&LAYERS, &path, ink.path, &[(13.0, 0.8), (14.0, 1.2)]), [3, 2]),
        line(&LAYERS, &minor, ink.casing, &wider(0.9)),
        line(&LAYERS, &medium, ink.casing, &wider(1.3)),
        line(&LAYERS, &major, ink.casing, &wider(1.6)),
        line(&LAYERS, &motorway, ink.casing, &wider(2.0)),
        line(&LAYERS, &minor, ink.minor, &widths(0.9)),
        line(&LAYERS, &medium, ink.minor, &widths(1.3)),
        line(&LAYERS, &rail, ink.rail, &[(9.0, 0.6), (14.0, 1.4)]),
        line(&LAYERS, &major, ink.road, &widths(1.6)),
        line(&LAYERS, &motorway, ink.motorway, &widths(2.0)),
    ]
}

fn borders(ink: &Ink) -> Vec<Value> {
    const LAYERS: [&str; 3] = ["boundary", "boundaries", "admin"];
    let on_land = json!(["!=", "maritime", 1]);
    let country =
        json!(["any", ["==", "admin_level", 2], ["==", "kind", "country"], ["<=", "pmap:min_admin_level", 2]]);
    let region = json!([
        "any",
        ["in", "admin_level", 3, 4],
        ["in", "kind", "region", "macroregion"],
        ["in", "pmap:min_admin_level", 3, 4]
    ]);
    let of = |what: Value| all(&[shape("LineString"), on_land.clone(), what]);
    vec![
        dashed(line(LAYERS.as_slice(), &of(region), ink.region, &[(3.0, 0.6), (10.0, 1.2)]), [4, 3]),
        line(LAYERS.as_slice(), &of(country), ink.border, &[(0.0, 0.7), (6.0, 1.3), (12.0, 2.0)]),
    ]
}

/// The later ones go first where two want the same place.
fn names(ink: &Ink) -> Vec<Value> {
    // In the reader's script where there is one, else as it is written there.
    let text = json!(["coalesce", ["get", "name:latin"], ["get", "name"], ["get", "name:en"], ["get", "name_en"]]);
    let label = |layers: &[&str], filter: &Value, size: f64, color: &str, min_zoom: u8| {
        json!({
            "type": "symbol", "source-layer": layers, "minzoom": min_zoom, "filter": filter,
            "layout": {"text-field": text, "text-size": size, "text-padding": 4},
            "paint": {"text-color": color, "text-halo-color": ink.halo, "text-halo-width": 1.2}
        })
    };
    let places = ["place", "places", "place_labels", "place_label"];
    let point = |words: &[&str]| all(&[shape("Point"), is(words)]);
    // A Protomaps locality says how great it is in `kind_detail`; `is` looks there, too.
    let hamlet = point(&["hamlet", "suburb", "quarter", "neighbourhood", "locality_small", "isolated_dwelling"]);
    let village = point(&["village", "locality"]);
    let streets = ["transportation_name", "roads", "street_labels"];
    let waters = ["water_name", "water_polygons_labels", "water_lines_labels", "water"];
    vec![
        label(&streets, &all(&[shape("LineString"), from_zoom(13)]), 10.0, ink.faint, 13),
        label(&waters, &shape("Point"), 10.5, ink.water_text, 4),
        label(&places, &hamlet, 10.5, ink.faint, 12),
        label(&places, &village, 10.5, ink.faint, 10),
        label(&places, &point(&["town"]), 11.5, ink.text, 7),
        label(&places, &point(&["city", "capital", "state_capital"]), 13.0, ink.text, 4),
        label(&places, &point(&["state", "region", "province"]), 11.0, ink.faint, 5),
        label(&["boundary_labels"], &json!(["==", "admin_level", 2]), 13.0, ink.faint, 2),
        label(&places, &point(&["country"]), 13.0, ink.faint, 1),
    ]
}

#[cfg(test)]
mod tests {
    use walkers::SourceLayer;

    use super::*;
    use crate::charts::{Format, Kind, vocabulary};

    fn about(schema: Schema, layers: &[&str]) -> About {
        let layers = layers.iter().map(|layer| (*layer).to_owned()).collect();
        About {
            format: Format::Pmtiles,
            kind: Kind::Vector,
            name: String::new(),
            min_zoom: 0,
            max_zoom: 14,
            bounds: None,
            attribution: String::new(),
            schema,
            layers,
            bytes: 0,
        }
    }

    #[test]
    fn every_style_is_made_and_names_layers_of_all_vocabularies() {
        for (theme, schema) in [Theme::Light, Theme::Dark]
            .map(|t| (t, Schema::LandBelow))
            .into_iter()
            .chain([(Theme::Light, Schema::SeaBelow), (Theme::Dark, Schema::SeaBelow)])
        {
            let style = style(theme, &about(schema, &["water", "place", "housenumber"]));
            for layer in
                ["water", "transportation", "place", "boundary", "building", "earth", "roads", "places", "ocean"]
            {
                assert!(draws(&style, layer), "{layer}");
            }
            assert!(!draws(&style, "housenumber"));
        }
    }

    #[test]
    fn what_is_styled_is_known_and_what_is_foreign_is_drawn() {
        let usual = style(Theme::Light, &about(Schema::LandBelow, &[]));
        let sources = usual.layers.iter().filter_map(|layer| match layer {
            StyleLayer::Fill { source_layer, .. }
            | StyleLayer::Line { source_layer, .. }
            | StyleLayer::Symbol { source_layer, .. } => Some(source_layer.clone()),
            StyleLayer::Background { .. }
            | StyleLayer::Circle { .. }
            | StyleLayer::Raster
            | StyleLayer::FillExtrusion => None,
        });
        for source in sources {
            let SourceLayer::Many(layers) = source else { panic!("{source} is not a list") };
            assert!(!layers.is_empty() && layers.iter().all(|layer| vocabulary::knows(layer)), "{layers:?}");
        }
        for (layers, drawn, not_drawn) in [
            // One of them has a name that is known by chance.
            (["land", "river", "city"].as_slice(), ["river", "city", "anything"].as_slice(), [].as_slice()),
            (&["water", "roads", "contour"], &["contour"], &["poi", "anything"]),
        ] {
            let style = style(Theme::Dark, &about(Schema::LandBelow, layers));
            assert!(drawn.iter().all(|layer| draws(&style, layer)), "{layers:?}");
            assert!(!not_drawn.iter().any(|layer| draws(&style, layer)), "{layers:?}");
        }
    }
}

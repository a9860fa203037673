//! Map files of the user, from the bytes on disk to the picture, and a world that goes around.

mod fixtures;
mod sheet;
mod world;

use std::path::Path;

use egui::{Rect, Theme, pos2};
use egui_kittest::{Harness, kittest::Queryable as _};
use fixtures::{Feature, Placed, Shape, gzip, mbtiles, picture, pmtiles, vector_tile, webp, zstd};
use wayglass::{
    charts::{About, Chart, Error, Format, Kind, Schema},
    geo::LatLon,
    model::Timestamp,
    ui::{
        Action, Cx, Data, View,
        map::{MapOptions, MapPanel, camera::Camera},
    },
};

/// The tile of zoom 6 around Brussels.
const BRUSSELS: (u8, u32, u32) = (6, 32, 21);

fn at(lat: f64, lon: f64, zoom: f64) -> Camera {
    Camera { center: LatLon::new(lat, lon).unwrap(), zoom }
}

fn square(from: i32, to: i32) -> Shape {
    Shape::Polygon(vec![(from, from), (to, from), (to, to), (from, to)])
}

fn feature(shape: Shape, properties: &[(&'static str, &'static str)]) -> Feature {
    (shape, properties.to_vec())
}

/// A lake, a motorway, a country's border and a city, as each vocabulary has them.
fn town(vocabulary: &str) -> Vec<(&'static str, Vec<Feature>)> {
    let across = || Shape::Line(vec![(0, 3000), (4096, 3000)]);
    let down = || Shape::Line(vec![(3000, 0), (3000, 4096)]);
    let middle = || Shape::Point(1024, 1024);
    match vocabulary {
        "openmaptiles" => vec![
            ("water", vec![feature(square(2048, 3600), &[("class", "lake")])]),
            ("landcover", vec![feature(square(0, 900), &[("class", "wood")])]),
            ("transportation", vec![feature(across(), &[("class", "motorway")])]),
            ("boundary", vec![feature(down(), &[("admin_level", "2")])]),
            ("place", vec![feature(middle(), &[("class", "city"), ("name", "Testville")])]),
        ],
        "protomaps" => vec![
            ("earth", vec![feature(square(0, 4096), &[("kind", "earth")])]),
            ("water", vec![feature(square(2048, 3600), &[("kind", "lake")])]),
            ("landuse", vec![feature(square(0, 900), &[("kind", "forest")])]),
            ("roads", vec![feature(across(), &[("kind", "highway")])]),
            ("boundaries", vec![feature(down(), &[("kind", "country")])]),
            (
                "places",
                vec![feature(middle(), &[("kind", "locality"), ("kind_detail", "city"), ("name", "Testville")])],
            ),
        ],
        _ => vec![
            ("water_polygons", vec![feature(square(2048, 3600), &[("kind", "water")])]),
            ("land", vec![feature(square(0, 900), &[("kind", "forest")])]),
            ("streets", vec![feature(across(), &[("kind", "motorway")])]),
            ("boundaries", vec![feature(down(), &[("admin_level", "2")])]),
            ("place_labels", vec![feature(middle(), &[("kind", "city"), ("name", "Testville")])]),
        ],
    }
}

fn layers_json(layers: &[(&str, Vec<Feature>)]) -> String {
    let ids: Vec<_> = layers.iter().map(|(id, _)| format!("{{\"id\":\"{id}\"}}")).collect();
    format!("{{\"vector_layers\":[{}]}}", ids.join(","))
}

/// One vector tile around Brussels, and the tile above it.
fn vector_tiles(layers: &[(&'static str, Vec<Feature>)]) -> Vec<Placed> {
    let tile = gzip(&vector_tile(layers, 1));
    vec![((5, 16, 10), tile.clone()), (BRUSSELS, tile)]
}

struct Stage {
    map: Option<MapPanel>,
    data: Data,
    view: View,
    actions: Vec<Action>,
}

impl eframe::App for Stage {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let Self { map: Some(map), data, view, actions } = self else { return };
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut cx = Cx { data, view, now, actions };
        egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| map.ui(ui, &mut cx));
    }
}

impl Stage {
    fn drawn(data: Data, camera: Camera, theme: Theme) -> Harness<'static, Self> {
        let builder = Harness::builder().with_size([800.0, 600.0]).with_theme(theme).with_max_steps(12).wgpu();
        builder.build_eframe(move |cc| {
            let options = MapOptions { camera: Some(camera), sync_tiles: true, ..MapOptions::default() };
            let map = Some(MapPanel::new(cc.wgpu_render_state.as_ref(), options));
            Self { map, data, view: View::default(), actions: Vec::new() }
        })
    }

    fn map(&mut self) -> &mut MapPanel {
        self.map.as_mut().unwrap()
    }
}

/// The map with this file above it.
fn shown(path: &Path, camera: Camera, theme: Theme) -> Harness<'static, Stage> {
    let about = Chart::open(path).unwrap().about().clone();
    let mut harness = Stage::drawn(Data::default(), camera, theme);
    harness.state_mut().map().set_chart(Some((path, &about)));
    harness.run();
    harness
}

fn pixel(harness: &mut Harness<'_, Stage>, x: u32, y: u32) -> [u8; 3] {
    let picture = harness.render().unwrap();
    let [rgb @ .., _] = picture.get_pixel(x, y).0;
    rgb
}

fn is_near(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 6)
}

#[test]
fn a_file_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let layers = town("openmaptiles");
    let tiles = vector_tiles(&layers);
    let mb = dir.path().join("belgium.mbtiles");
    let json = layers_json(&layers);
    let metadata = [
        ("name", "Belgium"),
        ("format", "pbf"),
        ("minzoom", "5"),
        ("maxzoom", "6"),
        ("bounds", "4.2,50.7,4.6,51.0"),
        ("attribution", "<a href='https://x'>&copy; OpenMapTiles</a>"),
        ("json", &json),
    ];
    mbtiles(&mb, &metadata, &tiles);
    let about = Chart::open(&mb).unwrap().about().clone();
    let About { format, kind, name, min_zoom, max_zoom, bounds, attribution, schema, layers, bytes } = about;
    assert_eq!((format, kind, name.as_str()), (Format::Mbtiles, Kind::Vector, "Belgium"));
    assert_eq!((min_zoom, max_zoom, attribution.as_str()), (5, 6, "© OpenMapTiles"));
    assert_eq!(bounds.unwrap().north_east(), LatLon::new(51.0, 4.6).unwrap());
    assert_eq!((schema, bytes > 1_000), (Schema::LandBelow, true));
    assert_eq!(layers, ["water", "landcover", "transportation", "boundary", "place"]);

    let pm = dir.path().join("planet of mine.pmtiles");
    pmtiles(&pm, 1, 2, &layers_json(&town("protomaps")), &tiles);
    let about = Chart::open(&pm).unwrap().about().clone();
    assert_eq!(
        (about.format, about.schema, about.name.as_str()),
        (Format::Pmtiles, Schema::SeaBelow, "planet of mine")
    );
    assert_eq!((about.min_zoom, about.max_zoom), (5, 6));
    assert_eq!(about.bounds.unwrap().south_west(), LatLon::new(50.0, 4.0).unwrap());
}

#[test]
fn rows_of_mbtiles_are_counted_from_the_south_and_zooms_are_found_where_nobody_tells_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bare.mbtiles");
    let north = picture([200, 30, 30], 8);
    mbtiles(&path, &[], &[((1, 0, 0), north.clone()), ((3, 4, 4), picture([0; 3], 8))]);
    let chart = Chart::open(&path).unwrap();
    assert_eq!(chart.about().kind, Kind::Raster);
    assert_eq!((chart.about().min_zoom, chart.about().max_zoom), (1, 3));
    assert_eq!(chart.tile(1, 0, 0).unwrap(), Some(north));
    assert_eq!(chart.tile(1, 0, 1).unwrap(), None);
    assert_eq!(chart.tile(1, 0, 9).unwrap(), None, "no such row");
}

#[test]
fn what_is_no_map_or_broken_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let refusal = |name: &str| {
        let error = Chart::open(&path(name)).unwrap_err();
        let line = error.to_string();
        assert!(line.contains(name) && !line.contains('\n'), "{line}");
        (error, line)
    };
    std::fs::write(path("track.gpx"), "<gpx/>").unwrap();
    assert!(matches!(refusal("track.gpx").0, Error::NotAMap { .. }));
    std::fs::create_dir(path("folder.mbtiles")).unwrap();
    refusal("folder.mbtiles");
    assert!(refusal("nowhere.pmtiles").1.ends_with("the file is not there"));
    rusqlite::Connection::open(path("other.mbtiles")).unwrap().execute_batch("CREATE TABLE t(a)").unwrap();
    assert!(refusal("other.mbtiles").1.contains("no table of tiles"));
    pmtiles(&path("brotli.pmtiles"), 1, 3, "{}", &vector_tiles(&town("protomaps")));
    assert!(refusal("brotli.pmtiles").1.contains("brotli"));
    std::fs::write(path("cut.pmtiles"), b"PMTiles\x03 and no more").unwrap();
    refusal("cut.pmtiles");
    // Cut in the middle: it opens, and its tiles are damaged.
    mbtiles(&path("cut.mbtiles"), &[("format", "png")], &[((0, 0, 0), picture([9; 3], 64))]);
    let whole = std::fs::read(path("cut.mbtiles")).unwrap();
    std::fs::write(path("cut.mbtiles"), &whole[..whole.len() / 2]).unwrap();
    let outcome = Chart::open(&path("cut.mbtiles")).and_then(|chart| chart.tile(0, 0, 0));
    assert!(outcome.is_err(), "{outcome:?}");
}

#[test]
fn vector_tiles_of_the_common_vocabularies_are_drawn_in_both_themes() {
    let dir = tempfile::tempdir().unwrap();
    for vocabulary in ["openmaptiles", "protomaps", "shortbread"] {
        let layers = town(vocabulary);
        let path = dir.path().join(format!("{vocabulary}.pmtiles"));
        pmtiles(&path, 1, 2, &layers_json(&layers), &vector_tiles(&layers));
        for (theme, land, water) in [
            (Theme::Light, [0xf4, 0xf2, 0xec], [0xc8, 0xdc, 0xe6]),
            (Theme::Dark, [0x20, 0x26, 0x2d], [0x11, 0x16, 0x1c]),
        ] {
            // The tile of zoom 6 has 512 points a side at the map's zoom 7; the middle of its lake is at 2824 of 4096.
            let mut harness = shown(&path, at(50.0, 2.8, 7.0), theme);
            let word = if theme == Theme::Dark { "dark" } else { "light" };
            crate::support::picture(&mut harness, &format!("chart-{vocabulary}-{word}.png"));
            let place = |x: f64, y: f64| spot(&at(50.0, 2.8, 7.0), BRUSSELS, x, y);
            let (lake, plain) = (place(0.6, 0.6), place(0.35, 0.4));
            assert!(is_near(pixel(&mut harness, lake.0, lake.1), water), "{vocabulary}, {word}: no water");
            assert!(is_near(pixel(&mut harness, plain.0, plain.1), land), "{vocabulary}, {word}: no land");
        }
    }
}

#[test]
fn layers_that_nobody_knows_are_drawn_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let layers = vec![
        ("zones", vec![feature(square(2048, 3600), &[("zone", "A")])]),
        ("tracks", vec![feature(Shape::Line(vec![(0, 1500), (4096, 1500)]), &[("ref", "12")])]),
        ("posts", vec![feature(Shape::Point(1024, 1024), &[("name", "Post 7")])]),
    ];
    let (told, untold, beside) = ("told.pmtiles", "untold.mbtiles", "beside.pmtiles");
    let path = |name: &str| dir.path().join(name);
    pmtiles(&path(told), 1, 2, &layers_json(&layers), &vector_tiles(&layers));
    // Where the metadata is silent, a tile says which layers there are.
    mbtiles(&path(untold), &[("format", "pbf")], &vector_tiles(&layers));
    let mixed: Vec<_> = town("openmaptiles").into_iter().chain(layers).collect();
    pmtiles(&path(beside), 1, 2, &layers_json(&mixed), &vector_tiles(&mixed));
    let camera = at(50.0, 2.8, 7.0);
    let place = |x: f64, y: f64| spot(&camera, BRUSSELS, x, y);
    let (zone, plain, way) = (place(0.55, 0.6), place(0.35, 0.3), place(0.4, 1500.0 / 4096.0));
    for (name, foreign) in [(told, true), (untold, true), (beside, false)] {
        let about = Chart::open(&path(name)).unwrap().about().clone();
        assert_eq!(
            (about.is_foreign(), about.foreign_layers().as_slice()),
            (foreign, ["zones", "tracks", "posts"].as_slice())
        );
        for theme in [Theme::Light, Theme::Dark] {
            let mut harness = shown(&path(name), camera, theme);
            let word = if theme == Theme::Dark { "dark" } else { "light" };
            crate::support::picture(&mut harness, &format!("chart-plain-{name}-{word}.png"));
            let land = pixel(&mut harness, plain.0, plain.1);
            let near_way = (way.1 - 2..=way.1 + 2).map(|y| pixel(&mut harness, way.0, y));
            assert!(near_way.into_iter().any(|rgb| !is_near(rgb, land)), "{name}, {word}: no line");
            assert!(!is_near(pixel(&mut harness, zone.0, zone.1), land), "{name}, {word}: no area");
        }
    }
}

/// Where a part of a tile is on a screen of 800 by 600.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on the screen")]
fn spot(camera: &Camera, (zoom, x, y): (u8, u32, u32), part_x: f64, part_y: f64) -> (u32, u32) {
    let rect = Rect::from_min_size(pos2(0.0, 0.0), egui::vec2(800.0, 600.0));
    let screen = wayglass::ui::map::camera::Screen::new(rect, *camera);
    let side = (-f64::from(zoom)).exp2();
    let world = wayglass::geo::mercator::World { x: (f64::from(x) + part_x) * side, y: (f64::from(y) + part_y) * side };
    let pos = screen.pos(world);
    (pos.x as u32, pos.y as u32)
}

#[test]
fn an_extent_of_its_own_draws_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let layers = town("openmaptiles");
    let path = dir.path().join("fine.mbtiles");
    mbtiles(&path, &[("format", "pbf")], &[(BRUSSELS, gzip(&vector_tile(&layers, 2)))]);
    let camera = at(50.0, 2.8, 7.0);
    let mut harness = shown(&path, camera, Theme::Light);
    let lake = spot(&camera, BRUSSELS, 0.6, 0.6);
    assert!(is_near(pixel(&mut harness, lake.0, lake.1), [0xc8, 0xdc, 0xe6]));
}

#[test]
fn pictures_are_drawn_and_enlarged_beyond_the_deepest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("red.mbtiles");
    mbtiles(&path, &[("format", "png"), ("attribution", "Red & Co")], &[(BRUSSELS, picture([210, 20, 20], 256))]);
    for zoom in [6.0, 8.0, 14.0] {
        let mut harness = shown(&path, at(50.0, 2.8, zoom), Theme::Light);
        let (x, y) = (400, 300);
        assert!(is_near(pixel(&mut harness, x, y), [210, 20, 20]), "zoom {zoom}");
        harness.get_by_label("Red & Co");
    }
    // Where it has nothing, and above its first zoom, the map below is seen.
    for (lat, lon, zoom) in [(50.0, 2.8, 3.5), (40.0, 40.0, 8.0)] {
        let mut harness = shown(&path, at(lat, lon, zoom), Theme::Light);
        assert!(!is_near(pixel(&mut harness, 400, 300), [210, 20, 20]), "{lat} {lon} {zoom}");
    }
}

#[test]
fn webp_pictures_and_tiles_packed_with_zstd_are_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let red = [210, 20, 20];
    mbtiles(&path("webp.mbtiles"), &[("format", "webp")], &[(BRUSSELS, webp(red, 256))]);
    pmtiles(&path("webp.pmtiles"), 4, 1, "{}", &[(BRUSSELS, webp(red, 256))]);
    // Pictures as well, where somebody packed them.
    pmtiles(&path("both.pmtiles"), 4, 4, "{}", &[(BRUSSELS, zstd(&webp(red, 64)))]);
    for name in ["webp.mbtiles", "webp.pmtiles", "both.pmtiles"] {
        let mut harness = shown(&path(name), at(50.0, 2.8, 7.0), Theme::Light);
        assert!(is_near(pixel(&mut harness, 400, 300), red), "{name}");
    }
    let layers = town("protomaps");
    let tile = zstd(&vector_tile(&layers, 1));
    pmtiles(&path("v.pmtiles"), 1, 4, &layers_json(&layers), &[(BRUSSELS, tile.clone())]);
    mbtiles(&path("v.mbtiles"), &[("format", "pbf"), ("json", &layers_json(&layers))], &[(BRUSSELS, tile)]);
    for name in ["v.pmtiles", "v.mbtiles"] {
        let unpacked = Chart::open(&path(name)).unwrap().tile(BRUSSELS.0, BRUSSELS.1, BRUSSELS.2).unwrap();
        assert_eq!(unpacked, Some(vector_tile(&layers, 1)), "{name}");
    }
}

#[test]
fn one_coarse_tile_stands_in_where_a_file_has_nothing_finer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sparse.mbtiles");
    let tiles = [((5, 16, 10), picture([20, 160, 40], 64)), ((9, 0, 0), picture([0; 3], 64))];
    mbtiles(&path, &[("format", "png")], &tiles);
    let mut harness = shown(&path, at(50.0, 2.8, 9.0), Theme::Light);
    assert!(is_near(pixel(&mut harness, 400, 300), [20, 160, 40]));
}

#[test]
fn tiles_that_cannot_be_drawn_are_told_and_hurt_nobody() {
    let dir = tempfile::tempdir().unwrap();
    for (name, format, tile) in [
        ("noise.mbtiles", "pbf", b"\x1a\xff\xff no tile".to_vec()),
        ("torn.mbtiles", "png", picture([1, 2, 3], 64)[..40].to_vec()),
        ("huge.mbtiles", "png", picture([1, 2, 3], 2_500)),
    ] {
        let path = dir.path().join(name);
        mbtiles(&path, &[("format", format)], &[(BRUSSELS, tile)]);
        let harness = shown(&path, at(50.0, 2.8, 7.0), Theme::Dark);
        assert!(harness.query_by_label_contains(name).is_some(), "{name} is not told");
    }
}

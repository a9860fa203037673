//! Small map files, made here: a few vector tiles or pictures in PMTiles and MBTiles.

use std::{io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use wayglass::charts::pmtiles::tile_number;

/// Zoom, column and row from the north, and the bytes.
pub type Placed = ((u8, u32, u32), Vec<u8>);

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A picture of one colour.
pub fn picture(rgb: [u8; 3], side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(side, side, image::Rgb(rgb));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What a feature is made of, in coordinates of 4096 a side.
pub enum Shape {
    Point(i32, i32),
    Line(Vec<(i32, i32)>),
    Polygon(Vec<(i32, i32)>),
}

/// Shape and properties.
pub type Feature = (Shape, Vec<(&'static str, &'static str)>);

fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(u8::try_from(n & 0x7F).unwrap() | 0x80);
        n >>= 7;
    }
    out.push(u8::try_from(n).unwrap());
}

fn field(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn number(out: &mut Vec<u8>, field: u64, n: u64) {
    varint(out, field << 3);
    varint(out, n);
}

fn geometry(shape: &Shape, scale: i32) -> (u64, Vec<u8>) {
    let (kind, points, close) = match shape {
        Shape::Point(x, y) => (1, vec![(*x, *y)], false),
        Shape::Line(points) => (2, points.clone(), false),
        Shape::Polygon(points) => (3, points.clone(), true),
    };
    let (mut out, mut at) = (Vec::new(), (0, 0));
    let zigzag = |n: i32| u64::from(((n << 1) ^ (n >> 31)).cast_unsigned());
    for (index, (x, y)) in points.iter().map(|(x, y)| (x * scale, y * scale)).enumerate() {
        match index {
            0 => varint(&mut out, 1 | 1 << 3),
            1 => varint(&mut out, 2 | (points.len() as u64 - 1) << 3),
            _ => {}
        }
        varint(&mut out, zigzag(x - at.0));
        varint(&mut out, zigzag(y - at.1));
        at = (x, y);
    }
    if close {
        varint(&mut out, 7 | 1 << 3);
    }
    (kind, out)
}

/// A vector tile; `scale` makes its extent so many times 4096.
pub fn vector_tile(layers: &[(&str, Vec<Feature>)], scale: i32) -> Vec<u8> {
    let mut tile = Vec::new();
    for (name, features) in layers {
        let (mut layer, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        number(&mut layer, 15, 2);
        field(&mut layer, 1, name.as_bytes());
        for (shape, properties) in features {
            let (mut feature, mut tags) = (Vec::new(), Vec::new());
            for (key, value) in properties {
                varint(&mut tags, keys.len() as u64);
                varint(&mut tags, values.len() as u64);
                keys.push(*key);
                values.push(*value);
            }
            let (kind, bytes) = geometry(shape, scale);
            field(&mut feature, 2, &tags);
            number(&mut feature, 3, kind);
            field(&mut feature, 4, &bytes);
            field(&mut layer, 2, &feature);
        }
        for key in keys {
            field(&mut layer, 3, key.as_bytes());
        }
        for value in values {
            let mut text = Vec::new();
            // A number where it looks like one, of the kind that many writers use.
            match value.parse::<u64>() {
                Ok(n) => number(&mut text, 5, n),
                Err(_) => field(&mut text, 1, value.as_bytes()),
            }
            field(&mut layer, 4, &text);
        }
        number(&mut layer, 5, u64::try_from(4096 * scale).unwrap());
        field(&mut tile, 3, &layer);
    }
    tile
}

/// A PMTiles archive. `tile_type`: 1 vector, 2 PNG.
pub fn pmtiles(path: &Path, tile_type: u8, packing: u8, metadata: &str, tiles: &[Placed]) {
    let mut numbered: Vec<(u64, &[u8])> =
        tiles.iter().map(|((z, x, y), bytes)| (tile_number(*z, *x, *y).unwrap(), bytes.as_slice())).collect();
    numbered.sort_unstable();
    let mut data = Vec::new();
    let (mut ids, mut runs, mut lengths, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut last = 0;
    for (id, bytes) in &numbered {
        varint(&mut ids, id - last);
        varint(&mut runs, 1);
        varint(&mut lengths, bytes.len() as u64);
        varint(&mut offsets, data.len() as u64 + 1);
        data.extend_from_slice(bytes);
        last = *id;
    }
    let mut root = Vec::new();
    varint(&mut root, numbered.len() as u64);
    root.extend([ids, runs, lengths, offsets].concat());
    let (root, metadata) = (gzip(&root), gzip(metadata.as_bytes()));
    let mut header = vec![0; 127];
    header[..8].copy_from_slice(b"PMTiles\x03");
    let places = [
        (8, 127),
        (16, root.len()),
        (24, 127 + root.len()),
        (32, metadata.len()),
        (40, 127 + root.len() + metadata.len()),
        (56, 127 + root.len() + metadata.len()),
        (64, data.len()),
    ];
    for (at, value) in places {
        header[at..at + 8].copy_from_slice(&(value as u64).to_le_bytes());
    }
    let zooms = tiles.iter().map(|((z, ..), _)| *z);
    (header[97], header[98], header[99]) = (2, packing, tile_type);
    (header[100], header[101]) = (zooms.clone().min().unwrap_or(0), zooms.max().unwrap_or(0));
    for (at, deg) in [(102, 4.0), (106, 50.0), (110, 5.0), (114, 51.5)] {
        #[expect(clippy::cast_possible_truncation, reason = "degrees")]
        let value = (deg * 1e7) as i32;
        header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    std::fs::write(path, [header, root, metadata, data].concat()).unwrap();
}

/// An MBTiles file: rows are turned round as they have to be.
pub fn mbtiles(path: &Path, metadata: &[(&str, &str)], tiles: &[Placed]) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE metadata(name TEXT, value TEXT);
         CREATE TABLE tiles(zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         CREATE UNIQUE INDEX tile_index ON tiles(zoom_level, tile_column, tile_row);",
    )
    .unwrap();
    for (name, value) in metadata {
        db.execute("INSERT INTO metadata VALUES (?1, ?2)", [name, value]).unwrap();
    }
    for ((zoom, x, y), bytes) in tiles {
        let row = (1u32 << zoom) - 1 - y;
        db.execute("INSERT INTO tiles VALUES (?1, ?2, ?3, ?4)", (zoom, x, row, bytes)).unwrap();
    }
}

/// The same picture as [`picture`], as lossless WebP.
pub fn webp(rgb: [u8; 3], side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = rgb.iter().copied().cycle().take(3 * (side * side) as usize).collect();
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
    encoder.encode(&pixels, side, side, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// As zstd packs what it cannot make smaller: a frame of one raw block.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    let mut out = vec![0x28, 0xB5, 0x2F, 0xFD, 0xA0];
    out.extend(len.to_le_bytes());
    out.extend(&(len << 3 | 1).to_le_bytes()[..3]);
    out.extend(bytes);
    out
}

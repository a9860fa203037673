//! The house keeps its shape: layers look down only, every file says what it is, dangerous names stay in their rooms.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each layer and the layers it may name. Reading order is building order; nothing names upward, siblings never name each other.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("geo", &[]),
    ("model", &["geo"]),
    ("charts", &["geo"]),
    ("wire", &["geo", "model"]),
    ("track", &["geo", "model"]),
    ("store", &["geo", "model", "track"]),
    ("export", &["geo", "model", "track"]),
    ("import", &["geo", "model", "wire"]),
    ("capture", &["geo", "model", "wire"]),
    ("sim", &["geo", "model", "wire"]),
    ("ingest", &["geo", "model", "wire", "store"]),
    ("backend", &["geo", "model", "track", "wire", "store", "export", "import", "capture", "sim", "ingest"]),
    ("cli", &["geo", "model", "track", "wire", "store", "export", "import", "capture", "sim", "ingest", "backend"]),
    ("ui", &["geo", "model", "track", "wire", "charts", "export", "import", "capture", "backend"]),
];

/// Names that only some rooms may say: a crate, and the path prefixes under `src/` that may name it.
const ONLY_IN: &[(&str, &[&str])] = &[
    // MBTiles files are SQLite.
    ("rusqlite::", &["store/", "charts/mbtiles.rs"]),
    ("walkers::", &["ui/map/"]),
    ("egui::", &["ui/"]),
    ("eframe::", &["ui/", "main.rs"]),
    ("tokio::net", &["ingest/", "backend/"]),
    // The online map fetches on a thread of its own, as walkers' fetcher did, which it stands in for.
    ("tokio::runtime", &["backend/", "ui/map/fetch.rs"]),
    ("std::process::exit", &["main.rs"]),
];

fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    assert!(found.len() > 30, "only {} files found below {}", found.len(), root.display());
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&path).expect("source files are UTF-8"))
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines of code with their numbers; comments may name anything.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, l)| (i + 1, l.trim_start())).filter(|(_, l)| !l.starts_with("//"))
}

#[test]
fn layers_look_down_only() {
    let mut bad = Vec::new();
    for (name, text) in files() {
        let layer = name.split('/').next().unwrap_or_default();
        let Some((_, allowed)) = MAY_NAME.iter().find(|(l, _)| *l == layer) else { continue };
        for (n, line) in code(&text) {
            for (other, _) in MAY_NAME.iter().filter(|(o, _)| *o != layer && !allowed.contains(o)) {
                let direct = [format!("crate::{other}::"), format!("crate::{other};"), format!("crate::{{{other}")];
                if direct.iter().any(|d| line.contains(d.as_str())) {
                    bad.push(format!("src/{name}:{n}: {layer} may not name {other}"));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_layer_of_the_tree_is_in_the_table() {
    for (name, _) in files() {
        if let Some((layer, _)) = name.split_once('/') {
            assert!(MAY_NAME.iter().any(|(l, _)| *l == layer), "src/{name}: layer {layer} is in no row of MAY_NAME");
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let bad: Vec<_> = files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name).collect();
    assert!(bad.is_empty(), "these do not begin with `//! `: {}", bad.join(", "));
}

#[test]
fn dangerous_names_stay_in_their_rooms() {
    let mut bad = Vec::new();
    for (name, text) in files() {
        for (n, line) in code(&text) {
            for (word, rooms) in ONLY_IN {
                if line.contains(word) && !rooms.iter().any(|room| name.starts_with(room)) {
                    bad.push(format!("src/{name}:{n}: {word} belongs to {}", rooms.join(", ")));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

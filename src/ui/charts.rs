//! The map files that the user has opened: which there are, which one is shown, and what each says about itself.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
};

use serde::{Deserialize, Serialize};

use crate::charts::{About, Chart};

/// Files that are remembered at most; the one that was opened first goes.
pub const MAX_KNOWN: usize = 50;

/// What is remembered between runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Charts {
    /// In the order they were opened, each once.
    pub known: Vec<PathBuf>,
    /// The one above the embedded map.
    pub shown: Option<PathBuf>,
}

impl Charts {
    /// Remembers a file and shows it.
    pub fn add(&mut self, path: PathBuf) {
        if !self.known.contains(&path) {
            self.known.push(path.clone());
        }
        if self.known.len() > MAX_KNOWN {
            self.known.remove(0);
        }
        self.shown = Some(path);
    }

    /// Forgets a file. The file itself stays.
    pub fn remove(&mut self, path: &Path) {
        self.known.retain(|known| known != path);
        if self.shown.as_deref() == Some(path) {
            self.shown = None;
        }
    }
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It is being looked into.
    Reading,
    Known(About),
    /// It cannot be shown, for this reason.
    Failed(String),
}

/// Looks into files on threads of their own: a disk may be asleep, or at the other end of a wire.
pub(super) struct Shelf {
    tell: mpsc::SyncSender<(PathBuf, State)>,
    told: mpsc::Receiver<(PathBuf, State)>,
    under_way: usize,
}

impl Default for Shelf {
    fn default() -> Self {
        let (tell, told) = mpsc::sync_channel(MAX_KNOWN);
        Self { tell, told, under_way: 0 }
    }
}

impl Shelf {
    /// Looks into a file; the answer comes by [`Shelf::take`], and `ctx` is repainted then.
    pub(super) fn look_into(&mut self, ctx: &egui::Context, path: PathBuf) {
        let (tell, ctx) = (self.tell.clone(), ctx.clone());
        let look = move || {
            let opened = std::panic::catch_unwind(|| Chart::open(&path).map(|chart| chart.about().clone()));
            let state = match opened {
                Ok(Ok(about)) => State::Known(about),
                Ok(Err(error)) => State::Failed(error.to_string()),
                Err(_) => State::Failed(format!("{}: damaged", path.display())),
            };
            // The window may be gone by now.
            tell.send((path, state)).ok();
            ctx.request_repaint();
        };
        match std::thread::Builder::new().name("map file".to_owned()).spawn(look) {
            Ok(_) => self.under_way += 1,
            Err(error) => tracing::error!("no thread to look into a map file: {error}"),
        }
    }

    /// What came of the next file that was looked into.
    pub(super) fn take(&mut self) -> Option<(PathBuf, State)> {
        let next = self.told.try_recv().ok()?;
        self.under_way = self.under_way.saturating_sub(1);
        Some(next)
    }

    /// True while an answer is to come.
    pub(super) fn waiting(&self) -> bool {
        self.under_way > 0
    }
}

/// True for what is dropped on the window and is a map by its name.
pub fn is_map_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    matches!(extension.as_deref(), Some("pmtiles" | "mbtiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_remembered_once_and_not_without_end() {
        let mut charts = Charts::default();
        for n in 0..MAX_KNOWN + 5 {
            charts.add(PathBuf::from(format!("{n}.mbtiles")));
            charts.add(PathBuf::from(format!("{n}.mbtiles")));
        }
        assert_eq!(charts.known.len(), MAX_KNOWN);
        assert_eq!(charts.known[0], Path::new("5.mbtiles"));
        let last = charts.shown.clone().unwrap();
        charts.remove(&last);
        assert_eq!((charts.known.len(), charts.shown), (MAX_KNOWN - 1, None));
    }

    #[test]
    fn a_map_file_is_known_by_its_name() {
        for (name, is_one) in [("a.pmtiles", true), ("B.MBTiles", true), ("track.gpx", false), ("pmtiles", false)] {
            assert_eq!(is_map_file(Path::new(name)), is_one, "{name}");
        }
    }
}

//! Map files on their way in: opened, looked into, shown, and taken from what is dropped on the window.

use std::path::PathBuf;

use egui::Context;

use super::App;
use crate::{
    charts::{About, Kind},
    ui::{
        Action,
        charts::{State, is_map_file},
    },
};

impl App {
    /// Looks into what was remembered, and takes in what was found.
    pub(super) fn look_at_charts(&mut self, ctx: &Context) {
        for path in self.view.charts.known.clone() {
            if !self.data.charts.contains_key(&path) {
                self.data.charts.insert(path.clone(), State::Reading);
                self.shelf.look_into(ctx, path);
            }
        }
        while let Some((path, state)) = self.shelf.take() {
            self.learn_chart(path, state);
        }
        let shown = self.view.charts.shown.as_ref();
        let known = shown.and_then(|path| match self.data.charts.get(path) {
            Some(State::Known(about)) => Some((path.as_path(), about)),
            Some(State::Reading | State::Failed(_)) | None => None,
        });
        self.panels.map.set_chart(known);
    }

    /// Opens the map files that were dropped on the window; other files are for others.
    pub(super) fn take_dropped_charts(&mut self, ctx: &Context) {
        let dropped: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_owned()).collect());
        for path in dropped.into_iter().filter(|path| is_map_file(path)) {
            self.apply(ctx, Action::OpenChart(path));
        }
    }

    /// Opens what the command line named: maps are shown, other files are looked at to be imported.
    pub(super) fn take_given(&mut self, ctx: &Context) {
        for path in std::mem::take(&mut self.given) {
            let path = std::path::absolute(&path).unwrap_or(path);
            let open = if is_map_file(&path) { Action::OpenChart(path) } else { Action::OpenImport(Some(path)) };
            self.apply(ctx, open);
        }
    }

    /// Opens a file that was picked, typed or dropped. It is remembered once it has turned out to be a map.
    pub(super) fn open_chart(&mut self, ctx: &Context, path: PathBuf) {
        // The next run may begin in another folder.
        let path = std::path::absolute(&path).unwrap_or(path);
        self.data.chart_trouble = None;
        self.opening = Some(path.clone());
        self.shelf.look_into(ctx, path);
    }

    fn learn_chart(&mut self, path: PathBuf, state: State) {
        let was_opened = self.opening.as_ref() == Some(&path);
        if was_opened {
            self.opening = None;
            match &state {
                State::Known(about) => {
                    if about.is_foreign() {
                        self.toasts.warn(format!("The map shows {}, plainly: its layers are not known", about.name));
                    } else {
                        self.toasts.info(format!("The map shows {}", about.name));
                    }
                    self.view.charts.add(path.clone());
                    self.view.settings.online_map.on = false;
                    self.fit_about(about);
                }
                State::Failed(why) => {
                    self.toasts.error(why.clone());
                    self.data.chart_trouble = Some(why.clone());
                }
                State::Reading => {}
            }
        }
        if self.view.charts.known.contains(&path) {
            self.data.charts.insert(path, state);
        }
    }

    /// Shows a file that is known, or none.
    pub(super) fn show_chart(&mut self, ctx: &Context, path: Option<PathBuf>) {
        if let Some(path) = &path {
            self.view.settings.online_map.on = false;
            // What could not be read before may be there by now.
            if matches!(self.data.charts.get(path), Some(State::Failed(_))) {
                self.data.charts.insert(path.clone(), State::Reading);
                self.shelf.look_into(ctx, path.clone());
            }
        }
        self.view.charts.shown = path;
    }

    /// Looks at where a file has something.
    pub(super) fn fit_chart(&mut self, path: &std::path::Path) {
        if let Some(State::Known(about)) = self.data.charts.get(path).cloned() {
            self.fit_about(&about);
        }
    }

    fn fit_about(&mut self, about: &About) {
        let Some(bounds) = about.bounds else { return };
        // A vector tile is shown from one zoom of the map above its own.
        let above = match about.kind {
            Kind::Raster => 0.0,
            Kind::Vector => 1.0,
        };
        self.panels.map.fit_chart(bounds, f64::from(about.min_zoom) + above);
    }

    pub(super) fn remove_chart(&mut self, path: &std::path::Path) {
        self.view.charts.remove(path);
        self.data.charts.remove(path);
    }
}

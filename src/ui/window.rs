//! The window on the desktop: its size, where its memory lies, and the wake-up that facts give it.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use egui::ViewportBuilder;

use super::{App, Options};
use crate::backend::{Backend, Wake};

/// Names the window to the desktop, and eframe's folder.
const APP_ID: &str = "io.github.wayglass.Wayglass";
/// Facts may come by the thousand; the window follows at 30 Hz.
const COALESCE: Duration = Duration::from_millis(33);

/// What a wake-up will wake, once the window is there.
#[derive(Clone, Default)]
pub struct Wakes(Arc<OnceLock<egui::Context>>);

impl Wakes {
    /// Wakes the window from any thread; nothing before it is open, since it reads everything when it opens.
    pub fn wake(&self) -> Wake {
        let slot = Arc::clone(&self.0);
        Arc::new(move || {
            if let Some(ctx) = slot.get() {
                ctx.request_repaint_after(COALESCE);
            }
        })
    }
}

/// A wake-up for a window that will be opened with [`run`].
pub fn late_wake() -> (Wake, Wakes) {
    let wakes = Wakes::default();
    (wakes.wake(), wakes)
}

/// Opens the window and returns when it is closed and everything is committed.
///
/// Errs where there is no display or no usable graphics.
pub fn run(backend: Backend, wakes: Wakes, options: Options) -> eframe::Result {
    let memory = backend.data_dir().join("window.ron");
    make_private(&memory);
    let native = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Wayglass")
            .with_app_id(APP_ID)
            .with_icon(icon())
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([1024.0, 640.0]),
        renderer: eframe::Renderer::Wgpu,
        centered: true,
        // Beside the store: another folder is another console.
        persistence_path: Some(memory),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        APP_ID,
        native,
        Box::new(move |cc| {
            // Set once: one window, one context.
            wakes.0.set(cc.egui_ctx.clone()).ok();
            Ok(Box::new(App::new(cc, backend, options)))
        }),
    )
}

/// Makes the window's memory where it is missing, for its owner alone: eframe would make it for everybody. Whatever keeps this from
/// working keeps eframe from writing, too, and it says so.
fn make_private(memory: &std::path::Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Ok(mut file) = options.open(memory) {
        // An empty table of what eframe keeps.
        io::Write::write_all(&mut file, b"{}").ok();
    }
}

/// Why no window opens, for a person. `wayland` and `x11`: the displays that the environment names.
pub fn why_no_window(error: &eframe::Error, wayland: Option<&str>, x11: Option<&str>) -> String {
    let said = error.to_string();
    // winit names the place in its own source first.
    let reason = said.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": ")).map_or(said.as_str(), |(_, r)| r);
    let asked_system = matches!(error, eframe::Error::WinitEventLoop(_)) && said.contains("os error");
    match (wayland, x11) {
        (Some(name), _) if asked_system => format!("no Wayland compositor answers at {name}"),
        (None, Some(name)) if asked_system && reason.contains("X server") => format!("no X server answers at {name}"),
        _ => reason.to_owned(),
    }
}

/// The picture that task bars show. Made from `assets/icon.svg`.
fn icon() -> egui::IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).expect("our own picture is a PNG")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_icon_is_a_square() {
        let icon = super::icon();
        assert_eq!((icon.width, icon.height), (256, 256));
    }
}

//! The window on the desktop: its size, where its memory lies, and the wake-up that facts give it.

use std::{error::Error, sync::Arc, time::Duration};

use egui::ViewportBuilder;

use super::{App, Options};
use crate::backend::{Backend, Wake};

/// Names the window to the desktop, and eframe's folder.
const APP_ID: &str = "io.github.wayglass.Wayglass";
/// Facts may come by the thousand; the window follows at 30 Hz.
const COALESCE: Duration = Duration::from_millis(33);

/// Opens the window and returns when it is closed and everything is committed. `start` begins receiving; it is handed what wakes the window.
///
/// Errs where there is no display, no usable graphics, or where `start` does.
pub fn run<E>(start: impl FnOnce(Wake) -> Result<Backend, E>, options: Options) -> eframe::Result
where
    E: Error + Send + Sync + 'static,
{
    let native = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Wayglass")
            .with_app_id(APP_ID)
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([1024.0, 640.0]),
        renderer: eframe::Renderer::Wgpu,
        centered: true,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        APP_ID,
        native,
        Box::new(move |cc| {
            let ctx = cc.egui_ctx.clone();
            let wake: Wake = Arc::new(move || ctx.request_repaint_after(COALESCE));
            let backend = start(wake)?;
            Ok(Box::new(App::new(cc, backend, options)))
        }),
    )
}

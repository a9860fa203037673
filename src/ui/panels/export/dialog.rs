//! The system's file dialog, open on a thread of its own, and whether there is one at all.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, mpsc},
    task::{self, Poll, Wake, Waker},
    thread::{self, Thread},
};

use egui::{Button, Context, RichText, Ui};

use crate::ui::theme;

/// Nobody reads a dialog and cancels it within so many seconds: there was none.
const AT_ONCE_S: f64 = 0.4;

/// What stands beside a field for a path: the dialog, which may be open, and may be missing on this system.
#[derive(Default)]
pub(in crate::ui::panels) struct Browse {
    open: Option<Dialog>,
    missing: bool,
}

impl Browse {
    /// Opens it to save a file of this name. Where there is none the field remains.
    pub(in crate::ui::panels) fn save(&mut self, ctx: Context, title: &str, name: &Path) {
        self.begin(Dialog::save(ctx, title, name));
    }

    /// Opens it to pick a file that is there, beginning beside `beside`, of these extensions where there are any. Where there is none the field
    /// remains.
    pub(in crate::ui::panels) fn pick(
        &mut self,
        ctx: Context,
        title: &str,
        beside: &Path,
        of: Option<(&str, &[&str])>,
    ) {
        self.begin(Dialog::pick(ctx, title, beside, of));
    }

    fn begin(&mut self, dialog: Option<Dialog>) {
        self.missing = dialog.is_none();
        self.open = dialog;
    }

    /// The button, which rests while it is open. True when it was clicked.
    pub(in crate::ui::panels) fn button(&self, ui: &mut Ui) -> bool {
        ui.add_enabled(self.open.is_none(), Button::new("Browse…")).clicked()
    }

    /// The file that was picked, once. `now_s`: by the window's clock.
    pub(in crate::ui::panels) fn picked(&mut self, now_s: f64) -> Option<PathBuf> {
        let ended = self.open.as_ref()?.ended(now_s)?;
        self.open = None;
        match ended {
            Ended::Picked(path) => Some(path),
            Ended::Cancelled => None,
            Ended::Missing => {
                self.missing = true;
                None
            }
        }
    }

    /// Says that there is none, where there is none.
    pub(in crate::ui::panels) fn note(&self, ui: &mut Ui) {
        if self.missing {
            ui.label(RichText::new("No file dialog here: type the path").color(theme::palette(ui).late));
        }
    }
}

/// A dialog that is open.
struct Dialog {
    told: mpsc::Receiver<Option<PathBuf>>,
    /// By the window's clock, in seconds.
    opened_s: f64,
}

/// How a dialog ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Picked(PathBuf),
    Cancelled,
    /// There is none on this system.
    Missing,
}

impl Dialog {
    /// `None` where this system has none, as of the next.
    fn save(ctx: Context, title: &str, name: &Path) -> Option<Self> {
        let mut dialog = near(title, name)?;
        if let Some(file) = name.file_name() {
            dialog = dialog.set_file_name(file.to_string_lossy());
        }
        Some(Self::wait(ctx, dialog.save_file()))
    }

    fn pick(ctx: Context, title: &str, beside: &Path, of: Option<(&str, &[&str])>) -> Option<Self> {
        let mut dialog = near(title, beside)?;
        if let Some((what, extensions)) = of {
            dialog = dialog.add_filter(what, extensions);
        }
        Some(Self::wait(ctx, dialog.pick_file()))
    }

    /// Opened by the caller, because some systems want that on the window's thread; waited for elsewhere.
    fn wait(ctx: Context, picking: impl Future<Output = Option<rfd::FileHandle>> + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let opened_s = ctx.input(|i| i.time);
        thread::spawn(move || {
            let picked = wait_for(picking).map(|file| file.path().to_owned());
            // The sheet may be gone by now.
            tell.send(picked).ok();
            ctx.request_repaint();
        });
        Self { told, opened_s }
    }

    /// How it ended; `None` while it is open. `now_s`: by the window's clock.
    fn ended(&self, now_s: f64) -> Option<Ended> {
        match self.told.try_recv() {
            Ok(Some(path)) => Some(Ended::Picked(path)),
            Ok(None) if now_s - self.opened_s < AT_ONCE_S => Some(Ended::Missing),
            Ok(None) | Err(mpsc::TryRecvError::Disconnected) => Some(Ended::Cancelled),
            Err(mpsc::TryRecvError::Empty) => None,
        }
    }
}

/// A dialog that begins in the folder of this file.
fn near(title: &str, name: &Path) -> Option<rfd::AsyncFileDialog> {
    if cfg!(target_os = "linux") && !linux_has_one(|name| std::env::var_os(name)) {
        return None;
    }
    let dialog = rfd::AsyncFileDialog::new().set_title(title);
    Some(match name.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => dialog.set_directory(folder),
        _ => dialog,
    })
}

/// Sleeps until the future is ready.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut task::Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// True where zenity can be started, or the desktop's portal can. Without asking beforehand, a session bus that starts a portal in
/// vain would keep us waiting for half a minute.
fn linux_has_one(environment: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    let folders = |name: &str, otherwise: &str| {
        let set = environment(name).filter(|set| !set.is_empty()).unwrap_or_else(|| otherwise.into());
        std::env::split_paths(&set).collect::<Vec<_>>()
    };
    let zenity = folders("PATH", "/usr/bin").iter().any(|folder| folder.join("zenity").is_file());
    let bus = environment("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || environment("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    let service = Path::new("dbus-1/services/org.freedesktop.portal.Desktop.service");
    let portal = Path::new("/.flatpak-info").exists()
        || folders("XDG_DATA_DIRS", "/usr/local/share:/usr/share").iter().any(|folder| folder.join(service).is_file());
    zenity || (bus && portal)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_dialog_that_ends_at_once_was_none() {
        for (said, now_s, picked, open, missing) in [
            (Some(None), 1.1, None, false, true),
            (Some(None), 3.0, None, false, false),
            (Some(Some(PathBuf::from("a.gpx"))), 1.1, Some("a.gpx"), false, false),
            (None, 9.0, None, true, false),
        ] {
            let (tell, told) = mpsc::channel();
            if let Some(said) = said {
                tell.send(said).unwrap();
            }
            let mut browse = Browse { open: Some(Dialog { told, opened_s: 1.0 }), missing: false };
            assert_eq!(browse.picked(now_s).as_deref(), picked.map(Path::new));
            assert_eq!((browse.open.is_some(), browse.missing), (open, missing));
        }
    }

    #[test]
    fn a_dialog_needs_zenity_or_bus_and_portal() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "").unwrap();
        };
        let has = |bus: bool| {
            linux_has_one(|name| match name {
                "PATH" | "XDG_DATA_DIRS" => Some(folder.path().into()),
                "DBUS_SESSION_BUS_ADDRESS" if bus => Some("unix:path=/nowhere".into()),
                _ => None,
            })
        };
        assert!(!has(true) && !has(false));
        place("dbus-1/services/org.freedesktop.portal.Desktop.service");
        assert!(has(true) && !has(false));
        place("zenity");
        assert!(has(false));
    }
}

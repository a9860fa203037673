//! The whole application over a real backend: real sockets, a real store, the window that a user sees.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool, mpsc},
    time::{Duration, Instant},
};

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::tz::TimeZone;
use wayglass::{
    backend::{Access, Backend, Https, ListenAt, ReceiverStatus, Setup, bounds::Bounds, logfile::LogFile},
    model::{Keep, PacketId, Policy, Protocol},
    ui::{App, Data, Options, View},
};

use crate::support::{SOON, TestClock, Tracker};

pub const AT_HOME: &str = r#"{"_type":"location","topic":"owntracks/jane/phone","tid":"ja","tst":1795269747,"lat":51.1234,"lon":4.3912,"acc":8,"vel":42,"cog":93,"batt":87,"alt":12}"#;
pub const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
pub const LOGIN_ANSWER: &str = "787805010001D9DC0D0A";
/// Who logs in by [`Desk::log_in`].
pub const TRACKER: &str = "123456789012345";

/// How a [`Desk`] begins.
pub struct Plan {
    pub policy: Policy,
    /// `None`: nobody listens to trackers.
    pub gt06: Option<SocketAddr>,
    pub now: &'static str,
    pub zone: &'static str,
    pub size: [f32; 2],
    /// Draws, so that pictures can be taken.
    pub wgpu: bool,
    pub folder: tempfile::TempDir,
    /// What the command line names.
    pub files: Vec<std::path::PathBuf>,
    /// What an earlier window left.
    pub kept: Option<Kept>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            policy: Policy::Ask,
            gt06: Some(free()),
            now: "2026-11-21T14:02:31Z",
            zone: "UTC",
            size: [1440.0, 900.0],
            wgpu: false,
            folder: tempfile::tempdir().unwrap(),
            files: Vec::new(),
            kept: None,
        }
    }
}

/// What a window keeps between runs.
#[derive(Debug, Default, Clone)]
pub struct Kept(pub HashMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

/// A file that is dropped on the window.
#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it here".to_owned())
    }
}

/// A port that nobody has.
fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The application with its backend in a temporary folder.
pub struct Desk {
    pub window: Harness<'static, App>,
    pub owntracks: SocketAddr,
    pub gt06: SocketAddr,
    pub folder: tempfile::TempDir,
    pub clock: TestClock,
    pub quit: Arc<AtomicBool>,
    pub woken: mpsc::Receiver<()>,
}

impl Desk {
    pub fn open(policy: Policy) -> Self {
        Self::of(Plan { policy, ..Plan::default() })
    }

    pub fn of(plan: Plan) -> Self {
        let Plan { policy, gt06, now, zone, size, wgpu, folder, files, kept } = plan;
        let listen = [(Protocol::OwnTracks, Some(free())), (Protocol::Gt06, gt06)];
        let clock = TestClock::at(now);
        let setup = Setup {
            data_dir: folder.path().to_owned(),
            listen: listen.into_iter().filter_map(|(p, at)| Some((p, ListenAt::Address(at?)))).collect(),
            taps: Vec::new(),
            policy,
            limits: Bounds::default(),
            access: Access::default(),
            https: Https::default(),
            addresses: None,
            keep: Keep::default(),
            settings: None,
            log: LogFile::default(),
            passing: Some(clock.passing()),
        };
        let (tell, woken) = mpsc::sync_channel(1);
        let wake = Arc::new(move || {
            tell.try_send(()).ok();
        });
        let backend = Backend::start(setup, clock.clock(), wake).unwrap();
        backend.wait_settled();
        let bound = |protocol| {
            let line = backend.receivers().into_iter().find(|line| line.protocol == protocol);
            line.and_then(|line| if let ReceiverStatus::Listening(at) = line.status { Some(at) } else { None })
        };
        let (owntracks, gt06) = (bound(Protocol::OwnTracks).unwrap(), bound(Protocol::Gt06).unwrap_or(free()));
        let quit = Arc::new(AtomicBool::new(false));
        let options = Options {
            clock: clock.clock(),
            zone: TimeZone::get(zone).unwrap(),
            quit: Arc::clone(&quit),
            begun: None,
            sync_tiles: true,
            tile_cache: None,
            files,
        };
        let builder = Harness::builder().with_size(size).with_max_steps(20);
        let builder = if wgpu { builder.wgpu() } else { builder };
        let kept = kept.map(|kept| &*Box::leak(Box::new(kept)));
        let window = builder.build_eframe(|cc| {
            cc.storage = kept.map(|kept| kept as &dyn eframe::Storage);
            App::new(cc, backend, options)
        });
        Self { window, owntracks, gt06, folder, clock, quit, woken }
    }

    /// Draws frames until `done`, and nothing changes any more.
    pub fn until(&mut self, what: &str, done: impl FnMut(&Harness<'static, App>) -> bool) {
        self.step_until(what, done);
        self.window.run();
    }

    /// Draws frames until `done`.
    pub fn step_until(&mut self, what: &str, mut done: impl FnMut(&Harness<'static, App>) -> bool) {
        // Histories are told packet by packet, and a busy machine takes one a frame.
        let end = Instant::now() + 4 * SOON;
        loop {
            self.window.step();
            if done(&self.window) {
                return;
            }
            assert!(Instant::now() < end, "still not: {what}");
            self.woken.recv_timeout(Duration::from_millis(20)).ok();
        }
    }

    /// Draws frames until nothing changes any more, however long the store takes.
    pub fn rest(&mut self) {
        let end = Instant::now() + 4 * SOON;
        while self.window.run_ok().is_none() {
            assert!(Instant::now() < end, "it never rests");
            self.woken.recv_timeout(Duration::from_millis(20)).ok();
        }
    }

    pub fn until_shown(&mut self, label: &str) {
        self.until(label, |window| window.query_all_by_label(label).next().is_some());
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run();
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run();
    }

    /// Presses a key that goes from packet to packet until this one is selected.
    #[track_caller]
    pub fn press_to(&mut self, key: Key, packet: PacketId) {
        let most = self.data().packets.len();
        for _ in 0..=most {
            if self.view().selection.packet == Some(packet) {
                return;
            }
            self.press(Modifiers::NONE, key);
        }
        panic!("{key:?} does not lead to {packet:?}, but to {:?}", self.view().selection.packet);
    }

    /// Into whatever has the keyboard.
    pub fn type_text(&mut self, text: &str) {
        self.window.event(egui::Event::Text(text.to_owned()));
        self.window.run();
    }

    /// Into a field of this name, in place of what it holds.
    pub fn type_into(&mut self, field: &str, text: &str) {
        self.window.get_by_role_and_label(Role::TextInput, field).focus();
        self.window.run();
        self.press(Modifiers::COMMAND, Key::A);
        self.type_text(text);
    }

    pub fn view(&self) -> &View {
        self.window.state().view()
    }

    pub fn data(&self) -> &Data {
        self.window.state().data()
    }

    /// What the window would leave to the next one.
    pub fn kept(&mut self) -> Kept {
        let mut kept = Kept::default();
        eframe::App::save(self.window.state_mut(), &mut kept);
        kept
    }

    /// A tracker that stays connected.
    pub fn log_in(&mut self) -> Tracker {
        let mut tracker = Tracker::connect(self.gt06);
        tracker.send(LOGIN);
        tracker.expect(LOGIN_ANSWER);
        self.until("the tracker is known", |window| {
            window.state().data().devices.values().any(|d| d.device.identity.as_str() == TRACKER)
        });
        tracker
    }
}

//! The whole application over a real backend, driven by keys.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool, mpsc},
    time::{Duration, Instant},
};

use egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::tz::TimeZone;
use wayglass::{
    backend::{Access, Backend, Https, ListenAt, ReceiverStatus, Setup, bounds::Bounds, logfile::LogFile},
    model::{Keep, Policy, Protocol},
    ui::{App, Options, View},
};

use crate::support::{SOON, TestClock, Tracker};

pub const AT_HOME: &str = r#"{"_type":"location","topic":"owntracks/jane/phone","tid":"ja","tst":1795269747,"lat":51.1234,"lon":4.3912,"acc":8,"vel":42,"cog":93,"batt":87,"alt":12}"#;
const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ANSWER: &str = "787805010001D9DC0D0A";
/// Who logs in by [`Desk::log_in`].
pub const TRACKER: &str = "123456789012345";

/// The application with its backend in a temporary folder.
pub struct Desk {
    pub window: Harness<'static, App>,
    pub owntracks: SocketAddr,
    pub gt06: SocketAddr,
    pub folder: tempfile::TempDir,
    woken: mpsc::Receiver<()>,
}

impl Desk {
    pub fn open(policy: Policy) -> Self {
        Self::open_sized(policy, [1440.0, 900.0])
    }

    pub fn open_sized(policy: Policy, size: [f32; 2]) -> Self {
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            data_dir: folder.path().to_owned(),
            listen: [Protocol::OwnTracks, Protocol::Gt06].map(|p| (p, ListenAt::Address(free))).to_vec(),
            policy,
            limits: Bounds::default(),
            access: Access::default(),
            https: Https::default(),
            addresses: None,
            keep: Keep::default(),
            settings: None,
            log: LogFile::default(),
        };
        let (tell, woken) = mpsc::sync_channel(1);
        let wake = Arc::new(move || {
            tell.try_send(()).ok();
        });
        let clock = TestClock::at("2026-11-21T14:02:31Z").clock();
        let backend = Backend::start(setup, Arc::clone(&clock), wake).unwrap();
        backend.wait_settled();
        let bound = |protocol| {
            let line = backend.receivers().into_iter().find(|line| line.protocol == protocol).unwrap();
            if let ReceiverStatus::Listening(at) = line.status { at } else { free }
        };
        let (owntracks, gt06) = (bound(Protocol::OwnTracks), bound(Protocol::Gt06));
        let quit = Arc::new(AtomicBool::new(false));
        let (zone, begun, tile_cache) = (TimeZone::get("Asia/Kathmandu").unwrap(), None, None);
        let options = Options { clock, zone, quit, begun, sync_tiles: true, tile_cache };
        let builder = Harness::builder().with_size(size).with_max_steps(20);
        let window = builder.build_eframe(|cc| App::new(cc, backend, options));
        Self { window, owntracks, gt06, folder, woken }
    }

    /// Draws frames until `done`.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Harness<'static, App>) -> bool) {
        let end = Instant::now() + SOON;
        loop {
            self.window.step();
            if done(&self.window) {
                self.window.run();
                return;
            }
            assert!(Instant::now() < end, "still not: {what}");
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

    /// Into whatever has the keyboard.
    pub fn type_text(&mut self, text: &str) {
        self.window.event(egui::Event::Text(text.to_owned()));
        self.window.run();
    }

    pub fn view(&self) -> &View {
        self.window.state().view()
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

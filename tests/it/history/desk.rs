//! The whole application over a real backend whose store has a yesterday.

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
    model::{DeviceId, Keep, Policy, Protocol, Timestamp},
    ui::{App, Data, Options, View},
};

use crate::support::{SOON, TestClock, post, sql};

/// When all of it is looked at; yesterday is November 20.
pub const NOW: &str = "2026-11-21T14:02:31Z";

/// The application with its backend in a temporary folder.
pub struct Desk {
    pub window: Harness<'static, App>,
    pub folder: tempfile::TempDir,
    owntracks: SocketAddr,
    woken: mpsc::Receiver<()>,
}

impl Desk {
    pub fn open() -> Self {
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            data_dir: folder.path().to_owned(),
            listen: vec![(Protocol::OwnTracks, ListenAt::Address(free))],
            policy: Policy::Adopt,
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
        let clock = TestClock::at(NOW).clock();
        let backend = Backend::start(setup, Arc::clone(&clock), wake).unwrap();
        backend.wait_settled();
        let line = backend.receivers().into_iter().find(|line| line.protocol == Protocol::OwnTracks).unwrap();
        let ReceiverStatus::Listening(owntracks) = line.status else { panic!("{line:?}") };
        let quit = Arc::new(AtomicBool::new(false));
        let (zone, begun, tile_cache) = (TimeZone::UTC, None, None);
        let options = Options { clock, zone, quit, begun, sync_tiles: true, tile_cache };
        let builder = Harness::builder().with_size([1440.0, 900.0]).with_max_steps(20);
        let window = builder.build_eframe(|cc| App::new(cc, backend, options));
        Self { window, folder, owntracks, woken }
    }

    /// What a phone tells: seconds of its day, and metres north of where it began.
    pub fn tell(&self, phone: &str, day: &str, way: &[(i64, f64)]) {
        let begin: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        for (second, metres) in way {
            let (tst, lat) = (begin.as_second() + second, 51.0 + metres / 111_195.0);
            let body = format!(
                r#"{{"_type":"location","topic":"owntracks/{phone}/phone","tid":"ph","tst":{tst},"lat":{lat},"lon":4.0,"acc":8,"batt":87}}"#
            );
            assert_eq!(post(self.owntracks, &body).status, 200);
        }
    }

    pub fn view(&self) -> &View {
        self.window.state().view()
    }

    pub fn data(&self) -> &Data {
        self.window.state().data()
    }

    pub fn device(&self, phone: &str) -> DeviceId {
        let name = format!("owntracks/{phone}/phone");
        let found = self.data().devices.values().find(|d| d.device.identity.as_str() == name);
        found.expect("it has told something").device.id
    }

    /// Draws frames until `done`; time in the window goes on by a quarter of a second a frame.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Harness<'static, App>) -> bool) {
        // Histories are told packet by packet, and a busy machine takes one a frame.
        let end = Instant::now() + 4 * SOON;
        loop {
            self.window.step();
            if done(&self.window) {
                // What has just come takes its place.
                self.window.run_steps(3);
                return;
            }
            assert!(Instant::now() < end, "still not: {what}");
            self.woken.recv_timeout(Duration::from_millis(20)).ok();
        }
    }

    pub fn until_shown(&mut self, label: &str) {
        self.until(label, |window| window.query_all_by_label(label).next().is_some());
    }

    pub fn shows(&self, label: &str) -> bool {
        self.window.query_all_by_label(label).next().is_some()
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run_steps(4);
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run_steps(2);
    }

    /// The instant that is looked at, as `2026-11-20 09:10:00`.
    pub fn instant(&self) -> String {
        let at = self.view().instant_ms(NOW.parse().unwrap());
        self.view().date_time(Timestamp::from_millisecond(at).unwrap())
    }

    pub fn count(&self, query: &str) -> i64 {
        sql(self.folder.path(), query)
    }
}

/// Seconds of the day.
pub const fn at(hour: i64, minute: i64) -> i64 {
    hour * 3_600 + minute * 60
}

/// A day of a van: parked until nine, ten minutes north, half an hour at a customer, ten minutes back, parked.
pub fn day() -> Vec<(i64, f64)> {
    let mut way = vec![(at(8, 0), 0.0), (at(8, 30), 0.0), (at(9, 0), 0.0)];
    way.extend((1..=20).map(|n| (at(9, 0) + n * 30, f64::from(i32::try_from(n).unwrap()) * 400.0)));
    way.extend((1..=6).map(|n| (at(9, 10) + n * 300, 8_000.0)));
    way.extend((1..=20).map(|n| (at(9, 40) + n * 30, 8_000.0 - f64::from(i32::try_from(n).unwrap()) * 400.0)));
    way.extend([(at(9, 55), 0.0), (at(12, 0), 0.0)]);
    way
}

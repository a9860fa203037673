//! Stories through the whole application: real sockets, a real store, the window that a user sees.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use egui::{Id, Key, Modifiers, ViewportCommand, ViewportId, accesskit::Role};
use egui_kittest::{Harness, kittest::Queryable as _};
use jiff::tz::TimeZone;
use wayglass::{
    backend::{Access, Backend, Https, Limits, ListenAt, ReceiverStatus, Setup},
    model::{Policy, Protocol},
    ui::{
        App, Options,
        view::{Selection, Sheet},
    },
};

use crate::support::{SOON, TestClock, Tracker, picture, post};

/// The application with its backend in a temporary folder.
struct Desk {
    window: Harness<'static, App>,
    owntracks: SocketAddr,
    gt06: SocketAddr,
    quit: Arc<AtomicBool>,
    woken: mpsc::Receiver<()>,
    folder: tempfile::TempDir,
}

impl Desk {
    fn open(policy: Policy) -> Self {
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        Self::open_at(policy, free)
    }

    fn open_at(policy: Policy, gt06: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let setup = Setup {
            data_dir: folder.path().to_owned(),
            listen: vec![(Protocol::OwnTracks, ListenAt::Address(free)), (Protocol::Gt06, ListenAt::Address(gt06))],
            policy,
            limits: Limits::default(),
            access: Access::default(),
            https: Https::default(),
            addresses: None,
            settings: None,
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
        let options =
            Options { clock, zone: TimeZone::UTC, quit: Arc::clone(&quit), sync_tiles: true, tile_cache: None };
        let window = Harness::builder()
            .with_size([1440.0, 900.0])
            .with_max_steps(20)
            .build_eframe(|cc| App::new(cc, backend, options));
        Self { window, owntracks, gt06, quit, woken, folder }
    }

    /// Draws frames until `done`.
    fn until(&mut self, what: &str, mut done: impl FnMut(&Harness<'static, App>) -> bool) {
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

    fn until_shown(&mut self, label: &str) {
        self.until(label, |window| window.query_all_by_label(label).next().is_some());
    }

    fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run();
    }
}

const AT_HOME: &str = r#"{"_type":"location","topic":"owntracks/jane/phone","tid":"ja","tst":1795269747,"lat":51.1234,"lon":4.3912,"acc":8,"vel":42,"cog":93,"batt":87}"#;
const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const LOGIN_ANSWER: &str = "787805010001D9DC0D0A";

#[test]
fn a_phone_is_adopted_and_its_bytes_are_opened() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("1 new sender");
    desk.click("Adopt owntracks/jane/phone");
    desk.until_shown("Adopted owntracks/jane/phone, 1 position");
    desk.window.get_by_role_and_label(Role::ListItem, "owntracks/jane/phone").click();
    desk.window.run();
    for label in ["51.12340, 4.39120", "87 %", "the message's topic"] {
        desk.window.get_by_label(label);
    }
    desk.click("Open its packet");
    desk.until("the packet is open", |window| {
        window.state().data().opened.as_ref().is_some_and(|o| o.fixes.len() == 1)
    });
    desk.window.get_by_label("As of 14:02:27");
    desk.click("Show latest");
    assert!(desk.window.state().data().opened.is_none());
}

#[test]
fn a_tracker_is_renamed_and_keeps_its_name() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = Tracker::connect(desk.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ANSWER);
    desk.until("the tracker is in the list", |window| {
        window.query_by_role_and_label(Role::ListItem, "123456789012345").is_some()
    });
    desk.window.get_by_role_and_label(Role::ListItem, "123456789012345").click();
    desk.window.run();
    desk.click("Rename");
    desk.window.get_by_label("Name of the device").type_text("Van 7");
    desk.window.run();
    desk.window.key_press(Key::Enter);
    desk.until("it has its name", |window| window.query_by_role_and_label(Role::ListItem, "Van 7").is_some());
}

#[test]
fn a_packet_closes_when_its_device_is_removed() {
    let mut desk = Desk::open(Policy::Adopt);
    desk.until_shown("Connect something");
    desk.click("Start demo");
    desk.until("the demo is on the road", |window| window.state().data().packets.len() > 3);
    desk.window.get_all_by_role(Role::ListBoxOption).next().expect("a packet").click();
    desk.until("a packet of the demo is open", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| opened.row.device.is_some())
    });
    desk.click("Stop and remove");
    desk.until("the demo is gone", |window| window.state().data().devices.is_empty());
    assert!(desk.window.state().data().opened.is_none());
    assert_eq!(desk.window.state().view().selection, Selection::default());
}

#[test]
fn a_taken_port_is_said_and_mended() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let mut desk = Desk::open_at(Policy::Ask, at);
    desk.until("the window says so", |window| {
        window.query_by_label_contains(&format!("GT06 cannot listen on {at}")).is_some()
    });
    drop(taken);
    desk.click("Retry");
    desk.until_shown(&format!("GT06 {at} · this computer only"));
}

#[test]
fn history_leaves_as_gpx() {
    let mut desk = Desk::open(Policy::Adopt);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("the phone is in the list", |window| window.state().data().tally.live == 1);
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    desk.window.run();
    let file = desk.folder.path().join("jane.gpx");
    let field = desk.window.get_by_label("File to write");
    field.focus();
    desk.window.run();
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.window.get_by_label("File to write").type_text(file.to_str().unwrap());
    desk.window.run();
    desk.click("Export");
    desk.until_shown(&format!("1 point → {}", file.display()));
    assert!(std::fs::read_to_string(file).unwrap().contains("<trkpt lat=\"51.1234\" lon=\"4.3912\">"));
}

#[test]
fn the_export_sheet_has_room_for_what_it_says() {
    let mut desk = Desk::open(Policy::Adopt);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("the phone is in the list", |window| window.state().data().tally.live == 1);
    for (size, name) in [([1440.0, 900.0], "wide"), ([1024.0, 640.0], "narrow")] {
        desk.window.set_size(size.into());
        desk.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
        desk.window.run();
        let sheet = |desk: &Desk| {
            let id = Id::unique("sheet").with("Export history");
            desk.window.ctx.memory(|m| m.area_rect(id)).expect("the sheet is open")
        };
        let before = sheet(&desk);
        desk.window.get_by_label("File to write").focus();
        desk.window.run();
        desk.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        let nowhere = format!("/nowhere/{}/jane.gpx", "a-folder-that-is-not-there/".repeat(5));
        desk.window.get_by_label("File to write").type_text(&nowhere);
        desk.window.run();
        desk.click("Export");
        let failed = |window: &Harness<'static, App>| window.query_by_label_contains("Nothing was written").is_some();
        desk.until("it says that it failed", failed);
        let after = sheet(&desk);
        assert!(after.height() > before.height() + 20.0, "{before} {after}");
        for label in ["Export", "Close"] {
            let button = desk.window.get_by_label(label).rect();
            assert!(after.contains_rect(button), "{label} at {button} in {after}");
        }
        let middle = desk.window.ctx.content_rect().center();
        assert!((after.center() - middle).length() < 2.0, "{after} around {middle}");
        for theme in [egui::Theme::Dark, egui::Theme::Light] {
            desk.window.ctx.set_theme(theme);
            desk.window.run();
            picture(&mut desk.window, &format!("export-failed-{name}-{theme:?}.png"));
        }
        desk.window.get_by_label("File to write").focus();
        desk.window.run();
        desk.window.get_by_label("File to write").type_text("x");
        desk.window.run();
        assert!(!failed(&desk.window), "another path has not failed yet");
        desk.window.key_press(Key::Escape);
        desk.window.run();
    }
}

#[test]
fn keys_do_what_the_sheet_says_and_rest_while_one_types() {
    let mut desk = Desk::open(Policy::Adopt);
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until("the phone is in the list", |window| window.state().data().tally.live == 1);
    let open = |desk: &Desk| desk.window.state().view().open;
    desk.window.key_press_modifiers(Modifiers::SHIFT, Key::Questionmark);
    desk.window.run();
    assert_eq!(open(&desk).sheet, Some(Sheet::Keys));
    desk.window.get_by_label("Unselect: field, packet, device");
    desk.window.key_press(Key::Escape);
    desk.window.run();
    assert_eq!(open(&desk).sheet, None);
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::J);
    desk.window.run();
    assert!(!open(&desk).dock);
    desk.window.get_by_role_and_label(Role::ListItem, "owntracks/jane/phone").click();
    desk.window.run();
    desk.window.key_press(Key::F);
    desk.window.run();
    assert!(desk.window.state().view().follow.is_some());
    // While the filter has the cursor, f is a letter, and Escape only leaves the filter.
    desk.window.key_press(Key::Slash);
    desk.window.run();
    desk.window.key_press(Key::F);
    desk.window.run();
    assert!(desk.window.state().view().follow.is_some());
    desk.window.key_press(Key::Escape);
    desk.window.run();
    assert!(desk.window.state().view().selection.device.is_some());
    desk.window.key_press(Key::Escape);
    desk.window.run();
    assert!(desk.window.state().view().selection.device.is_none());
}

#[test]
fn a_quiet_window_draws_nothing() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    // Fails by itself where something asks for frames without end.
    desk.window.run();
    let delay = desk.window.output().viewport_output[&ViewportId::ROOT].repaint_delay;
    assert_eq!(delay, Duration::MAX, "nothing is shown that ages");
}

#[test]
fn it_closes_when_it_is_told() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    desk.quit.store(true, Ordering::Relaxed);
    desk.window.step();
    let commands = &desk.window.output().viewport_output[&ViewportId::ROOT].commands;
    assert!(commands.contains(&ViewportCommand::Close), "{commands:?}");
}

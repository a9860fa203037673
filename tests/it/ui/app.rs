//! Stories through the whole application: real sockets, a real store, the window that a user sees.

mod imports;

use std::{net::TcpListener, sync::atomic::Ordering, time::Duration};

use base64::Engine as _;
use egui::{
    Id, Key, Modifiers, ViewportCommand, ViewportId,
    accesskit::{Role, Toggled},
};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use wayglass::{
    model::Policy,
    store::{self, Store},
    ui::{
        App,
        view::{Selection, Sheet},
    },
};

use crate::{
    desk::{AT_HOME, Desk, LOGIN, LOGIN_ANSWER, Plan},
    support::{Port, TestClock, Tracker, http, picture, post},
};

/// Over a store that has so many packets, one a second.
fn desk_with(packets: i64) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::at("2026-11-21T14:02:31Z").clock();
    Store::open(folder.path(), store::Options::new(clock)).unwrap().close();
    let db = rusqlite::Connection::open(folder.path().join("wayglass.db")).unwrap();
    db.execute(
        "INSERT INTO packets(id, received_ms, protocol, direction, peer, connection, kind, verdict, bytes)
         WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?1)
         SELECT id, 1795230000000 + id * 1000, 'gt06', 'in', '10.0.0.9:4711', 1, 'login', 'ok',
           x'78780D01012345678901234500018CDD0D0A' FROM n",
        [packets],
    )
    .unwrap();
    drop(db);
    Desk::of(Plan { folder, ..Plan::default() })
}

#[test]
fn where_room_is_short_the_new_senders_are_not_what_is_cut_off() {
    let mut desk = Desk::open(Policy::Ask);
    desk.window.set_size([1024.0, 640.0].into());
    assert_eq!(post(desk.owntracks, AT_HOME).status, 200);
    desk.until_shown("1 new");
    let left = |label: &str| desk.window.get_by_label(label).rect().left();
    assert!(left("1 new") < left("0 lost"));
}

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

/// The ids of the packets that are held: first, last.
fn held(window: &Harness<'static, App>) -> (i64, i64) {
    let packets = &window.state().data().packets;
    (packets.front().map_or(0, |p| p.id.0), packets.back().map_or(0, |p| p.id.0))
}

fn top_row(window: &Harness<'static, App>) -> String {
    let rows = window.get_all_by_role(Role::ListBoxOption);
    let top = rows.min_by(|a, b| a.rect().top().total_cmp(&b.rect().top())).expect("rows are listed");
    top.accesskit_node().label().unwrap_or_default()
}

#[test]
fn every_stored_packet_is_counted_and_reached() {
    let mut desk = desk_with(12_000);
    desk.until_shown("12,000");
    desk.until("the newest are there", |window| held(window) == (7_001, 12_000));
    let at = desk.window.get_by_role_and_label(Role::ListBox, "Packets").rect().center();
    desk.window.hover_at(at);
    desk.window.run();
    let row = desk.window.get_all_by_role(Role::ListBoxOption).next().expect("rows are listed").rect().height();
    // To about a hundred rows from the first.
    let (delta, modifiers) = (egui::vec2(0.0, 4_880.0 * row), Modifiers::NONE);
    let (unit, phase) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move);
    let source = egui::MouseWheelSource::Wheel;
    desk.window.event(egui::Event::MouseWheel { unit, delta, phase, modifiers, source });
    let mut tops = Vec::new();
    desk.until("a page of older ones came", |window| {
        tops.push(top_row(window));
        held(window).0 < 7_001
    });
    assert_eq!(held(&desk.window), (5_001, 12_000), "no more than comes near");
    tops.push(top_row(&desk.window));
    // Up and up; never down again by what came above.
    assert!(tops.is_sorted_by(|a, b| a >= b), "{tops:?}");
    desk.window.get_all_by_role(Role::ListBoxOption).nth(1).expect("rows").click();
    desk.window.run();
    let selected = |window: &Harness<'static, App>| window.state().view().selection.packet.map_or(0, |id| id.0);
    desk.window.key_press(Key::Home);
    desk.until("the first packet of all is selected", |window| selected(window) == 1 && held(window).0 == 1);
    let mut tracker = Tracker::connect(desk.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ANSWER);
    desk.until_shown("12,002");
    desk.window.key_press(Key::End);
    desk.until("the newest packet is selected", |window| selected(window) == 12_002 && held(window).1 == 12_002);
    let chosen = |node: &egui_kittest::Node<'_>| node.accesskit_node().toggled() == Some(Toggled::True);
    assert!(desk.window.get_all_by_role(Role::ListBoxOption).any(|row| chosen(&row)), "it is out of view");
    assert_eq!(held(&desk.window), (7_003, 12_002), "nothing else was read");
}

#[test]
fn a_command_goes_out_and_its_answer_comes_back() {
    let mut desk = Desk::open(Policy::Adopt);
    let mut tracker = Tracker::connect(desk.gt06);
    tracker.send(LOGIN);
    tracker.expect(LOGIN_ANSWER);
    desk.until("the tracker is in the list", |window| {
        window.query_by_role_and_label(Role::ListItem, "123456789012345").is_some()
    });
    desk.window.get_by_role_and_label(Role::ListItem, "123456789012345").click();
    desk.window.run();
    desk.window.key_press(Key::C);
    desk.until_shown("connected");
    desk.click("Status: STATUS#");
    desk.window.run();
    let bytes = "787811800b000000015354415455532300014ebc0d0a";
    desk.window.get_by_label(&format!("Bytes {bytes}"));
    desk.window.get_by_role_and_label(Role::Button, "Send").click();
    desk.window.run();
    tracker.expect(bytes);
    tracker.send("78780e1506000000014f4b000200022f080d0a");
    desk.until("the answer is there", |window| {
        window.query_all_by_label_contains("STATUS# answered, after").next().is_some()
    });
    let answered = desk.window.query_all_by_label_contains("STATUS# answered").last().unwrap();
    answered.click();
    desk.until("the packet of the answer is open", |window| {
        window.state().data().opened.as_ref().is_some_and(|opened| opened.row.kind == "answer")
    });
    assert_eq!(desk.window.state().view().open.sheet, None);
}

#[test]
fn a_taken_port_is_said_and_mended() {
    // Nobody else gets it between the one and the other.
    let port = Port::keep();
    let at = port.at();
    let taken = TcpListener::bind(at).unwrap();
    let mut desk = Desk::of(Plan { gt06: Some(at), ..Plan::default() });
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
    // Behind a sheet nothing happens; the sheet's own keys work.
    desk.window.key_press(Key::F10);
    desk.window.run();
    assert_eq!(open(&desk).sheet, Some(Sheet::Settings));
    desk.window.key_press(Key::F);
    desk.window.key_press_modifiers(Modifiers::COMMAND, Key::J);
    desk.window.run();
    assert!(desk.window.state().view().follow.is_some() && !open(&desk).dock);
    desk.window.key_press(Key::Escape);
    desk.window.run();
    assert_eq!(open(&desk).sheet, None);
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
fn a_phone_is_added_and_watched_until_its_first_position() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    desk.click("Add a phone…");
    desk.window.get_by_role_and_label(Role::TextInput, "User").focus();
    desk.window.run();
    desk.window.get_by_role_and_label(Role::TextInput, "User").type_text("jane");
    desk.window.run();
    let field = desk.window.get_by_role_and_label(Role::TextInput, "Sign in with a password");
    let password = field.accesskit_node().value().expect("one was made");
    desk.click("Add phone");
    desk.until_shown("Set up the phone");
    desk.until_shown("What has arrived");
    let body = AT_HOME.as_bytes();
    let sent = |password: &str| {
        let basic = base64::prelude::BASE64_STANDARD.encode(format!("jane:{password}"));
        http(desk.owntracks, "POST", "/pub", &format!("Authorization: Basic {basic}\r\n"), body).status
    };
    let (wrong, right) = (sent("guessed"), sent(&password));
    assert_eq!((wrong, right), (401, 200));
    desk.until_shown("First position at 14:02:31. ");
    desk.until_shown("User and password at 14:02:31. Right");
}

#[test]
fn a_quiet_window_draws_nothing() {
    let mut desk = Desk::open(Policy::Ask);
    desk.until_shown("Connect something");
    // Fails by itself where something asks for frames without end.
    desk.window.run();
    // What was asked at the start is answered in a moment; after that, nothing is shown that ages.
    desk.until("it rests", |window| window.output().viewport_output[&ViewportId::ROOT].repaint_delay == Duration::MAX);
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

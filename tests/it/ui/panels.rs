//! Panels show what the data say and ask for what is clicked.

use std::{net::SocketAddr, path::PathBuf};

use egui::{Key, accesskit::Role};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use wayglass::{
    backend::{Error, ExportJob, ListenAt, ReceiverStatus},
    model::{DeviceId, DeviceState, PacketId, Policy, Protocol, TimeWindow},
    ui::{
        Action,
        data::Tally,
        lamps::Age,
        view::{Settings, Sheet, ThemeChoice},
    },
};

use super::stage::Stage;

type Shown = Harness<'static, Stage>;

fn click(harness: &mut Shown, label: &str) {
    harness.get_by_label(label).click();
    harness.run();
}

/// What was asked for by a click on this label.
fn asked(harness: &mut Shown, label: &str) -> Vec<Action> {
    harness.state_mut().asked.clear();
    click(harness, label);
    harness.state().asked.clone()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> ListenAt {
    ListenAt::Address(address(text))
}

#[test]
fn the_line_at_the_top_tells_where_each_receiver_listens() {
    let waiting = |holder: Option<&str>| ReceiverStatus::Waiting {
        wanted: address("127.0.0.1:5023"),
        error: "permission denied".to_owned(),
        holder: holder.map(str::to_owned),
        retry_at: super::stage::now(),
    };
    for (status, label) in [
        (ReceiverStatus::Listening(address("127.0.0.1:5023")), "GT06 127.0.0.1:5023 · this computer only"),
        (ReceiverStatus::Listening(address("0.0.0.0:5023")), "GT06 0.0.0.0:5023 · whole network"),
        (ReceiverStatus::Listening(address("192.168.1.20:5023")), "GT06 192.168.1.20:5023 · this address only"),
        (ReceiverStatus::Starting, "GT06 starting"),
        (ReceiverStatus::Off, "GT06 off"),
        (waiting(Some("python3 (pid 812)")), "GT06 :5023 in use"),
        (waiting(None), "GT06 :5023 not listening"),
    ] {
        let mut stage = Stage::empty();
        stage.receiver(Protocol::Gt06).status = status;
        stage.shown().get_by_label(label);
    }
}

#[test]
fn a_taken_port_comes_with_its_holder_and_two_cures() {
    let mut stage = Stage::empty();
    // The next port is not free either: the other receiver wants it.
    stage.receiver(Protocol::OwnTracks).wanted = at("127.0.0.1:5024");
    stage.receiver(Protocol::Gt06).status = ReceiverStatus::Waiting {
        wanted: address("127.0.0.1:5023"),
        error: "address in use".to_owned(),
        holder: Some("python3 (pid 812)".to_owned()),
        retry_at: super::stage::now(),
    };
    let mut harness = stage.shown();
    harness.get_by_label("GT06 cannot listen on 127.0.0.1:5023: port in use by python3 (pid 812)");
    assert_eq!(asked(&mut harness, "Use 5025"), [Action::Listen(Protocol::Gt06, at("127.0.0.1:5025"))]);
    assert_eq!(asked(&mut harness, "Retry"), [Action::Retry(Protocol::Gt06)]);
}

#[test]
fn a_receiver_can_be_opened_to_the_network_and_closed_again() {
    let mut harness = Stage::fleet().shown();
    click(&mut harness, "GT06 127.0.0.1:5023 · this computer only");
    let wanted = Action::Listen(Protocol::Gt06, at("0.0.0.0:5023"));
    assert_eq!(asked(&mut harness, "Whole network"), [wanted]);
    assert_eq!(asked(&mut harness, "Off"), [Action::Listen(Protocol::Gt06, ListenAt::Off)]);
}

#[test]
fn an_empty_list_says_how_to_connect() {
    let mut harness = Stage::empty().tall();
    harness.get_by_label("Only this computer can reach the receiver yet.");
    harness.get_by_label("http://192.168.1.20:5144");
    let wanted = Action::Listen(Protocol::OwnTracks, at("0.0.0.0:5144"));
    assert_eq!(asked(&mut harness, "Listen to the whole network"), [wanted]);
    harness.get_by_role_and_label(Role::Button, "GT06 tracker").click();
    harness.run();
    let sms = "SERVER,0,192.168.1.20,5023,0#";
    harness.get_by_label(sms);
    assert_eq!(asked(&mut harness, &format!("Copy {sms}")), [Action::Copy(sms.to_owned(), "the SMS")]);
    assert_eq!(asked(&mut harness, "Start demo"), [Action::StartDemo]);
}

#[test]
fn nothing_is_said_about_an_empty_list_before_the_store_has_answered() {
    let mut stage = Stage::empty();
    stage.data.loaded = false;
    assert!(stage.shown().query_by_label("Connect something").is_none());
}

#[test]
fn the_filter_finds_names_and_identities() {
    for (text, count) in [("van", "3 of 8"), ("8373458", "1 of 8"), ("jane/phone", "1 of 8"), ("nobody", "0 of 8")] {
        let mut harness = Stage::fleet().shown();
        harness.get_by_label("Filter devices").focus();
        harness.run();
        harness.get_by_label("Filter devices").type_text(text);
        harness.run();
        harness.get_by_label(count);
    }
}

/// The names of the rows from top to bottom.
fn rows(harness: &Shown) -> Vec<String> {
    let mut rows: Vec<_> = harness
        .get_all_by_role(Role::ListItem)
        .filter_map(|node| Some((node.rect().top(), node.accesskit_node().label()?)))
        .filter(|(_, name)| !name.starts_with("New sender"))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).collect()
}

fn tall() -> Shown {
    Stage::fleet().tall()
}

#[test]
fn devices_are_sorted_as_people_count() {
    let mut harness = tall();
    let names = rows(&harness);
    let vans: Vec<_> = names.iter().filter(|name| name.starts_with("Van")).collect();
    assert_eq!(vans, ["Van 3", "Van 7", "Van 12"]);
    click(&mut harness, "Sorted upwards: turn round");
    let turned: Vec<_> = names.into_iter().rev().collect();
    assert_eq!(rows(&harness), turned);
}

#[test]
fn devices_are_sorted_by_what_is_chosen() {
    for (sort, first, last) in [("Last heard", "Van 7", "Trailer 2"), ("State", "Van 3", "Trailer 2")] {
        let mut harness = tall();
        // The time bar has some, too.
        let sorting = harness.get_all_by_role(Role::ComboBox);
        sorting.min_by(|a, b| a.rect().top().total_cmp(&b.rect().top())).unwrap().click();
        harness.run();
        click(&mut harness, sort);
        let names = rows(&harness);
        assert_eq!((names.first().unwrap().as_str(), names.last().unwrap().as_str()), (first, last), "by {sort}");
    }
}

#[test]
fn only_what_is_in_view_is_built() {
    let harness = Stage::crowd(10_000).shown();
    assert!(harness.query_all_by_label("10,000").next().is_some());
    assert!(harness.get_all_by_role(Role::ListItem).count() < 40);
}

#[test]
fn a_click_selects_and_the_arrows_go_on() {
    let mut harness = tall();
    assert!(asked(&mut harness, "Van 3").contains(&Action::SelectDevice(Some(DeviceId(3)))));
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert_eq!(harness.state().view.selection.device, Some(DeviceId(1)));
    harness.key_press(Key::ArrowUp);
    harness.run();
    assert_eq!(harness.state().view.selection.device, Some(DeviceId(3)));
}

#[test]
fn a_new_sender_is_decided_about_in_its_row() {
    let mut harness = Stage::fleet().shown();
    harness.get_by_label("2 new senders");
    assert_eq!(asked(&mut harness, "Adopt 359339075001122"), [Action::Adopt(DeviceId(9))]);
    assert_eq!(asked(&mut harness, "Ignore 359339075001122"), [Action::Ignore(DeviceId(9))]);
}

#[test]
fn new_senders_are_filtered_and_adopted_together() {
    let mut harness = Stage::fleet().shown();
    assert_eq!(asked(&mut harness, "Adopt all").len(), 2);
    harness.get_by_label("Filter devices").focus();
    harness.run();
    harness.get_by_label("Filter devices").type_text("359339075001122");
    harness.run();
    harness.get_by_label("1 of 2 new senders");
    assert!(harness.query_by_label("Adopt all").is_none());
    assert_eq!(asked(&mut harness, "Adopt 359339075001122"), [Action::Adopt(DeviceId(9))]);
}

#[test]
fn details_tell_what_the_device_told() {
    let mut stage = Stage::fleet();
    stage.select(4);
    let mut harness = stage.shown();
    for label in ["51.18000, 4.40000", "093° E", "87 %", "48,211 km", "Heard 14 s ago", "Fix 14 s ago"] {
        harness.get_by_label(label);
    }
    assert!(asked(&mut harness, "Open its packet").contains(&Action::SelectPacket(PacketId(4_030))));
    assert_eq!(asked(&mut harness, "Follow"), [Action::Follow(Some(DeviceId(4)))]);
    assert_eq!(asked(&mut harness, "Fit"), [Action::FitDevice(DeviceId(4))]);
    assert_eq!(asked(&mut harness, "Export…"), [Action::OpenExport(Some(DeviceId(4)))]);
}

#[test]
fn a_device_is_renamed_in_place() {
    let mut stage = Stage::fleet();
    stage.select(6);
    let mut harness = stage.shown();
    click(&mut harness, "Rename");
    harness.get_by_label("Name of the device").type_text("Lorry");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(harness.state().asked.contains(&Action::Rename(DeviceId(6), "Lorry".to_owned())));
}

#[test]
fn a_viewer_says_so_and_a_demo_can_be_ended() {
    let mut stage = Stage::fleet();
    stage.data.station.viewer = true;
    stage.data.station.demo = true;
    let mut harness = stage.shown();
    harness.get_by_label("Another Wayglass receives into this folder. This window only looks on.");
    assert_eq!(asked(&mut harness, "Stop and remove"), [Action::StopDemo]);
}

#[test]
fn what_is_not_stored_is_said_with_what_to_do() {
    let read_only = Error::Open { path: "/srv/wayglass".into(), reason: "the disk is read-only".to_owned() };
    for (trouble, said, then) in [
        (Error::Full, "The disk is full: nothing is stored.", "Make room; it goes on by itself."),
        (Error::Locked, "Another program holds the database: nothing is stored.", "It goes on by itself."),
        (Error::Died, "A fault in this program ended its writer: nothing is stored.", "start it again."),
        (
            read_only,
            "Nothing is received: cannot open /srv/wayglass: the disk is read-only.",
            "This window only shows what can be read.",
        ),
    ] {
        let mut stage = Stage::fleet();
        stage.data.station.viewer = matches!(trouble, Error::Open { .. });
        stage.data.station.store_trouble = Some(trouble);
        let harness = stage.shown();
        harness.get_by_label(said);
        harness.get_by_label_contains(then);
        assert!(harness.query_by_label_contains("Another Wayglass").is_none(), "one reason is enough");
    }
}

#[test]
fn settings_are_asked_for_as_a_whole() {
    let mut stage = Stage::fleet();
    stage.view.open.sheet = Some(Sheet::Settings);
    let mut harness = stage.shown();
    let light = Settings { theme: ThemeChoice::Light, ..Settings::default() };
    assert_eq!(asked(&mut harness, "Light"), [Action::SetSettings(light)]);
    assert_eq!(asked(&mut harness, "Only known"), [Action::SetPolicy(Policy::Strict)]);
}

#[test]
fn export_asks_for_who_when_and_where() {
    let mut stage = Stage::fleet();
    stage.view.open.sheet = Some(Sheet::Export);
    // By label, so this one stands at the top, in view, whatever its id.
    let adopted =
        stage.data.in_state(DeviceState::Adopted).map(|d| (d.device.label().to_lowercase(), d.device.clone()));
    let first = adopted.min_by(|a, b| a.0.cmp(&b.0)).unwrap().1;
    let mut harness = stage.shown();
    click(&mut harness, "All devices (8)");
    assert!(asked(&mut harness, "Export").is_empty(), "nobody is chosen");
    harness
        .get_all_by_role(Role::CheckBox)
        .find(|n| n.accesskit_node().label().as_deref() == Some(first.label()))
        .unwrap()
        .click();
    harness.run();
    click(&mut harness, "Everything");
    let asked = asked(&mut harness, "Export");
    let [Action::Export(ExportJob { history, to, each: false })] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((history.devices.as_slice(), history.window), ([first.id].as_slice(), TimeWindow::ALL));
    assert_eq!(history.wanted, wayglass::export::Wanted::default());
    assert_eq!(to.file_name(), PathBuf::from(format!("{} until 2026-11-21.gpx", first.label())).file_name());
}

#[test]
fn a_connection_that_stands_is_a_live_link_however_silent() {
    let mut stage = Stage::fleet();
    let silent = DeviceId(5);
    let health = |stage: &Stage| stage.data.health(&stage.data.devices[&silent], stage.now);
    assert_ne!(health(&stage).link.age, Age::Fresh, "the case needs a silent device");
    stage.data.remote.connected.insert(silent);
    let connected = health(&stage);
    assert_eq!(connected.link.age, Age::Fresh);
    assert!(connected.link.sentence().starts_with("Connected, "), "{}", connected.link.sentence());
    assert_eq!(connected.fix.age, Age::Stale, "the fix is as old as it is");
}

#[test]
fn the_health_sheet_says_what_is_wrong_first() {
    let mut stage = Stage::fleet();
    stage.view.open.sheet = Some(Sheet::Health);
    stage.data.health = Some(super::stage::health());
    let mut shown = stage.tall();
    shown.run();
    for label in [
        "Store: nothing has been stored for 2 min: the disk is full (7 attempts failed)",
        "GT06 receiver: cannot listen on 127.0.0.1:5023: port in use, held by python3 (pid 812)",
        "Packets: 2.0 a second over the last minute",
        "12 of 12,000 connections",
        "Frames with a wrong checksum, kept and not answered",
        "1,204",
        "8 h ahead",
        "2 days",
        "Open log folder",
    ] {
        assert!(shown.query_all_by_label(label).next().is_some(), "{label}");
    }
    assert_eq!(asked(&mut shown, "Open log folder"), [Action::OpenLogFolder]);
    assert_eq!(asked(&mut shown, "Profile…"), [Action::OpenProfile(DeviceId(1))]);
    let copied = asked(&mut shown, "Copy as JSON");
    assert!(matches!(copied.as_slice(), [Action::Copy(json, _)] if json.contains("\"bad_checksum\"")), "{copied:?}");
}

#[test]
fn a_store_that_cannot_write_is_told_above_everything() {
    let mut stage = Stage::fleet();
    stage.data.station.store_trouble = Some(Error::Full);
    let mut shown = stage.shown();
    shown.run();
    shown.get_by_label("The disk is full: nothing is stored.");
    assert_eq!(asked(&mut shown, "Health"), [Action::Sheet(Some(Sheet::Health))]);
    shown.state_mut().view.open.sheet = None;
    shown.run();
    assert_eq!(asked(&mut shown, "not storing"), [Action::Sheet(Some(Sheet::Health))]);
}

/// Where the tooltip that says this is, once the pointer rests on this place.
fn rest_on(harness: &mut Shown, place: egui::Pos2, tooltip: &str) -> egui::Rect {
    harness.hover_at(place);
    harness.run_steps(8);
    let found = harness.query_by_label_contains(tooltip);
    found.unwrap_or_else(|| panic!("no tooltip says {tooltip:?}")).rect()
}

#[test]
fn the_rule_of_ages_stands_beside_the_panes_and_goes_when_a_sheet_opens() {
    let mut stage = Stage::fleet();
    stage.select(1);
    let mut harness = stage.tall();
    harness.run();
    let lamp = harness.get_by_label_contains("Fix 4 s ago").rect();
    let rule = rest_on(&mut harness, lamp.center(), "Late after");
    assert!(rule.right() < lamp.left(), "beside the details: {rule} {lamp}");
    let row = harness.get_by_role_and_label(Role::ListItem, "Van 7").rect();
    let rule = rest_on(&mut harness, row.center(), "Late after");
    assert!(rule.left() >= row.right(), "beside the list: {rule} {row}");
    // As by a key: the pointer rests where it is.
    harness.state_mut().view.open.sheet = Some(Sheet::Settings);
    harness.run_steps(8);
    assert!(harness.query_by_label_contains("Late after").is_none(), "it lies over the sheet");
    harness.state_mut().view.open.sheet = None;
    harness.run_steps(2);
    rest_on(&mut harness, row.center() + egui::vec2(1.0, 0.0), "Late after");
}

#[test]
fn the_counts_at_the_top_tell_late_stale_lost_and_imported_apart() {
    let mut stage = Stage::fleet();
    // All that is known of it is from a file.
    stage.data.devices.get_mut(&DeviceId(6)).unwrap().device.last_heard = None;
    stage.data.roster += 1;
    let now = stage.now;
    stage.data.count(now);
    let tally = stage.data.tally;
    assert_eq!((tally.live, tally.late, tally.stale, tally.lost, tally.imported), (5, 0, 1, 1, 1));
    let mut harness = stage.tall();
    harness.run();
    for label in ["5 live", "0 late", "1 stale", "1 lost", "1 imported"] {
        harness.get_by_label(label);
    }
    let row = harness.get_by_role_and_label(Role::ListItem, "868120148373460").accesskit_node().value();
    assert_eq!(row.as_deref(), Some("imported. Never heard. Fix 1 h ago."));
}

#[test]
fn nothing_of_the_line_at_the_top_is_cut_however_many_there_are() {
    for (width, height) in [(1_024.0, 640.0), (1_260.0, 800.0), (1_440.0, 900.0)] {
        for n in [0, 7, 12_345] {
            let mut stage = Stage::fleet();
            stage.data.tally = Tally { live: n, late: n, stale: n, lost: n, imported: n, new: n };
            let mut harness = stage.shown();
            harness.set_size(egui::vec2(width, height));
            harness.run();
            let tools = harness.get_by_label("Devices pane (Ctrl+B)").rect();
            let count = wayglass::ui::format::count(n);
            let rate = harness.get_by_label_contains("/s").rect();
            for label in ["live", "late", "stale", "lost", "imported"].map(|word| format!("{count} {word}")) {
                if n > 0 {
                    let rect = harness.get_by_label(&label).rect();
                    assert!(rect.right() <= rate.left() + 1.0, "{label} in {width}: {rect}");
                }
            }
            assert!(rate.right() <= tools.left() + 1.0, "{n} of each in {width}: {rate} {tools}");
            // What is left out comes back where there is room.
            let address = harness.query_by_label_contains("GT06 127.0.0.1:5023 · this computer only");
            assert_eq!(address.is_some(), width > 1_400.0 && n == 0, "{n} of each in {width}");
        }
    }
}

#[test]
fn in_the_smallest_window_list_and_filter_have_room_in_every_arrangement() {
    for (map, beside) in [(true, true), (true, false), (false, false), (false, true)] {
        let mut stage = Stage::fleet();
        stage.open_last_packet();
        (stage.view.open.map, stage.view.open.devices, stage.view.open.details) = (map, beside, beside);
        let mut shown = stage.sized(1024.0, 640.0);
        shown.run();
        let rect = |role, label| shown.get_by_role_and_label(role, label).rect();
        let list = rect(Role::ListBox, "Packets");
        let filter = rect(Role::TextInput, "Filter packets");
        let what = format!("map {map}, panes {beside}: list {list:?}, filter {filter:?}");
        assert!(list.width() >= 230.0 && filter.width() >= 200.0, "{what}");
        for word in ["Problems", "This device", "Pause", "Saved filters"] {
            let button = rect(Role::Button, word);
            assert!(button.right() <= list.right() + 1.0 && !button.intersects(filter), "{what}: {word} at {button:?}");
        }
        let (tree, bytes) = (rect(Role::Tree, "Fields"), rect(Role::Button, "Copy"));
        assert!(tree.left() >= list.right() && bytes.left() >= list.right(), "{what}: {tree:?}, {bytes:?}");
    }
}

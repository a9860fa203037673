//! Phones in the window: adding one, what has arrived, passwords, keys, names, friends, HTTPS, commands.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use egui::accesskit::Role;
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use wayglass::{
    backend::{
        ListenAt, ReceiverLine, ReceiverStatus, Root,
        pairing::setup_for,
        phones::{CheckState, CheckStep, Checked, NewPhone, PhoneCertificate, PhoneChecklist, PhoneUrl, SetupChoice},
    },
    model::{
        Card, DeviceId, Identity, PacketId, PhoneCommand, PhoneRow, Protocol, Readings, Secret, StoredCard, StoredEvent,
    },
    ui::{
        Action,
        phones::{Made, Pairing},
        view::{PhonesTab, Sheet},
    },
};

use super::stage::Stage;

type Shown = Harness<'static, Stage>;

/// Jane's phone, in [`Stage::fleet`].
const JANE: DeviceId = DeviceId(5);
/// Omar's tablet.
const OMAR: DeviceId = DeviceId(8);
/// A new sender.
const VISITOR: DeviceId = DeviceId(10);

fn press(harness: &mut Shown, role: Role, label: &str) {
    harness.get_by_role_and_label(role, label).click();
    harness.run();
}

fn write(harness: &mut Shown, field: &str, text: &str) {
    harness.get_by_role_and_label(Role::TextInput, field).focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
    harness.run();
}

/// What was asked for by a click on this button.
fn asked(harness: &mut Shown, role: Role, label: &str) -> Vec<Action> {
    harness.state_mut().asked.clear();
    press(harness, role, label);
    harness.state().asked.clone()
}

/// The words of everything that is shown.
fn words(harness: &Shown) -> String {
    let nodes = harness.root().children_recursive();
    let text = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        [node.label(), node.value()].into_iter().flatten().collect::<Vec<_>>()
    };
    nodes.flat_map(text).collect::<Vec<_>>().join("\n")
}

fn check(harness: &Shown, wanted: &[&str]) {
    let shown = words(harness);
    for text in wanted {
        assert!(shown.contains(text), "{text}\nin\n{shown}");
    }
}

fn name(text: &str) -> Identity {
    Identity::new(text).expect("an identity")
}

fn listening(at: SocketAddr) -> ReceiverLine {
    ReceiverLine {
        protocol: Protocol::OwnTracks,
        wanted: ListenAt::Address(at),
        status: ReceiverStatus::Listening(at),
        connections: 0,
        shown_out: 0,
    }
}

fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], port))
}

/// A picture that somebody might put on a card.
fn face() -> String {
    FACE.to_owned()
}

/// A head and shoulders, as PNG.
const FACE: &str = "iVBORw0KGgoAAAANSUhEUgAAAGAAAABgCAIAAABt+uBvAAABPklEQVR42u3aQRHDMAxE0UVUBIFSSIFTJD2ESe9lkDi2JUfSn1kE76RZrb77Rk4iCAACCCCAAAIIIIAIQAABBBBAAAEEEAEIIIBqAP2Oz2UqArW4PERKIWgWMimWjr+Rwuk4GymijqeRguq4GSmujo+RQus4GAG0DshHx9oIoEVAnjqmRgAB9EAgfx07I4AAAggggAACCCCAuKQBAog+iMKsEhCdNED8xfis8ptn3cE+qMo+iIUZG0VWrgQggAACCKB9e733jiQH6kNZjqVYLv5Sikvjw6ToNNZMykFjx6RMNBZMSqkz0UhZdWYZKSvNLCal1xk0UgWdESMV0ek2Uh2dPiOApgJF1+kwUjWdu0YqqHPLCKAZQPl02o0AGgbKqtNoBNAYUG6dFiOAALIDqqBzaQQQQACtAaqjc270B+tPObvTPBzdAAAAAElFTkSuQmCC";

/// Phones with everything that can be set up for them.
pub fn phones() -> Stage {
    let mut stage = Stage::fleet();
    let jane = PhoneRow {
        users: vec!["jane".to_owned()],
        has_key: true,
        also: vec![name("jane/phone")],
        sees: vec![OMAR],
        card: Some(StoredCard {
            card: Card { name: Some("Jane D.".to_owned()), face: Some(face()) },
            packet: PacketId(1),
        }),
        ..PhoneRow::new(JANE)
    };
    let omar = PhoneRow {
        card: Some(StoredCard {
            card: Card { name: Some("Omar".to_owned()), face: Some(face()) },
            packet: PacketId(1),
        }),
        closed: 12,
        last_closed: Some(stage.ago(50)),
        ..PhoneRow::new(OMAR)
    };
    let visitor = PhoneRow { closed: 3, last_closed: Some(stage.ago(90)), ..PhoneRow::new(VISITOR) };
    stage.data.phones.rows = [jane, omar, visitor].into_iter().map(|row| (row.device, row)).collect();
    stage.data.phones.users = vec!["kim".to_owned()];
    stage.faces = vec![(JANE, face()), (OMAR, face())];
    stage.data.phones.https =
        Some(ReceiverLine { wanted: ListenAt::Off, status: ReceiverStatus::Off, ..listening(everywhere(5145)) });
    stage
}

/// With HTTPS and its certificate.
pub fn secure() -> Stage {
    let mut stage = phones();
    stage.data.phones.https = Some(listening(everywhere(5145)));
    stage.data.phones.certificate = Some(Ok(PhoneCertificate {
        root: Some(Root {
            pem: "-----BEGIN CERTIFICATE-----".to_owned(),
            der: vec![0x30, 0x82],
            fingerprint:
                "3F:9A:01:77:5C:E0:42:88:AB:10:6D:FE:2C:93:54:B1:0A:7E:C8:31:66:9F:D2:45:1B:E7:80:3C:59:A4:F6:2D"
                    .to_owned(),
        }),
        root_url: Some("http://192.168.1.20:5144/wayglass-root.crt".to_owned()),
        root_pem_url: Some("http://192.168.1.20:5144/wayglass-root.pem".to_owned()),
        names: vec!["desk.local".to_owned(), "192.168.1.20".to_owned(), "127.0.0.1".to_owned()],
        ends: Some("2027-12-20T10:00:00Z".parse().expect("a time")),
        doubts: Vec::new(),
    }));
    stage.view.open.sheet = Some(Sheet::Phones(PhonesTab::Https));
    stage
}

/// The set-up of Jane's phone, half arrived.
pub fn pairing(failed: bool) -> Stage {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    stage.view.open.sheet = Some(Sheet::Phone);
    let phone = NewPhone {
        user: "jane".to_owned(),
        device: "phone".to_owned(),
        tid: "JP".to_owned(),
        password: Some("kolu-vate-3391".to_owned()),
        ..NewPhone::default()
    };
    let url = if failed { "http://192.168.1.20:5144/pub" } else { "https://192.168.1.20:5145/pub" };
    let done = |ago, text: &str| CheckState::Done { at: stage.ago(ago), text: text.to_owned() };
    let waiting = |text: &str| CheckState::Waiting(text.to_owned());
    let states = if failed {
        [
            done(9, "the Android app came from 192.168.1.31 over HTTP"),
            CheckState::Failed {
                at: stage.ago(9),
                why: "user name or password are wrong".to_owned(),
                cure: "Type the password again, with the user name jane; upper and lower case matter".to_owned(),
            },
            waiting("somebody called owntracks/kim/phone has come; is that this phone?"),
            CheckState::NotNeeded("no key is set".to_owned()),
            waiting("press publish in the app"),
        ]
    } else {
        [
            done(9, "the iPhone app came from 192.168.1.31 over HTTPS"),
            done(9, "right"),
            done(9, "it calls itself owntracks/jane/phone"),
            done(4, "its messages are opened"),
            done(2, "measured at 2026-11-21T14:02:28Z"),
        ]
    };
    let whats =
        [Checked::Connection, Checked::Credentials, Checked::Identity, Checked::Encryption, Checked::FirstPosition];
    let steps = whats.into_iter().zip(states).map(|(what, state)| CheckStep { what, state }).collect();
    let strangers = if failed { vec![(name("owntracks/kim/phone"), stage.ago(7))] } else { Vec::new() };
    stage.data.phones.urls = [url, "http://127.0.0.1:5144/pub"]
        .map(|url| PhoneUrl {
            url: url.to_owned(),
            secure: url.starts_with("https"),
            from_network: true,
            covered: true,
        })
        .to_vec();
    stage.data.phones.pairing = Some(Pairing {
        device: JANE,
        choice: SetupChoice::default(),
        setup: Some(Ok(setup_for(&phone, url))),
        checklist: Some(PhoneChecklist { steps, strangers }),
    });
    stage
}

#[test]
fn a_phone_is_added_by_the_names_of_its_person() {
    let mut stage = Stage::empty();
    stage.view.open.sheet = Some(Sheet::AddPhone);
    let mut harness = stage.shown();
    assert!(asked(&mut harness, Role::Button, "Add phone").is_empty(), "nobody was named");
    write(&mut harness, "User", "jane");
    write(&mut harness, "Name here", "Jane");
    press(&mut harness, Role::CheckBox, "Encrypt");
    let actions = asked(&mut harness, Role::Button, "Add phone");
    let [Action::AddPhone(phone)] = actions.as_slice() else { panic!("{actions:?}") };
    let NewPhone { user, device, tid, name: shown, password, key } = phone.clone();
    assert_eq!((user.as_str(), device.as_str(), tid.as_str()), ("jane", "phone", "JP"));
    assert_eq!(shown.as_deref(), Some("Jane"));
    let long = |secret: Option<String>| secret.is_some_and(|text| text.len() >= 12);
    assert!(long(password) && long(key), "{phone:?}");
    // Refused: said, and it can be tried again.
    let refused = Err("the disk is full".to_owned());
    harness.state_mut().data.phones.made = Some(Made { identity: name("owntracks/jane/phone"), device: refused });
    harness.run();
    check(&harness, &["It could not be added: the disk is full"]);
}

#[test]
fn the_set_up_shows_what_to_type_and_what_has_arrived() {
    let mut harness = pairing(false).tall();
    check(
        &harness,
        &[
            "QR code of the settings",
            "https://192.168.1.20:5145/pub",
            "Connection at 14:02:22",
            "User and password at 14:02:22. Right",
            "First position at 14:02:29",
        ],
    );
    let copied = asked(&mut harness, Role::Button, "Copy link");
    assert!(matches!(copied.as_slice(), [Action::Copy(link, _)] if link.starts_with("owntracks:///config?inline=")));
    press(&mut harness, Role::Button, "Save file…");
    let saved = asked(&mut harness, Role::Button, "Save");
    let [Action::Save { to, bytes }] = saved.as_slice() else { panic!("{saved:?}") };
    assert_eq!(to.file_name().and_then(|f| f.to_str()), Some("jane-phone.otrc"));
    assert!(String::from_utf8_lossy(bytes).contains("\"url\""));
    harness.state_mut().data.phones.saved = Some(Err("no such folder".to_owned()));
    harness.run();
    check(&harness, &["Not saved: no such folder"]);
}

#[test]
fn what_failed_says_why_and_what_to_change() {
    let mut harness = pairing(true).tall();
    check(
        &harness,
        &[
            "User name or password are wrong",
            "Type the password again, with the user name jane; upper and lower case matter.",
            "iPhones refuse addresses without HTTPS",
            "owntracks/kim/phone",
        ],
    );
    let on = asked(&mut harness, Role::Button, "Turn HTTPS on");
    assert_eq!(on, [Action::ListenHttps(ListenAt::Address(everywhere(5145)))]);
    let joined = asked(&mut harness, Role::Button, "It is this phone");
    assert_eq!(joined, [Action::Alias(JANE, name("owntracks/kim/phone"), true)]);
}

#[test]
fn a_phone_that_is_not_looked_at_yet_is_asked_for() {
    let mut stage = pairing(false);
    stage.data.phones.pairing = None;
    let harness = stage.shown();
    let watch = Action::WatchPhone(JANE, SetupChoice::default());
    assert!(harness.state().asked.contains(&watch), "{:?}", harness.state().asked);
}

#[test]
fn reports_that_cannot_be_read_are_loud_until_the_key_is_set() {
    let mut stage = phones();
    stage.view.selection.device = Some(OMAR);
    let mut harness = stage.shown();
    check(
        &harness,
        &[
            "12 reports cannot be read",
            "its key is not known here",
            "12 reports cannot be read: set its key",
            "Encrypted: 3 reports",
        ],
    );
    assert_eq!(asked(&mut harness, Role::Button, "Set key…"), [Action::OpenProfile(OMAR)]);
    harness.state_mut().view.open.sheet = Some(Sheet::Profile);
    harness.run();
    check(&harness, &["12 reports came encrypted. Set the key that stands in the app"]);
    write(&mut harness, "Key", "mysecret");
    assert_eq!(asked(&mut harness, Role::Button, "Set key"), [Action::SetKey(OMAR, Secret::new("mysecret"))]);
}

#[test]
fn passwords_are_set_and_removed_and_never_shown() {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    stage.view.open.sheet = Some(Sheet::Profile);
    let mut harness = stage.shown();
    check(&harness, &["It must sign in as jane", "A key is set."]);
    let removed = Action::SetPassword { user: "jane".to_owned(), device: Some(JANE), password: None };
    assert_eq!(asked(&mut harness, Role::Button, "Remove password"), [removed]);
    write(&mut harness, "Password", "kolu");
    let set = Action::SetPassword { user: "jane".to_owned(), device: Some(JANE), password: Secret::new("kolu") };
    assert_eq!(asked(&mut harness, Role::Button, "Set password"), [set]);
    assert!(!words(&harness).contains("kolu"));
    assert_eq!(asked(&mut harness, Role::Button, "Remove key"), [Action::SetKey(JANE, None)]);

    harness.state_mut().view.open.sheet = Some(Sheet::Phones(PhonesTab::Passwords));
    harness.run();
    let removed = Action::SetPassword { user: "kim".to_owned(), device: None, password: None };
    assert_eq!(asked(&mut harness, Role::Button, "Remove the password of kim"), [removed]);
    write(&mut harness, "User", "lee");
    write(&mut harness, "Password", "secret");
    let set = Action::SetPassword { user: "lee".to_owned(), device: None, password: Secret::new("secret") };
    assert_eq!(asked(&mut harness, Role::Button, "Set password"), [set]);
}

#[test]
fn names_are_joined_and_taken_away() {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    stage.view.open.sheet = Some(Sheet::Profile);
    let mut harness = stage.shown();
    assert_eq!(
        asked(&mut harness, Role::Button, "Take jane/phone away"),
        [Action::Alias(JANE, name("jane/phone"), false)]
    );
    press(&mut harness, Role::ComboBox, "Same as");
    press(&mut harness, Role::Button, "Omar  owntracks/omar/tablet");
    assert_eq!(asked(&mut harness, Role::Button, "Join"), [Action::SameAs { from: OMAR, to: JANE }]);
    write(&mut harness, "Another name", "jp");
    assert_eq!(asked(&mut harness, Role::Button, "Attach"), [Action::Alias(JANE, name("jp"), true)]);
}

#[test]
fn a_name_that_comes_with_the_app_is_flagged() {
    let mut stage = phones();
    stage.data.devices.get_mut(&OMAR).unwrap().device.identity = name("owntracks/user/device");
    stage.view.selection.device = Some(OMAR);
    check(&stage.shown(), &["several phones may share it. Set user and device in the app"]);
}

#[test]
fn details_show_the_rule_that_matched() {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    let mut last = stage.data.packets.iter_mut().rev().filter(|row| row.device == Some(JANE));
    last.next().unwrap().context = Some(Arc::from(r#"{"method":"POST","path":"/pub","identity":"headers"}"#));
    drop(last);
    check(&stage.shown(), &["headers X-Limit-U and X-Limit-D", "jane/phone", "required", "key set"]);
}

#[test]
fn who_sees_whom_is_a_grid() {
    let mut stage = phones();
    stage.view.open.sheet = Some(Sheet::Phones(PhonesTab::Friends));
    let mut harness = stage.shown();
    let no_longer = Action::SetFriend { viewer: JANE, seen: OMAR, told: false };
    assert_eq!(asked(&mut harness, Role::CheckBox, "Jane sees Omar"), [no_longer]);
    let from_now = Action::SetFriend { viewer: OMAR, seen: JANE, told: true };
    assert_eq!(asked(&mut harness, Role::CheckBox, "Omar sees Jane"), [from_now]);
}

#[test]
fn https_shows_its_certificate_and_how_to_trust_it() {
    let mut harness = secure().tall();
    check(
        &harness,
        &[
            "desk.local, 192.168.1.20, 127.0.0.1",
            "2027-12-20 10:00:00",
            "3F 9A 01",
            "Certificate Trust Settings",
            "CA certificate",
        ],
    );
    assert_eq!(asked(&mut harness, Role::RadioButton, "Off"), [Action::ListenHttps(ListenAt::Off)]);
    press(&mut harness, Role::Button, "Save root…");
    let saved = asked(&mut harness, Role::Button, "Save");
    assert!(matches!(saved.as_slice(), [Action::Save { bytes, .. }] if **bytes == [0x30, 0x82]));
}

#[test]
fn a_phone_is_told_what_to_do() {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    stage.view.open.sheet = Some(Sheet::Commands);
    let mut harness = stage.shown();
    let send = |command| Action::SendPhoneCommand(JANE, command);
    assert_eq!(asked(&mut harness, Role::Button, "Queue"), [send(PhoneCommand::ReportLocation)]);
    press(&mut harness, Role::Button, "Change how it reports");
    let settings = PhoneCommand::parse(r#"setConfiguration {"monitoring":1}"#).unwrap();
    assert_eq!(asked(&mut harness, Role::Button, "Queue"), [send(settings)]);
    press(&mut harness, Role::Button, "Clear its places");
    assert!(asked(&mut harness, Role::Button, "Queue").is_empty(), "nobody was sure");
    press(&mut harness, Role::CheckBox, "Yes, all of them");
    assert_eq!(asked(&mut harness, Role::Button, "Queue"), [send(PhoneCommand::ClearWaypoints)]);
    press(&mut harness, Role::Button, "Give it places to watch");
    check(&harness, &["Give each place a name"]);
    write(&mut harness, "Home 1", "Home");
    press(&mut harness, Role::Button, "Where it is now");
    let actions = asked(&mut harness, Role::Button, "Queue");
    assert!(
        matches!(actions.as_slice(), [Action::SendPhoneCommand(JANE, PhoneCommand::SetWaypoints(places))] if places[0].name == "Home"),
        "{actions:?}"
    );
}

#[test]
fn regions_and_transitions_are_events_in_words() {
    let mut stage = phones();
    stage.view.selection.device = Some(JANE);
    let event = |id: i64, kind: &'static str, pairs: &[(&'static str, &'static str)]| {
        let mut attributes = Readings::new();
        for (key, text) in pairs {
            attributes.set(*key, *text);
        }
        StoredEvent {
            id,
            device: JANE,
            at: stage.ago(60),
            kind: Cow::Borrowed(kind),
            attributes,
            packet: PacketId(5_030),
            unread: false,
        }
    };
    stage.data.events = vec![
        event(1, "transition", &[("event", "leave"), ("desc", "Home")]),
        event(2, "transition", &[("event", "enter"), ("desc", "Work")]),
        event(3, "waypoint", &[("desc", "School")]),
    ];
    check(&stage.shown(), &["Left Home", "Entered Work", "Watches School"]);
}

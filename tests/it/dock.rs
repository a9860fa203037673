//! The inspector dock alone: packet list, field tree and bytes over hand-made data.

use std::sync::Arc;

use egui::{
    Key, Modifiers, Rect, Theme, UiBuilder,
    accesskit::{Role, Toggled},
    pos2, vec2,
};
use egui_kittest::{
    Harness, Node,
    kittest::{NodeT, Queryable},
};
use jiff::Timestamp;
use wayglass::{
    model::{
        Command, CommandId, CommandState, Device, DeviceId, DeviceOverview, DeviceState, Direction, Identity, PacketId,
        PacketRow, Profile, Protocol, Readings, StoredFix, Verdict,
    },
    ui::{
        Action, Cx, Data, View,
        data::{Ends, Opened, Pages},
        filter::Found,
        panels::{bytes::Bytes, packets::Packets, tree::Tree},
        theme,
    },
    wire::dissect,
};

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";
const ACKNOWLEDGEMENT: &str = "787805010001D9DC0D0A";
const POSITION: &str = "78781f120f0a140e150bc505e51e780293a9e800540000f601006e0055da00035f240d0a";
/// The position with one bit flipped in its speed.
const BAD_CHECKSUM: &str = "78781f120f0a140e150bc505e51e780293a9e801540000f601006e0055da00035f240d0a";
const ALARM: &str = "787825260f0c1d030b26c9027ac8180c4658600004000901cc00287d001f718004041302000c472a0d0a";

/// The dock with the little of the window around it that the panels need.
struct Dock {
    data: Data,
    view: View,
    /// Everything that was asked for, hovering aside.
    asked: Vec<Action>,
    /// What went to the clipboard.
    copied: Vec<String>,
    packets: Packets,
    tree: Tree,
    bytes: Bytes,
    now: Timestamp,
    /// Shares of the width that list and tree take; 0 leaves a panel out.
    shares: [f32; 3],
}

impl Dock {
    fn new(data: Data) -> Self {
        Self {
            data,
            view: View::default(),
            asked: Vec::new(),
            copied: Vec::new(),
            packets: Packets::default(),
            tree: Tree::default(),
            bytes: Bytes::default(),
            now: moment(0),
            shares: [0.5, 0.26, 0.24],
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = Vec::new();
        let mut cx = Cx { data: &self.data, view: &self.view, now: self.now, actions: &mut actions };
        let whole = ui.max_rect();
        let mut left = whole.left();
        for (n, share) in self.shares.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
            let width = whole.width() * share;
            let rect = Rect::from_min_size(pos2(left, whole.top()), vec2(width, whole.height())).shrink(4.0);
            left += width;
            ui.scope_builder(UiBuilder::new().id_salt(n).max_rect(rect), |ui| match n {
                0 => self.packets.ui(ui, &mut cx),
                1 => self.tree.ui(ui, &mut cx),
                _ => self.bytes.ui(ui, &mut cx),
            });
            let line = ui.visuals().widgets.noninteractive.bg_stroke;
            ui.painter().vline(left, whole.y_range(), line);
        }
        // As in the window: what is under the pointer is told anew each frame.
        let hovered_before = self.view.hovered_field.take();
        for action in actions {
            match &action {
                Action::SelectPacket(id) => self.view.selection.packet = Some(*id),
                Action::SelectField(field) => self.view.selection.field = *field,
                Action::HoverField(field) => self.view.hovered_field = *field,
                Action::ReadPacketsAbove(above) => self.data.ends.reading_above = *above,
                Action::MorePackets(_) => self.data.ends.loading = true,
                Action::SearchPackets(Some(sieve)) => {
                    self.data.found = Found::begun(sieve.asked.clone());
                    self.data.found.loading = true;
                }
                _ => {}
            }
            if !matches!(action, Action::HoverField(_) | Action::ReadPacketsAbove(_)) {
                self.asked.push(action);
            }
        }
        if self.view.hovered_field != hovered_before {
            ui.ctx().request_repaint();
        }
        let copied = |command: &egui::OutputCommand| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        };
        self.copied.extend(ui.ctx().output(|o| o.commands.iter().filter_map(copied).collect::<Vec<_>>()));
    }

    fn harness(self, size: [f32; 2]) -> Harness<'static, Self> {
        Harness::builder()
            .with_size(size)
            // A search takes a few milliseconds of each frame.
            .with_max_steps(200)
            .with_context_setup(theme::install)
            .build_ui_state(|ui, dock: &mut Self| dock.ui(ui), self)
    }
}

fn moment(after_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_773_496_951_204 + after_ms).expect("within jiff's range")
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).expect("hex")).collect()
}

fn row(id: i64, hex: &str) -> PacketRow {
    PacketRow {
        id: PacketId(id),
        received: moment(id * 731 - 600_000),
        protocol: Protocol::Gt06,
        direction: Direction::In,
        peer: "10.0.0.9:47110".into(),
        connection: 1,
        device: Some(DeviceId(7)),
        kind: "login".into(),
        verdict: Verdict::Ok,
        bytes: Arc::from(unhex(hex)),
        context: None,
        answers: None,
    }
}

fn van() -> DeviceOverview {
    DeviceOverview {
        device: Device {
            id: DeviceId(7),
            identity: Identity::new("123456789012345").expect("short enough"),
            protocol: Protocol::Gt06,
            name: Some("Van 7".to_owned()),
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: moment(0),
            last_heard: None,
        },
        last_fix: None,
        readings: Readings::new(),
        packets: 0,
        positions: 0,
        lost_frames: 0,
    }
}

fn data(rows: impl IntoIterator<Item = PacketRow>) -> Data {
    let mut data = Data::default();
    data.devices.insert(DeviceId(7), van());
    data.packets.extend(rows);
    data
}

fn open(row: PacketRow) -> Opened {
    let dissection = dissect(row.protocol, &row.bytes, &Profile::default(), row.received);
    Opened { row, dissection, fixes: Vec::new(), otherwise: None }
}

const PHONE: &str = r#"{"_type":"location","_id":"00c0ffee","BSSID":"00:11:22:33:44:55","SSID":"lan","acc":13,"alt":-4,"batt":67,"bs":2,"cog":93,"conn":"m","lat":48.85833,"lon":2.29513,"m":-1,"t":"p","tid":"s5","topic":"owntracks/jane/phone","tst":1773496900,"vac":0,"vel":42}"#;

/// A list as it may be: two protocols, both directions, every verdict.
fn traffic(rows: i64) -> Data {
    let mut jane = van();
    jane.device.id = DeviceId(8);
    jane.device.name = Some("Jane".to_owned());
    let mut data = data((1..=rows).map(|id| {
        let mut row = row(id, LOGIN);
        row.received = moment((id - rows) * 731);
        match id % 7 {
            1 => {
                row.direction = Direction::Out;
                row.kind = "ack".into();
                row.bytes = Arc::from(unhex(ACKNOWLEDGEMENT));
                row.answers = Some(PacketId(id - 1));
            }
            2 | 5 => {
                row.protocol = Protocol::OwnTracks;
                row.device = Some(DeviceId(8));
                row.kind = "location".into();
                row.bytes = Arc::from(PHONE.as_bytes());
                row.peer = "192.168.1.14:50312".into();
                row.verdict = if id % 2 == 0 { Verdict::Ok } else { Verdict::Note };
                row.context =
                    Some(r#"{"method":"POST","path":"/pub","query":"u=jane&d=phone","X-Limit-U":"jane"}"#.into());
            }
            3 => {
                row.protocol = Protocol::OwnTracks;
                row.device = Some(DeviceId(8));
                row.kind = "location".into();
                row.verdict = Verdict::Warn;
                row.bytes = Arc::from(&br#"{"_type":"location","lat":0,"lon":0.0,"tst":1773496900123,"tid":7}"#[..]);
            }
            4 => {
                row.device = None;
                row.kind = "noise".into();
                row.verdict = Verdict::Error;
                row.bytes = Arc::from(&b"GET /setup.cgi HTTP/1.1\r\nHost: 203.0.113.9\r\n\r\n"[..]);
            }
            _ => {
                let frames = [(LOGIN, "login", Verdict::Ok), (POSITION, "location", Verdict::Ok)];
                let more = [(ALARM, "alarm", Verdict::Ok), (BAD_CHECKSUM, "location", Verdict::Error)];
                let (hex, kind, verdict) = [frames, more].concat()[usize::try_from(id / 7 % 4).expect("not negative")];
                row.bytes = Arc::from(unhex(hex));
                row.kind = kind.into();
                row.verdict = verdict;
            }
        }
        row
    }));
    data.devices.insert(DeviceId(8), jane);
    data
}

/// The label of a row of the list.
fn label(node: &Node<'_>) -> String {
    node.accesskit_node().label().unwrap_or_default()
}

/// The rows of the list that were built, from top to bottom.
fn listed(harness: &Harness<'_, Dock>) -> Vec<String> {
    harness.get_all_by_role(Role::ListBoxOption).map(|node| label(&node)).collect()
}

/// The bytes that are lit, by their offset.
fn lit_bytes(harness: &Harness<'_, Dock>) -> Vec<usize> {
    let lit = |node: &Node<'_>| node.accesskit_node().toggled() == Some(Toggled::True);
    let bytes = harness.get_all_by_role(Role::Cell).filter(lit).map(|node| label(&node));
    bytes.filter_map(|l| l.strip_prefix("byte ")?.split(':').next()?.parse().ok()).collect()
}

/// Only the list.
fn list(data: Data) -> Harness<'static, Dock> {
    let mut dock = Dock::new(data);
    dock.shares = [1.0, 0.0, 0.0];
    dock.harness([900.0, 260.0])
}

/// Tree and bytes with this packet open.
fn inspector(hex: &str) -> Harness<'static, Dock> {
    let mut dock = Dock::new(data([row(1, hex)]));
    dock.data.opened = Some(open(row(1, hex)));
    dock.view.selection.packet = Some(PacketId(1));
    dock.shares = [0.0, 0.5, 0.5];
    dock.harness([1100.0, 760.0])
}

fn field_named(harness: &Harness<'_, Dock>, name: &str) -> usize {
    let fields = &harness.state().data.opened.as_ref().expect("a packet is open").dissection.fields;
    fields.iter().position(|f| f.name == name).expect("the packet has it")
}

#[test]
fn an_empty_list_says_what_will_come() {
    let harness = list(Data::default());
    harness.get_by_label("Bytes will appear here the moment anything connects, even if we cannot decode them.");
}

#[test]
fn a_row_says_everything_in_words() {
    let mut rows = [row(1, LOGIN), row(2, ACKNOWLEDGEMENT), row(3, BAD_CHECKSUM), row(4, ALARM)];
    rows[1].direction = Direction::Out;
    rows[1].answers = Some(PacketId(1));
    rows[2].verdict = Verdict::Error;
    rows[3].verdict = Verdict::Warn;
    rows[3].device = None;
    assert_eq!(
        listed(&list(data(rows))),
        [
            "13:52:31.935 received Van 7 GT06 0x01 #1 Login  123456789012345 ok",
            "13:52:32.666 sent Van 7 GT06 0x01 #1 Acknowledgement  7878 0501 0001 d9dc 0d0a · answers login after 731 ms ok",
            "13:52:33.397 received Van 7 GT06 0x12 #3 expected the checksum 5a89, came 5f24 at 32..34  Position  \
             54.94535, 24.01762 · no GPS fix · 1 km/h · 000° · 5 sat · 3797 d old · ignition off · 1 cell error",
            "13:52:34.128 received 10.0.0.9:47110 GT06 0x26 #12 Alarm  alarm tampering · 23.11169, 114.40930 · no GPS fix · \
             0 km/h · 9 sat · 3728 d old · ignition off · charging off · fuel cut on · battery 67 % · 1 cell warn",
        ]
    );
}

/// A command of a server, STATUS# under flag 7, and answers to flags 7, 8 and none.
const COMMAND: &str = "787811800b00000007535441545553230001a66e0d0a";
const ANSWERS: [(&str, &str); 3] = [
    ("7878111509000000074f4b21000200020002aa5b0d0a", "its flag"),
    ("7878111509000000084f4b21000200020002aa5b0d0a", "another flag"),
    ("7878111509000000004f4b21000200020002aa5b0d0a", "no flag"),
];

/// The tree of a command that went out, and what came after it.
fn command_and(rows: impl IntoIterator<Item = PacketRow>) -> Dock {
    let command = PacketRow { direction: Direction::Out, kind: "command".into(), ..row(1, COMMAND) };
    let mut dock = Dock::new(data([command.clone()].into_iter().chain(rows)));
    dock.data.opened = Some(open(command));
    dock.view.selection.packet = Some(PacketId(1));
    dock.view.settings.zone = wayglass::ui::view::Zone::Utc;
    dock.shares = [0.0, 1.0, 0.0];
    dock
}

#[test]
fn a_command_without_an_answer_says_since_when() {
    let waits = "none yet, 10 min after it went out at 13:52:31";
    let says = |dock: Dock, text: &str| dock.harness([700.0, 760.0]).query_by_label(text).is_some();
    // Somebody else's command: by the flag that an answer echoes.
    assert!(says(command_and([]), waits));
    for ((hex, name), answers) in ANSWERS.into_iter().zip([true, false, true]) {
        let answer = PacketRow { kind: "answer".into(), ..row(2, hex) };
        assert_eq!(says(command_and([answer.clone()]), waits), !answers, "{name}");
        let elsewhere = PacketRow { connection: 2, ..answer };
        assert!(says(command_and([elsewhere]), waits), "{name}, on another connection");
    }
    // Ours: by what the store says of it.
    for (state, answer, waiting) in [
        (CommandState::Sent, None, true),
        (CommandState::Answered, Some(PacketId(2)), false),
        (CommandState::Answered, None, false),
    ] {
        let mut dock = command_and([PacketRow { kind: "answer".into(), ..row(2, ANSWERS[1].0) }]);
        dock.data.remote.commands = vec![Command {
            id: CommandId(7),
            device: DeviceId(7),
            text: "STATUS#".to_owned(),
            state,
            created: moment(0),
            expires: moment(0),
            sent: Some(moment(0)),
            answered: answer.map(|_| moment(1_500)),
            answer: None,
            guessed: false,
            waits: None,
            sent_packet: Some(PacketId(1)),
            answer_packet: answer,
        }];
        assert_eq!(says(dock, waits), waiting, "{state:?}");
    }
    // What goes out besides is no command.
    let mut dock = command_and([]);
    let ack = PacketRow { direction: Direction::Out, kind: "ack".into(), ..row(1, ACKNOWLEDGEMENT) };
    dock.data.opened = Some(open(ack));
    assert!(dock.harness([700.0, 760.0]).query_by_label_contains("none yet").is_none());
}

#[test]
fn times_of_other_days_tell_the_day_and_their_seconds() {
    const DAY_MS: i64 = 86_400_000;
    let cases = [
        (0, [900.0, 420.0], "14:02:31"),
        (DAY_MS, [900.0, 420.0], "03-13 14:02:31"),
        (40 * DAY_MS, [900.0, 420.0], "02-02 14:02:31"),
        (400 * DAY_MS, [900.0, 560.0], "2025-02-07 14:02:31"),
        (DAY_MS, [300.0, 320.0], "03-13 14:02 "),
    ];
    for (ago_ms, widths, time) in cases {
        for width in widths {
            let mut old = row(1, LOGIN);
            old.received = moment(-ago_ms);
            let mut dock = Dock::new(data([old]));
            dock.shares = [1.0, 0.0, 0.0];
            dock.view.settings.zone = wayglass::ui::view::Zone::Utc;
            let rows = listed(&dock.harness([width, 260.0]));
            assert!(rows.len() == 1 && rows[0].starts_with(time), "{ago_ms} ms ago in {width}: {rows:?}");
        }
    }
}

#[test]
fn a_click_on_a_row_selects_its_packet() {
    let mut harness = list(data([row(1, LOGIN), row(2, POSITION), row(3, LOGIN)]));
    harness.get_by_label_contains("0x12").click();
    harness.run();
    assert_eq!(harness.state().asked, [Action::SelectPacket(PacketId(2))]);
}

#[test]
fn of_fifty_thousand_rows_only_the_visible_ones_are_built() {
    let harness = list(data((1..=50_000).map(|id| row(id, LOGIN))));
    let rows = listed(&harness);
    assert!(rows.len() < 14, "{} rows in 260 points", rows.len());
    harness.get_by_label("50,000");
}

#[test]
fn news_waits_below_while_the_user_reads_above() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    harness.hover_at(pos2(300.0, 150.0));
    harness.step();
    wheel(&mut harness, 2_000.0);
    let before = listed(&harness);
    harness.remove_cursor();
    more(&mut harness, 34);
    harness.run();
    assert_eq!(listed(&harness), before, "new rows moved what was read");
    harness.get_by_label("34 new").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    assert!(harness.query_by_label("34 new").is_none());
    more(&mut harness, 1);
    harness.run();
    assert!(harness.query_by_label_contains(" new").is_none(), "the list sticks to the end again");
}

#[test]
fn a_selected_row_stays_while_others_arrive() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    harness.get_all_by_role(Role::ListBoxOption).last().expect("rows are visible").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    let before = listed(&harness);
    more(&mut harness, 34);
    harness.run();
    assert_eq!(listed(&harness), before, "the list ran away from the selected row");
    harness.get_by_label("34 new");
    harness.key_press(Key::End);
    harness.run();
    assert_eq!(harness.state().view.selection.packet, Some(PacketId(434)));
    more(&mut harness, 34);
    harness.run();
    assert!(harness.query_by_label_contains(" new").is_none(), "the list goes on from the end");
    let newest = label(&harness.get_all_by_role(Role::ListBoxOption).last().expect("rows are visible"));
    assert!(newest.starts_with("13:58:13.312"), "{newest}");
}

#[test]
fn whole_rows_are_shown_at_the_end() {
    for height in [240.0, 247.0, 253.0, 261.0] {
        let mut dock = Dock::new(data((1..=400).map(|id| row(id, LOGIN))));
        dock.shares = [1.0, 0.0, 0.0];
        let mut harness = dock.harness([900.0, height]);
        harness.run();
        let list = harness.get_by_label("Packets").rect();
        let top = harness.get_all_by_role(Role::ListBoxOption).map(|n| n.rect().top()).fold(f32::MAX, f32::min);
        assert!(top >= list.top() - 0.5, "{height}: a row at {top}, the list at {}", list.top());
    }
}

#[test]
fn rows_never_move_under_the_pointer() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    let at_end = listed(&harness);
    harness.hover_at(pos2(300.0, 150.0));
    harness.run();
    more(&mut harness, 3);
    harness.run();
    assert_eq!(listed(&harness)[..8], at_end[..8]);
    harness.get_by_label("3 new");
    harness.remove_cursor();
    harness.run();
    assert!(harness.query_by_label("3 new").is_none());
    assert_ne!(listed(&harness)[..8], at_end[..8]);
}

#[test]
fn dropped_rows_do_not_move_those_that_are_read() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    harness.hover_at(pos2(300.0, 150.0));
    harness.step();
    wheel(&mut harness, 2_000.0);
    let before = listed(&harness);
    harness.state_mut().data.packets.drain(..150);
    more(&mut harness, 150);
    harness.run();
    assert_eq!(listed(&harness), before);
}

#[test]
fn the_filter_says_how_many_of_how_many() {
    let mut harness = list(traffic(400));
    harness.get_by_role(Role::TextInput).focus();
    harness.run();
    harness.get_by_role(Role::TextInput).type_text("tampering");
    harness.run();
    let alarms = listed(&harness);
    assert!(!alarms.is_empty() && alarms.iter().all(|row| row.contains("alarm tampering")), "{alarms:?}");
    harness.get_by_label("28 of 400");

    harness.state_mut().packets = Packets::default();
    harness.run();
    harness.get_by_label("Problems").click();
    harness.run();
    assert!(listed(&harness).iter().all(|row| row.ends_with("warn") || row.ends_with("error")));

    harness.state_mut().packets = Packets::default();
    harness.state_mut().view.selection.device = Some(DeviceId(8));
    harness.run();
    harness.get_by_label("This device").click();
    harness.run();
    assert!(listed(&harness).iter().all(|row| row.contains("Jane")));
    harness.state_mut().view.selection.device = None;
    harness.run();
    harness.get_by_label("Only Jane").click();
    harness.run();
    harness.get_by_label("400");
}

#[test]
fn a_filter_that_finds_nothing_says_so_and_what_it_is() {
    let mut harness = list(traffic(400));
    harness.get_by_role(Role::TextInput).focus();
    harness.run();
    harness.get_by_role(Role::TextInput).type_text("verdict:error");
    harness.run();
    harness.get_by_label("No packet matches “verdict:error”.");
    harness.get_by_label("at 1: looked for as a word; verdict == error asks for the field");
}

#[test]
fn a_search_says_how_far_it_is() {
    let mut data = data((1..=5_000).map(|id| row(id, LOGIN)));
    data.ends.older = true;
    data.count_packets(20_000, PacketId(5_000));
    let mut harness = list(data);
    harness.get_by_label("20,000");
    harness.get_by_role(Role::TextInput).focus();
    harness.run();
    harness.get_by_role(Role::TextInput).type_text("nowhere");
    harness.run_steps(2);
    harness.get_by_label_contains("searching … ");
    harness.run();
    // All that is held was searched; the store was asked for what is older.
    let asked = harness.state().asked.last();
    assert!(matches!(asked, Some(Action::SearchPackets(Some(sieve))) if sieve.asked.text == "nowhere"), "{asked:?}");
    harness.state_mut().data.ends = Ends::default();
    harness.run();
    harness.get_by_label("No packet matches “nowhere”.");
}

#[test]
fn a_selected_packet_that_is_not_held_is_looked_for() {
    let mut data = data((5_001..=10_000).map(|id| row(id, LOGIN)));
    data.ends.older = true;
    let mut harness = list(data);
    harness.state_mut().view.selection.packet = Some(PacketId(77));
    harness.run_steps(3);
    assert!(harness.state().asked.contains(&Action::MorePackets(Pages::Around(PacketId(77)))));
    let around = (1..=2_076).map(|id| row(id, LOGIN)).collect();
    harness.state_mut().data.ends.loading = false;
    harness.state_mut().data.take_page(Pages::Around(PacketId(77)), around, true);
    harness.run_steps(3);
    let selected = |node: &Node<'_>| node.accesskit_node().toggled() == Some(Toggled::True);
    assert!(harness.get_all_by_role(Role::ListBoxOption).any(|node| selected(&node)), "it is in view");
}

#[test]
fn a_paused_list_holds_still_and_counts() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    harness.get_by_label("Pause").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    let before = listed(&harness);
    more(&mut harness, 34);
    harness.state_mut().data.packets.drain(..34);
    harness.run();
    assert_eq!(listed(&harness), before);
    harness.get_by_label("34 new");
    harness.get_by_label("Resume").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    assert_ne!(listed(&harness), before);
}

#[test]
fn the_keyboard_walks_the_list() {
    let mut harness = list(data((1..=400).map(|id| row(id, LOGIN))));
    harness.get_all_by_role(Role::ListBoxOption).nth(3).expect("rows are visible").click();
    harness.run();
    let start = harness.state().view.selection.packet.expect("the click selected it").0;
    let keys = [
        (Key::ArrowUp, start - 1),
        (Key::ArrowDown, start),
        (Key::Home, 1),
        (Key::ArrowUp, 1),
        (Key::End, 400),
        (Key::ArrowDown, 400),
    ];
    for (key, expected) in keys {
        harness.key_press(key);
        harness.run();
        assert_eq!(harness.state().view.selection.packet, Some(PacketId(expected)), "{key:?}");
        let selected = |node: &Node<'_>| node.accesskit_node().toggled() == Some(Toggled::True);
        assert!(harness.get_all_by_role(Role::ListBoxOption).any(|node| selected(&node)), "{key:?}: out of view");
    }
}

#[test]
fn a_field_lights_its_bytes() {
    let mut harness = inspector(POSITION);
    harness.get_by_label_contains("Latitude: ").hover();
    harness.run();
    let latitude = field_named(&harness, "Latitude");
    assert_eq!(harness.state().view.hovered_field, Some(latitude));
    assert_eq!(lit_bytes(&harness), [11, 12, 13, 14]);
    harness.remove_cursor();
    harness.run();
    assert_eq!(harness.state().view.hovered_field, None);
    assert!(lit_bytes(&harness).is_empty());

    harness.get_by_label_contains("Latitude: ").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    assert!(harness.state().asked.contains(&Action::SelectField(Some(latitude))));
    assert_eq!(lit_bytes(&harness), [11, 12, 13, 14]);
}

#[test]
fn a_byte_lights_its_field() {
    let mut harness = inspector(POSITION);
    harness.get_by_label_contains("byte 13: 1e, Latitude").hover();
    harness.run();
    let latitude = field_named(&harness, "Latitude");
    assert_eq!(harness.state().view.hovered_field, Some(latitude));
    assert_eq!(lit_bytes(&harness), [11, 12, 13, 14]);

    // Course and flags share this byte, so it means their word; its bits mean themselves.
    harness.get_by_label_contains("byte 20: 54").click();
    harness.run();
    let word = field_named(&harness, "Course and status");
    assert_eq!(harness.state().view.selection.field, Some(word));
    harness.get_by_label("bit 10: 1, North or south").hover();
    harness.run();
    assert_eq!(harness.state().view.hovered_field, Some(field_named(&harness, "North or south")));
    harness.get_by_label("bit 12: 1, Positioned").click();
    harness.run();
    assert_eq!(harness.state().view.selection.field, Some(field_named(&harness, "Positioned")));
}

#[test]
fn a_doubt_leads_to_its_bytes() {
    let mut harness = inspector(BAD_CHECKSUM);
    harness.get_by_label("error checksum: expected the checksum 5a89, came 5f24 at 32..34").click();
    harness.run();
    harness.remove_cursor();
    harness.run();
    assert_eq!(harness.state().view.selection.field, Some(field_named(&harness, "CRC")));
    assert_eq!(lit_bytes(&harness), [32, 33]);
}

#[test]
fn groups_fold_and_unfold_for_what_is_selected_inside() {
    let mut harness = inspector(POSITION);
    let fold = harness.get_by_label_contains("Course and status: ").rect().left_center() + vec2(10.0, 0.0);
    press(&mut harness, fold);
    assert!(harness.query_by_label_contains("North or south: ").is_none());
    let north = field_named(&harness, "North or south");
    harness.state_mut().view.selection.field = Some(north);
    harness.run();
    harness.get_by_label_contains("North or south: ");
}

#[test]
fn the_arrows_walk_the_tree() {
    let mut harness = inspector(POSITION);
    harness.get_by_label_contains("Course and status: ").click();
    harness.run();
    let word = field_named(&harness, "Course and status");
    let keys = [
        (Key::ArrowRight, word + 1),
        (Key::ArrowDown, word + 2),
        (Key::ArrowLeft, word),
        (Key::ArrowUp, word - 1),
        (Key::Home, 0),
    ];
    for (key, expected) in keys {
        harness.key_press(key);
        harness.run();
        assert_eq!(harness.state().view.selection.field, Some(expected), "{key:?}");
    }
}

#[test]
fn an_answer_is_linked_both_ways() {
    let mut answer = row(2, ACKNOWLEDGEMENT);
    answer.direction = Direction::Out;
    answer.answers = Some(PacketId(1));
    let mut dock = Dock::new(data([row(1, LOGIN), answer.clone()]));
    dock.data.opened = Some(open(row(1, LOGIN)));
    dock.shares = [0.0, 1.0, 0.0];
    let mut harness = dock.harness([600.0, 500.0]);
    harness.get_by_label("Acknowledgement 0x01 #1").click();
    harness.run();
    assert_eq!(harness.state().asked.last(), Some(&Action::SelectPacket(PacketId(2))));
    harness.state_mut().data.opened = Some(open(answer));
    harness.run();
    harness.get_by_label("Login 0x01 #1").click();
    harness.run();
    assert_eq!(harness.state().asked.last(), Some(&Action::SelectPacket(PacketId(1))));
}

#[test]
fn a_narrow_pane_cuts_what_it_links_to_and_keeps_its_width() {
    const WIDTH: f32 = 226.0;
    let mut answer = row(2, ACKNOWLEDGEMENT);
    answer.direction = Direction::Out;
    answer.answers = Some(PacketId(1));
    let mut dock = Dock::new(data([row(1, LOGIN), answer]));
    dock.data.opened = Some(open(row(1, LOGIN)));
    dock.shares = [0.0, 1.0, 0.0];
    let harness = dock.harness([WIDTH, 500.0]);
    let link = harness.get_by_label("Acknowledgement 0x01 #1").rect();
    assert!(link.right() <= WIDTH - 4.0, "{link:?}");
}

#[test]
fn a_packet_leads_to_its_place_and_says_how_it_came() {
    let mut phone = traffic(2).packets.remove(1).expect("two rows");
    phone.context = Some(r#"{"method":"POST","path":"/pub","identity":null,"X-Limit-U":"jane"}"#.into());
    let mut opened = open(phone);
    let report = opened.dissection.reports.first().expect("it is a location").clone();
    opened.fixes.push(StoredFix {
        id: 41,
        device: DeviceId(8),
        fix: report.fix.expect("with a place"),
        received: opened.row.received,
        trust: report.trust,
        readings: report.readings,
        packet: opened.row.id,
    });
    let mut dock = Dock::new(data([]));
    dock.data.opened = Some(opened);
    dock.shares = [0.0, 1.0, 0.0];
    let mut harness = dock.harness([600.0, 800.0]);
    for text in ["192.168.1.14:50312", "POST", "/pub", "jane"] {
        harness.get_by_label(text);
    }
    harness.get_by_label("48.85833, 2.29513").click();
    harness.run();
    let expected = Action::SelectFix { device: DeviceId(8), fix: 41, packet: PacketId(2) };
    assert_eq!(harness.state().asked, [expected]);
}

#[test]
fn a_field_is_copied_by_name_value_and_hex() {
    let mut harness = inspector(POSITION);
    harness.get_by_label_contains("Latitude: ").click_secondary();
    harness.run();
    harness.get_by_label("Copy hex").click();
    harness.run();
    assert_eq!(harness.state().copied, ["05 E5 1E 78"]);
}

#[test]
fn a_body_of_json_reads_as_text_or_as_hex() {
    let mut phone = row(1, "");
    phone.protocol = Protocol::OwnTracks;
    phone.bytes = Arc::from(PHONE.as_bytes());
    let mut dock = Dock::new(data([phone.clone()]));
    dock.data.opened = Some(open(phone));
    dock.shares = [0.0, 0.0, 1.0];
    let mut harness = dock.harness([600.0, 500.0]);
    harness.get_by_label_contains("lat (latitude)").hover();
    harness.run();
    let latitude = field_named(&harness, "lat (latitude)");
    assert_eq!(harness.state().view.hovered_field, Some(latitude));
    harness.get_by_label("Hex").click();
    harness.run();
    harness.get_by_label("byte 0: 7b, Open");
}

#[test]
fn bytes_are_copied_in_the_dress_that_is_asked_for() {
    let mut harness = inspector(LOGIN);
    harness.get_by_label("Copy").click();
    harness.run();
    harness.get_by_label("Rust array").click();
    harness.step();
    harness.step();
    let copied = harness.state().copied.clone();
    assert_eq!(copied.len(), 1, "{copied:?}");
    assert!(copied[0].starts_with("let packet: [u8; 18] = [0x78, 0x78, 0x0d, 0x01, "), "{copied:?}");
}

fn press(harness: &mut Harness<'_, Dock>, at: egui::Pos2) {
    harness.hover_at(at);
    for pressed in [true, false] {
        let (button, modifiers) = (egui::PointerButton::Primary, Modifiers::NONE);
        harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
    }
    harness.run();
}

fn picture(name: &str, size: [f32; 2], theme: Theme, dock: Dock, play: impl FnOnce(&mut Harness<'static, Dock>)) {
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(theme::install)
        .wgpu()
        .build_ui_state(|ui, dock: &mut Dock| dock.ui(ui), dock);
    harness.run_steps(3);
    play(&mut harness);
    harness.run_steps(3);
    let theme = if theme == Theme::Dark { "dark" } else { "light" };
    let colors = crate::support::picture(&mut harness, &format!("dock-{name}-{theme}-{}.png", size[0]));
    assert!(colors > 100, "text, lights and lines: {colors} colours");
}

#[test]
fn packets_are_drawn_in_both_themes() {
    for theme in [Theme::Dark, Theme::Light] {
        for size in [[1440.0, 300.0], [1024.0, 240.0]] {
            for (name, id) in [("frame", 398), ("bad", 391), ("alarm", 384), ("phone", 394), ("doubts", 395)] {
                let mut dock = Dock::new(traffic(400));
                let opened = open(dock.data.packets[id - 1].clone());
                let fields = &opened.dissection.fields;
                let named = |name: &str| fields.iter().position(|f| f.name.starts_with(name));
                dock.view.selection.packet = Some(opened.row.id);
                dock.view.selection.field = named("Latitude").or(named("lat")).or(named("IMEI"));
                dock.view.hovered_field = named("North").or(named("tst"));
                dock.data.opened = Some(opened);
                picture(name, size, theme, dock, |harness| {
                    if name == "phone" {
                        harness.hover_at(pos2(200.0, 120.0));
                        harness.step();
                        wheel(harness, 300.0);
                        more(harness, 34);
                    }
                });
            }
        }
    }
}

/// The dock as high as half a window: everything of a packet at once.
#[test]
fn a_packet_is_drawn_whole() {
    for theme in [Theme::Dark, Theme::Light] {
        for (name, id) in [("tall", 391_i64), ("tall-phone", 394)] {
            let mut data = traffic(400);
            data.packets[398].answers = Some(PacketId(id));
            let mut dock = Dock::new(data);
            dock.shares = [0.38, 0.3, 0.32];
            dock.data.opened = dock.data.packet_row(PacketId(id)).cloned().map(open);
            dock.view.selection.packet = Some(PacketId(id));
            picture(name, [1600.0, 640.0], theme, dock, |harness| {
                if name == "tall-phone" {
                    harness.get_by_label("Hex").click();
                    harness.run();
                }
                harness.get_by_label("Copy").click();
                harness.run();
                let shown = if name == "tall" { "Course and status: " } else { "tst (time): " };
                harness.get_by_label_contains(shown).hover();
                harness.run();
            });
        }
    }
}

fn wheel(harness: &mut Harness<'_, Dock>, up: f32) {
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, up),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
        source: egui::MouseWheelSource::Wheel,
    });
    harness.run_steps(40);
}

/// So many packets more.
fn more(harness: &mut Harness<'_, Dock>, rows: i64) {
    let packets = &mut harness.state_mut().data.packets;
    let last = packets.back().map_or(0, |r| r.id.0);
    packets.extend((last + 1..=last + rows).map(|id| row(id, LOGIN)));
}

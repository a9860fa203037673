//! The inspector dock alone: packet list, field tree and bytes over hand-made data.

use std::{ops::Range, sync::Arc};

use egui::{Key, Modifiers, Rect, Theme, UiBuilder, accesskit::Role, pos2, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use jiff::Timestamp;
use wayglass::{
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, Direction, Group, Identity, PacketId, PacketRow, Problem,
        Profile, Protocol, Readings, Severity, Verdict,
    },
    ui::{
        Action, Cx, Data, View,
        data::Opened,
        panels::{bytes::Bytes, packets::Packets, tree::Tree},
        theme,
    },
    wire::{CrcCheck, Dissection, Field, Value, dissect},
};

const LOGIN: &str = "78780D01012345678901234500018CDD0D0A";

/// The dock with the little of the window around it that the panels need.
struct Dock {
    data: Data,
    view: View,
    /// Everything that was asked for.
    asked: Vec<Action>,
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
        for action in &actions {
            match action {
                Action::SelectPacket(id) => self.view.selection.packet = Some(*id),
                Action::SelectField(field) => self.view.selection.field = *field,
                Action::HoverField(field) => self.view.hovered_field = *field,
                _ => {}
            }
        }
        self.asked.extend(actions);
    }

    fn harness(self, size: [f32; 2]) -> Harness<'static, Self> {
        Harness::builder()
            .with_size(size)
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
    }
}

fn data(rows: impl IntoIterator<Item = PacketRow>) -> Data {
    let mut data = Data::default();
    data.devices.insert(DeviceId(7), van());
    data.packets.extend(rows);
    data
}

fn field(name: &'static str, span: Range<usize>, depth: u8, value: Value) -> Field {
    Field { name: name.into(), span, bits: None, depth, value, unit: "", source: "gt06.md §6.1" }
}

/// The vendor's login frame, with a flag word and a scaled value made up so that every sort of field is there.
fn login() -> Opened {
    let raw = |span: Range<usize>| Value::Raw(unhex(LOGIN)[span].to_vec());
    let mut language = field("Language", 2..4, 1, Value::Unsigned(1));
    language.bits = Some((0, 3));
    let mut north = field("North", 2..4, 1, Value::Bool(true));
    north.bits = Some((8, 8));
    let scaled = Value::Scaled { raw: 0x0123_4567, divisor: 1_800_000.0, value: 10.605_1 };
    let mut latitude = field("Latitude", 4..8, 1, scaled);
    latitude.unit = "°";
    let fields = vec![
        field("Start", 0..2, 0, raw(0..2)),
        field("Length and type", 2..4, 0, Value::Unsigned(0x0D01)),
        language,
        north,
        field("Content", 4..12, 0, Value::Group),
        latitude,
        field("Undecoded", 8..12, 1, raw(8..12)),
        field("Serial", 12..14, 0, Value::Unsigned(1)),
        field("Checksum", 14..16, 0, raw(14..16)),
        field("Stop", 16..18, 0, raw(16..18)),
    ];
    let problems = vec![Problem {
        severity: Severity::Error,
        group: Group::Checksum,
        text: "CRC 8CDD, computed AC6B".to_owned(),
        span: 14..16,
    }];
    let dissection = Dissection {
        kind: "login".into(),
        type_number: Some(1),
        title: "Login".into(),
        serial: Some(1),
        crc: Some(CrcCheck { received: 0x8CDD, computed: 0xAC6B }),
        problems,
        fields,
        ..Dissection::default()
    };
    Opened { row: row(1, LOGIN), dissection, fixes: Vec::new() }
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
                row.bytes = Arc::from(unhex("787805010001D9DC0D0A"));
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
            _ => {}
        }
        row
    }));
    data.devices.insert(DeviceId(8), jane);
    data
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
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let theme = if theme == Theme::Dark { "dark" } else { "light" };
    let path = folder.join(format!("dock-{name}-{theme}-{}.png", size[0]));
    harness.render().expect("a renderer").save(path).expect("a folder to write to");
}

#[test]
#[ignore = "makes pictures for the eye, asserts nothing"]
fn pictures() {
    for theme in [Theme::Dark, Theme::Light] {
        for size in [[1440.0, 300.0], [1024.0, 240.0]] {
            let mut dock = Dock::new(traffic(400));
            dock.data.opened = Some(login());
            dock.view.selection.packet = Some(PacketId(397));
            dock.view.selection.field = Some(5);
            dock.view.hovered_field = Some(3);
            picture("frame", size, theme, dock, |_| {});

            let mut dock = Dock::new(traffic(400));
            let row = dock.data.packets[393].clone();
            dock.view.selection.packet = Some(row.id);
            let dissection = dissect(row.protocol, &row.bytes, &Profile::default(), row.received);
            dock.data.opened = Some(Opened { row, dissection, fixes: Vec::new() });
            dock.view.selection.field = Some(12);
            picture("phone", size, theme, dock, |harness| {
                harness.hover_at(pos2(200.0, 120.0));
                harness.step();
                harness.event(egui::Event::MouseWheel {
                    unit: egui::MouseWheelUnit::Point,
                    delta: vec2(0.0, 300.0),
                    phase: egui::TouchPhase::Move,
                    modifiers: Modifiers::NONE,
                    source: egui::MouseWheelSource::Wheel,
                });
                harness.run_steps(4);
                let mut more = traffic(34);
                harness.state_mut().data.packets.extend(more.packets.drain(..).map(|mut row| {
                    row.id = PacketId(row.id.0 + 400);
                    row
                }));
            });
        }
    }
}

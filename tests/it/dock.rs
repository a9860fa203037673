//! The inspector dock alone: packet list, field tree and bytes over hand-made data.

use std::{ops::Range, sync::Arc};

use egui::{Key, Modifiers, Rect, Theme, UiBuilder, accesskit::Role, pos2, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use jiff::{Timestamp, tz::TimeZone};
use wayglass::{
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, Direction, Group, Identity, PacketId, PacketRow, Problem,
        Profile, Protocol, Readings, Severity, Verdict,
    },
    ui::{
        Action, Cx, Data, View,
        data::Opened,
        panels::{bytes::Bytes, packets::Packets, tree::Tree},
    },
    wire::{CrcCheck, Dissection, Field, Value},
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
            packets: Packets::default().in_zone(TimeZone::UTC),
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
        Harness::builder().with_size(size).build_ui_state(|ui, dock: &mut Self| dock.ui(ui), self)
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

#[test]
#[ignore = "makes pictures for the eye, asserts nothing"]
fn pictures() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for size in [[1440.0, 300.0], [1024.0, 240.0]] {
            let mut dock = Dock::new(data((1..60).map(|id| row(id, LOGIN))));
            dock.data.opened = Some(login());
            dock.view.selection.packet = Some(PacketId(55));
            dock.view.selection.field = Some(5);
            dock.view.hovered_field = Some(3);
            let mut harness = Harness::builder()
                .with_size(size)
                .with_theme(theme)
                .wgpu()
                .build_ui_state(|ui, dock: &mut Dock| dock.ui(ui), dock);
            harness.run_steps(3);
            let picture = harness.render().expect("a renderer");
            let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
            picture.save(folder.join(format!("dock-{name}-{}.png", size[0]))).expect("a folder to write to");
        }
    }
}

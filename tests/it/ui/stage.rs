//! All panels over hand-made data: what they show, and what a click asks for.

use std::{borrow::Cow, net::SocketAddr, path::PathBuf, sync::Arc};

use egui_kittest::{Harness, HarnessBuilder};
use wayglass::{
    backend::{
        Health, ListenAt, ReceiverLine, ReceiverStatus,
        bounds::Bounds,
        health::{Commits, Count, DeviceClock, DeviceClocks, Failure, Queue, Receiver, ReceiverState, limits},
    },
    geo::LatLon,
    model::{
        Command, CommandId, CommandState, Committed, Device, DeviceId, DeviceState, Direction, Fix, Identity,
        MishapKind, PacketId, PacketRow, Profile, Protocol, Readings, StoredEvent, StoredFix, Timestamp, Trust,
        Verdict,
    },
    ui::{
        Action, Cx, Data, View,
        data::Opened,
        faces::Face,
        map::{MapOptions, Trail},
        panels::Panels,
        remote::Preview,
        theme,
    },
    wire,
};

/// When all of it happens.
pub const NOW: &str = "2026-11-21T14:02:31Z";

/// What a test draws, and what was asked for.
pub struct Stage {
    pub data: Data,
    pub view: View,
    pub now: Timestamp,
    pub asked: Vec<Action>,
    /// Cards with a picture in base64, read when there is a window.
    pub faces: Vec<(DeviceId, String)>,
    /// Made with the window.
    panels: Option<Panels>,
}

impl Stage {
    /// Nothing ever connected; both receivers listen on this computer.
    pub fn empty() -> Self {
        let mut data = Data::default();
        data.loaded = true;
        data.station.receivers = Protocol::ALL.map(listening_here).to_vec();
        data.station.lan = vec!["192.168.1.20".parse().expect("an address")];
        data.station.data_dir = PathBuf::from("/home/jane/.local/share/wayglass");
        Self { data, view: View::default(), now: now(), asked: Vec::new(), faces: Vec::new(), panels: None }
    }

    /// A few devices in every state, and their packets.
    pub fn fleet() -> Self {
        let mut stage = Self::empty();
        for (id, vehicle) in (1..).zip(&FLEET) {
            stage.add(id, vehicle);
        }
        stage.data.count(stage.now);
        stage
    }

    /// So many trackers that nobody has named.
    pub fn crowd(n: i64) -> Self {
        let mut stage = Self::empty();
        let devices = (1..=n).map(|id| Device {
            id: DeviceId(id),
            identity: Identity::new(format!("{:015}", 860_000_000_000_000 + id)).expect("an identity"),
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: stage.now,
            last_heard: Some(stage.now),
        });
        let committed = Committed { devices: devices.collect(), ..Committed::default() };
        stage.data.apply(&committed, None);
        stage
    }

    fn add(&mut self, number: i32, vehicle: &Vehicle) {
        let id = i64::from(number);
        let device = DeviceId(id);
        let (first_seen, heard) = (self.ago(86_400 * 3), self.ago(vehicle.heard_s));
        let made = Device {
            id: device,
            identity: Identity::new(vehicle.identity).expect("an identity"),
            protocol: vehicle.protocol,
            name: vehicle.name.map(str::to_owned),
            state: vehicle.state,
            profile: Profile::default(),
            first_seen,
            last_heard: Some(heard),
        };
        let mut committed = Committed { devices: vec![made], ..Committed::default() };
        for back in (0..30).rev() {
            let n = i64::from(back);
            let at = self.ago(vehicle.heard_s + n * vehicle.every_s);
            let packet = PacketId(id * 1_000 + 30 - n);
            committed.packets.push(packet_row(packet, device, vehicle.protocol, at));
            let mut readings = Readings::new();
            readings.set("batteryLevel", 87);
            readings.set("ignition", vehicle.speed_kmh > 0.0);
            readings.set("rssi", 4);
            readings.set("odometer", 48_211_300);
            if vehicle.alarm && n == 0 {
                readings.alarm("powerCut");
            }
            committed.fixes.push(StoredFix {
                id: packet.0,
                device,
                fix: Fix {
                    at,
                    place: LatLon::new(
                        51.1 + f64::from(number) * 0.02 - f64::from(back) * 0.001,
                        4.4 + f64::from(back) * 0.002,
                    )
                    .expect("on the globe"),
                    valid: true,
                    altitude_m: None,
                    speed_kmh: Some(vehicle.speed_kmh),
                    course_deg: Some(93.0),
                    satellites: Some(12),
                    accuracy_m: Some(8.0),
                },
                received: at,
                trust: Trust::Good,
                readings,
                packet,
            });
        }
        self.data.trails.insert(device, Trail::default());
        self.data.apply(&committed, None);
    }

    pub fn ago(&self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now.as_second() - seconds).expect("a time")
    }

    /// As if the device had been clicked.
    pub fn select(&mut self, device: i64) {
        self.view.selection.device = Some(DeviceId(device));
        let mut alarm = Readings::new();
        alarm.alarm("powerCut");
        let event = |id: i64, ago: i64, kind: &'static str, attributes: &Readings| StoredEvent {
            id,
            device: DeviceId(device),
            at: self.ago(ago),
            kind: Cow::Borrowed(kind),
            attributes: attributes.clone(),
            packet: PacketId(device * 1_000 + 30),
            unread: false,
        };
        self.data.events = vec![event(2, 80, "alarm", &alarm), event(1, 4_000, "status", &Readings::new())];
    }

    /// With a command in every state, for the tracker with this number; the newest first.
    pub fn talk(&mut self, device: i64) {
        self.select(device);
        self.data.remote.connected = [DeviceId(device)].into();
        let command = |id: i64, text: &str, state: CommandState, ago: i64| {
            let created = self.ago(ago);
            Command {
                id: CommandId(id),
                device: DeviceId(device),
                text: text.to_owned(),
                state,
                created,
                expires: self.ago(ago - 600),
                sent: matches!(state, CommandState::Sent | CommandState::Answered).then_some(created),
                answered: None,
                answer: None,
                guessed: false,
                waits: None,
                sent_packet: None,
                answer_packet: None,
            }
        };
        let after =
            |command: &Command, ms: i64| Timestamp::from_millisecond(command.created.as_millisecond() + ms).ok();
        let status = command(4, "STATUS#", CommandState::Answered, 80);
        let cut = command(3, "DYD,000000#", CommandState::Answered, 3_000);
        self.data.remote.commands = vec![
            command(7, "TIMER,10,60#", CommandState::Queued, 12),
            command(6, "WHERE#", CommandState::Sent, 19),
            Command {
                answer: Some("cancelled before it was sent".to_owned()),
                ..command(5, "RESET#", CommandState::Failed, 60)
            },
            Command {
                answered: after(&status, 1_350),
                answer: Some(
                    "Battery:4.05V,NORMAL; GPRS:Link Up; GSM Signal Level:Strong; GPS:Successful positioning"
                        .to_owned(),
                ),
                ..status
            },
            Command {
                answered: after(&cut, 2_100),
                answer: Some("DYD=Speed Limit, Speed 40km/h".to_owned()),
                guessed: true,
                ..cut
            },
            command(2, "PARAM#", CommandState::Expired, 90_000),
        ];
    }

    /// As if its last packet had been clicked.
    pub fn open_last_packet(&mut self) {
        let row = self.data.packets.back().expect("a packet").clone();
        self.view.selection.packet = Some(row.id);
        self.view.selection.device = row.device;
        let dissection = wire::dissect(row.protocol, &row.bytes, &Profile::default(), row.received);
        self.data.opened = Some(Opened { row, dissection, fixes: Vec::new(), otherwise: None });
    }

    pub fn receiver(&mut self, protocol: Protocol) -> &mut ReceiverLine {
        self.data.station.receivers.iter_mut().find(|line| line.protocol == protocol).expect("a receiver a protocol")
    }

    /// In a window of this size, drawn so that it can be looked at.
    pub fn drawn(self, width: f32, height: f32, dark: bool) -> Harness<'static, Self> {
        let theme = if dark { egui::Theme::Dark } else { egui::Theme::Light };
        self.built(builder().with_size([width, height]).with_theme(theme).wgpu())
    }

    /// In a window of the usual size, not drawn.
    pub fn shown(self) -> Harness<'static, Self> {
        self.built(builder().with_size([1440.0, 900.0]))
    }

    /// In a window of this size, not drawn.
    pub fn sized(self, width: f32, height: f32) -> Harness<'static, Self> {
        self.built(builder().with_size([width, height]))
    }

    /// So tall that the whole list is in view.
    pub fn tall(self) -> Harness<'static, Self> {
        self.built(builder().with_size([1440.0, 1600.0]))
    }

    fn built(mut self, builder: HarnessBuilder<Self>) -> Harness<'static, Self> {
        builder.build_eframe(move |cc| {
            theme::install(&cc.egui_ctx);
            for (id, text) in &self.faces {
                self.data.phones.faces.insert(*id, Face::read(&cc.egui_ctx, PacketId(1), text));
            }
            let map = MapOptions { sync_tiles: true, ..MapOptions::default() };
            self.panels = Some(Panels::new(cc.wgpu_render_state.as_ref(), map));
            self
        })
    }
}

fn builder() -> HarnessBuilder<Stage> {
    Harness::builder().with_max_steps(12)
}

impl eframe::App for Stage {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let Some(panels) = &mut self.panels else { return };
        let mut actions = Vec::new();
        let mut cx = Cx { data: &self.data, view: &self.view, now: self.now, actions: &mut actions };
        panels.ui(ui, &mut cx);
        for action in actions {
            match &action {
                Action::Sheet(sheet) => self.view.open.sheet = *sheet,
                Action::SelectDevice(device) => self.view.selection.device = *device,
                Action::PreviewCommand { text, language } => self.data.remote.preview = Some(preview(text, *language)),
                Action::SetSettings(settings) => self.view.settings = settings.clone(),
                Action::SetDeviceList(list) => self.view.devices = list.clone(),
                Action::ReadPacketsAbove(above) => self.data.ends.reading_above = *above,
                _ => {}
            }
            self.asked.push(action);
        }
    }
}

/// The bytes as the backend would show them.
fn preview(text: &str, language: bool) -> Preview {
    let bytes = wire::gt06::encode::command(text, 7, language, 1).ok_or_else(|| "it is too long".to_owned());
    let read = |bytes: Vec<u8>| {
        let dissection = wire::dissect(Protocol::Gt06, &bytes, &Profile::default(), now());
        (bytes, dissection)
    };
    Preview { text: text.to_owned(), language, bytes: bytes.map(read) }
}

pub fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

pub fn listening_here(protocol: Protocol) -> ReceiverLine {
    let address = SocketAddr::from(([127, 0, 0, 1], protocol.default_port()));
    ReceiverLine {
        protocol,
        wanted: ListenAt::Address(address),
        status: ReceiverStatus::Listening(address),
        connections: 0,
        shown_out: 0,
    }
}

struct Vehicle {
    identity: &'static str,
    name: Option<&'static str>,
    protocol: Protocol,
    state: DeviceState,
    heard_s: i64,
    every_s: i64,
    speed_kmh: f64,
    alarm: bool,
}

const fn tracker(identity: &'static str, name: Option<&'static str>, heard_s: i64, speed_kmh: f64) -> Vehicle {
    let (protocol, state) = (Protocol::Gt06, DeviceState::Adopted);
    Vehicle { identity, name, protocol, state, heard_s, every_s: 60, speed_kmh, alarm: false }
}

const FLEET: [Vehicle; 10] = [
    tracker("868120148373456", Some("Van 7"), 4, 42.0),
    tracker("868120148373457", Some("Van 12"), 9, 0.0),
    tracker("868120148373458", Some("Van 3"), 31, 87.0),
    Vehicle { alarm: true, ..tracker("868120148373459", Some("Excavator, north yard behind the long hall"), 14, 0.0) },
    Vehicle { protocol: Protocol::OwnTracks, ..tracker("owntracks/jane/phone", Some("Jane"), 2_700, 3.0) },
    tracker("868120148373460", None, 5_400, 0.0),
    tracker("868120148373461", Some("Trailer 2"), 86_400 * 12, 0.0),
    Vehicle { protocol: Protocol::OwnTracks, ..tracker("owntracks/omar/tablet", None, 50, 0.0) },
    Vehicle { state: DeviceState::New, ..tracker("359339075001122", None, 7, 12.0) },
    Vehicle {
        state: DeviceState::New,
        protocol: Protocol::OwnTracks,
        ..tracker("owntracks/visitor/a-very-long-device-name-that-does-not-fit", None, 90, 0.0)
    },
];

fn packet_row(id: PacketId, device: DeviceId, protocol: Protocol, received: Timestamp) -> PacketRow {
    let bytes: Vec<u8> = match protocol {
        Protocol::Gt06 => LOCATION.to_vec(),
        Protocol::OwnTracks => {
            let body = r#"{"_type":"location","acc":8,"alt":12,"batt":87,"conn":"m","cog":93,"lat":51.1234,"lon":4.3912,"t":"u","tid":"ja","topic":"owntracks/jane/phone","tst":1795269747,"vel":42}"#;
            body.as_bytes().to_vec()
        }
    };
    PacketRow {
        id,
        received,
        protocol,
        direction: Direction::In,
        peer: Arc::from("10.0.0.9:51234"),
        connection: 1,
        device: Some(device),
        kind: Cow::Borrowed("location"),
        verdict: Verdict::Ok,
        bytes: Arc::from(bytes),
        context: None,
        answers: None,
    }
}

/// The location packet of the vendor's protocol text.
const LOCATION: [u8; 36] = [
    0x78, 0x78, 0x1F, 0x12, 0x0B, 0x08, 0x1D, 0x11, 0x2E, 0x10, 0xCF, 0x02, 0x7A, 0xC7, 0xEB, 0x0C, 0x46, 0x58, 0x49,
    0x00, 0x14, 0x8F, 0x01, 0xCC, 0x00, 0x28, 0x7D, 0x00, 0x1F, 0xB8, 0x00, 0x03, 0x80, 0x81, 0x0D, 0x0A,
];

/// An instance with about everything that can be wrong.
pub fn health() -> Health {
    let count = |key: &str, title: &str, kind, since_start, ever| Count {
        key: key.to_owned(),
        title: title.to_owned(),
        kind,
        since_start,
        ever,
        last: Some(ago(40)),
    };
    let receiver = |name: &str, state, address: &str, trouble: Option<&str>, connections| Receiver {
        name: name.to_owned(),
        state,
        address: Some(address.to_owned()),
        trouble: trouble.map(str::to_owned),
        connections,
        most_connections: 12_000,
    };
    let in_use = Some("port in use, held by python3 (pid 812)");
    let mut health = Health {
        at: now(),
        started: ago(93_784),
        pid: 4711,
        version: "0.1.0".to_owned(),
        taps: Vec::new(),
        receivers: vec![
            receiver("OwnTracks", ReceiverState::Listening, "0.0.0.0:5144", None, 12),
            receiver("GT06", ReceiverState::Waiting, "127.0.0.1:5023", in_use, 0),
            receiver("OwnTracks over HTTPS", ReceiverState::Listening, "0.0.0.0:5145", None, 3),
        ],
        packets_by_second: (0..60).map(|n| n % 5).collect(),
        positions_by_second: (0..60).map(|n| u32::from(n % 7 == 0)).collect(),
        queue: Queue { writes: 41, bytes: 58 << 20, bound_bytes: 64 << 20 },
        commits: Commits { last_us: Some(640), count: 1_181, p50_us: Some(7_500), p99_us: Some(131_000) },
        database_bytes: 3 << 30,
        log_bytes: 5 << 20,
        disk_free_bytes: Some(400 << 20),
        failure: Some(Failure {
            began: ago(150),
            at: ago(3),
            text: "the disk is full".to_owned(),
            lasts: true,
            batches: 7,
        }),
        kept_bytes: 1 << 30,
        quarantine_bytes: 60 << 20,
        new_senders: 17,
        visits: 12,
        counts: vec![
            count("bad_checksum", "frames with a wrong checksum, kept and not answered", MishapKind::Refused, 3, 1_204),
            count("noise_not_kept", "pieces of noise beyond what a minute keeps", MishapKind::NotKept, 5, 5),
            count("queue_full", "packets that waited for room in the queue", MishapKind::Bound, 90, 90),
            count("closed_by_peer", "closed by the far end", MishapKind::Closed, 210, 99_999),
        ],
        limits: Vec::new(),
        clocks: DeviceClocks {
            devices: 9,
            ahead: 1,
            behind: 1,
            worst: vec![
                DeviceClock { device: 1, name: "Van 7".to_owned(), ahead_s: 8 * 3_600 },
                DeviceClock { device: 99, name: "Van 99".to_owned(), ahead_s: -1_300 },
            ],
        },
    };
    let mut bounds = Bounds::default();
    bounds.store.keep.quarantine_age = std::time::Duration::from_hours(48);
    health.limits = limits(&bounds, Some(&health));
    health
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).expect("a time")
}

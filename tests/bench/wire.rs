//! How fast bytes become meaning: `cargo bench --bench wire`. With the counts of allocations, since a frame's fields are kept.

use std::hint::black_box;

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use jiff::Timestamp;
use wayglass::{
    geo::LatLon,
    model::{Device, DeviceId, DeviceState, Fix, Identity, Profile, Protocol},
    wire::{Admission, Conversation, Line, Output, gt06},
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("a moment of this century")
}

fn fix(step: u16) -> Fix {
    Fix {
        at: now(),
        place: LatLon::new(47.0 + f64::from(step) / 1000.0, 15.4).expect("on the globe"),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(61.0),
        course_deg: Some(271.0),
        satellites: Some(9),
        accuracy_m: None,
    }
}

/// One frame of each of the kinds that trackers send all day.
const KINDS: [&str; 4] = ["login", "heartbeat", "position", "alarm"];

fn frame(kind: &str) -> Vec<u8> {
    match kind {
        "login" => gt06::encode::login("123456789012345", 1),
        "heartbeat" => gt06::encode::heartbeat(true, true, 6, 4, 2),
        "position" => gt06::encode::position_22(&fix(1), true, 3),
        _ => gt06::encode::alarm_16(&fix(1), true, 6, 4),
    }
}

#[divan::bench(args = KINDS)]
fn dissect_one_frame(bencher: Bencher<'_, '_>, kind: &str) {
    let (frame, profile) = (frame(kind), Profile::default());
    bencher.counter(ItemsCount::new(1_usize)).bench(|| gt06::dissect(black_box(&frame), &profile, now()));
}

const MANY: u16 = 1000;

/// A connection that sends a thousand positions, read in pieces of 4 KiB.
#[divan::bench]
fn hear_a_thousand_positions(bencher: Bencher<'_, '_>) {
    let mut stream = frame("login");
    stream.extend((0..MANY).flat_map(|step| gt06::encode::position_22(&fix(step), true, step)));
    bencher.counter(ItemsCount::new(MANY)).bench(|| hear(black_box(&stream), 4096));
}

/// 64 KiB in which every byte may begin a frame: the framer's worst day.
#[divan::bench(args = [0x78, 0x79])]
fn refuse_junk(bencher: Bencher<'_, '_>, byte: u8) {
    let stream = vec![byte; 64 * 1024];
    bencher.counter(divan::counter::BytesCount::of_slice(&stream)).bench(|| hear(black_box(&stream), 1460));
}

fn hear(stream: &[u8], segment: usize) -> usize {
    let mut session = gt06::Session::new(Line { peer: "127.0.0.1:1".into(), connection: 1 });
    let mut stored = 0;
    for part in stream.chunks(segment) {
        session.receive(now(), part);
        while let Some(output) = session.poll() {
            match output {
                Output::Identify(identity) => session.identified(Admission::Device(Box::new(device(identity)))),
                Output::Store(packet) => {
                    black_box(packet);
                    stored += 1;
                }
                Output::Send(_) | Output::Receipt(_) | Output::Close(_) => {}
            }
        }
    }
    stored
}

fn device(identity: Identity) -> Device {
    Device {
        id: DeviceId(1),
        identity,
        protocol: Protocol::Gt06,
        name: None,
        state: DeviceState::Adopted,
        profile: Profile::default(),
        first_seen: now(),
        last_heard: None,
    }
}

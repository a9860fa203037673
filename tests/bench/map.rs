//! What a frame of the map costs: layout and tessellation at 1920 x 1080, without tiles and without a graphics card.
//!
//! `cargo bench --bench map`. The table at the head is CPU time of the drawing thread, so that it holds beside other work; the
//! figures of divan are time on the wall.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, clippy::print_stdout, reason = "made-up numbers")]

use std::time::Instant;

use divan::{Bencher, black_box};
use egui::{Context, RawInput, Rect, pos2, vec2};
use wayglass::{
    geo::LatLon,
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix,
        Timestamp, Trust,
    },
    ui::{
        Cx, Data, View,
        map::{
            MapOptions, MapPanel, Trail,
            camera::Camera,
            style::{Colour, Labels},
        },
    },
};

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a frame with everything on it may take of the processor, in milliseconds.
const LIMIT_MS: f64 = 4.0;

fn main() {
    everything_at_once();
    divan::main();
}

/// Ten thousand devices and a track of a million points in one frame, from the continent down to the street, beside the limit.
fn everything_at_once() {
    let mut data = devices();
    let fixes = wander();
    let center = fixes[fixes.len() / 2].fix.place;
    data.trails.insert(DeviceId(0), Trail::from_fixes(fixes));
    for n in 1..=300i64 {
        let place = data.devices[&DeviceId(n)].last_fix.as_ref().unwrap().fix.place;
        let step = |i: i64| fix(n, i, 4_100 - i * 10, place.lat_deg() + i as f64 * 2e-4, place.lon_deg());
        data.trails.insert(DeviceId(n), Trail::from_fixes((0..400).map(step).collect()));
    }
    println!("one frame of 10 000 devices, 300 trails and a track of a million points, limit {LIMIT_MS} ms of CPU:");
    for (labels, name) in [(Labels::Name, "names"), (Labels::Full, "full labels")] {
        for zoom in [5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0] {
            let mut stage = Stage::new(std::mem::take(&mut data), center, zoom);
            stage.view.selection.device = Some(DeviceId(0));
            stage.view.settings.map.labels = labels;
            stage.view.settings.map.colour = Colour::Speed;
            stage.frame();
            print!("  zoom {zoom:>4}, {name:<11}:");
            for (way, name) in
                [(Way::Still, "still"), (Way::Pan, "panning"), (Way::Zoom, "zooming"), (Way::Live, "live")]
            {
                let (median, slow) = stage.measure(way);
                let verdict = if slow <= LIMIT_MS { "" } else { " OVER" };
                print!("  {name} {median:.2}, at most {slow:.2}{verdict};");
            }
            println!();
            data = stage.data;
        }
    }
}

/// What happens from frame to frame.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Still,
    Pan,
    Zoom,
    /// A hundred devices have moved since the frame before: three thousand fixes a second at 30 Hz.
    Live,
}

/// CPU time of this thread, in milliseconds. Elsewhere than on Linux it is time on the wall.
fn cpu_ms(begun: Instant) -> f64 {
    // The kernel brings it up to date when the thread gives way.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|t| t.split(' ').next()?.parse::<f64>().ok());
    spent.map_or_else(|| begun.elapsed().as_secs_f64() * 1_000.0, |ns| ns / 1e6)
}

const DEVICES: i64 = 10_000;
const POINTS: i64 = 1_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn fix(device: i64, id: i64, seconds_ago: i64, lat: f64, lon: f64) -> StoredFix {
    let at = Timestamp::from_second(now().as_second() - seconds_ago).unwrap();
    let fix = Fix {
        at,
        place: LatLon::new(lat, lon).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some((id % 97) as f64),
        course_deg: Some((id % 360) as f64),
        satellites: None,
        accuracy_m: None,
    };
    let (trust, readings) = (Trust::Good, Readings::new());
    StoredFix { id, device: DeviceId(device), fix, received: at, trust, readings, packet: PacketId(id) }
}

/// Spread over central Europe.
fn devices() -> Data {
    let mut data = Data::default();
    for n in 0..DEVICES {
        let (lat, lon) = (46.0 + (n * 7_919 % DEVICES) as f64 * 0.0007, 5.0 + (n * 104_729 % DEVICES) as f64 * 0.001);
        let last_fix = fix(n, n, 10 + n % 4_000, lat, lon);
        let device = Device {
            id: last_fix.device,
            identity: Identity::new(format!("{n:015}")).unwrap(),
            protocol: Protocol::Gt06,
            name: Some(format!("Van {n}")),
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: now(),
            last_heard: Some(last_fix.received),
        };
        let readings = Readings::new();
        let (id, last_fix) = (device.id, Some(last_fix));
        let overview = DeviceOverview { device, last_fix, readings, packets: 1, positions: 1, lost_frames: 0 };
        data.devices.insert(id, overview);
    }
    data
}

/// A million fixes of one device that goes about a country, its towns and their streets.
fn wander() -> Vec<StoredFix> {
    let step = |n: i64| {
        let t = n as f64;
        let lat = 50.0 + 2.0 * (t * 2.1e-5).sin() + 0.2 * (t * 3.7e-4).sin() + 0.02 * (t * 1.1e-2).sin();
        let lon = 10.0 + 3.0 * (t * 1.7e-5).cos() + 0.3 * (t * 4.3e-4).cos() + 0.03 * (t * 1.3e-2).cos();
        fix(0, n, (POINTS - n) * 10, lat, lon)
    };
    (0..POINTS).map(step).collect()
}

struct Stage {
    ctx: Context,
    map: MapPanel,
    data: Data,
    view: View,
}

impl Stage {
    fn new(data: Data, center: LatLon, zoom: f64) -> Self {
        let camera = Some(Camera { center, zoom });
        let options = MapOptions { camera, sync_tiles: true, ..MapOptions::default() };
        let mut stage =
            Self { ctx: Context::default(), map: MapPanel::new(None, options), data, view: View::default() };
        // Fonts, pictures and the like are made once.
        stage.frame();
        stage.frame();
        stage
    }

    /// Median and maximum of nine runs, each the mean of twelve frames, in milliseconds a frame.
    fn measure(&mut self, way: Way) -> (f64, f64) {
        const FRAMES: u32 = 12;
        let (begun, home) = (Instant::now(), self.map.camera());
        let mut runs: Vec<f64> = (0..9i64)
            .map(|run| {
                self.map.set_camera(home);
                let before = cpu_ms(begun);
                for n in 0..FRAMES {
                    self.step(way, home, n, run);
                    self.frame();
                }
                (cpu_ms(begun) - before) / f64::from(FRAMES)
            })
            .collect();
        self.map.set_camera(home);
        runs.sort_by(f64::total_cmp);
        (runs[runs.len() / 2], runs[runs.len() - 1])
    }

    /// What the hand, or the feed, does before a frame.
    fn step(&mut self, way: Way, home: Camera, n: u32, run: i64) {
        match way {
            Way::Still => {}
            Way::Pan => {
                // 25 points a frame.
                let lon = home.center.lon_deg() + f64::from(n) * 25.0 * 360.0 / (256.0 * home.zoom.exp2());
                let center = LatLon::new(home.center.lat_deg(), lon).unwrap();
                self.map.set_camera(Camera { center, zoom: home.zoom });
            }
            Way::Zoom => self.map.set_camera(Camera { zoom: home.zoom + f64::from(n) * 0.08, ..home }),
            Way::Live => {
                for device in 0..100 {
                    let device = 1_000 + (i64::from(n) * 100 + device) % 8_000;
                    let overview = self.data.devices.get_mut(&DeviceId(device)).unwrap();
                    let last = overview.last_fix.as_mut().unwrap();
                    last.id += 10_000 * (run + 1);
                    let north = last.fix.place.lat_deg() + 1e-4;
                    last.fix.place = LatLon::new(north, last.fix.place.lon_deg()).unwrap();
                }
            }
        }
    }

    fn frame(&mut self) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1920.0, 1080.0))),
            ..RawInput::default()
        };
        let Self { ctx, map, data, view } = self;
        let mut actions = Vec::new();
        let mut output = ctx.run_ui(input, |ui| map.ui(ui, &mut Cx { data, view, now: now(), actions: &mut actions }));
        output.textures_delta.clear();
        black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
    }
}

#[divan::bench(args = [5.0, 7.0, 9.0, 12.0])]
fn frame_with_10k_devices(bencher: Bencher<'_, '_>, zoom: f64) {
    let mut stage = Stage::new(devices(), LatLon::new(49.5, 10.0).unwrap(), zoom);
    bencher.bench_local(|| stage.frame());
}

#[divan::bench(args = [4.0, 7.0, 10.0, 13.0, 16.0])]
fn frame_with_a_million_points(bencher: Bencher<'_, '_>, zoom: f64) {
    let mut data = devices();
    data.devices.retain(|id, _| id.0 == 0);
    let fixes = wander();
    let center = fixes[fixes.len() / 2].fix.place;
    data.trails.insert(DeviceId(0), Trail::from_fixes(fixes));
    let mut stage = Stage::new(data, center, zoom);
    bencher.bench_local(|| stage.frame());
}

#[divan::bench(sample_count = 3)]
fn trail_of_a_million_points(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(wander).bench_local_values(Trail::from_fixes);
}

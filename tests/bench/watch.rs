//! What watching costs: 10 000 devices among 100 places, as judged behind the writer; and reading their positions for it.
//!
//! `cargo bench --bench watch`

#![expect(clippy::cast_precision_loss, reason = "numbers far below the bounds")]

use divan::{Bencher, black_box, counter::ItemsCount};
use wayglass::{
    geo::{LatLon, fence::Shape},
    model::{
        DeviceId, PacketId, Timestamp,
        watch::{Book, Course, Overspeed, Place, PlaceId, PlaceSpec, RuleBook, Rules, Seen},
    },
};

const DEVICES: i64 = 10_000;

fn main() {
    divan::main();
}

/// Places of 300 m to 30 km over a land of five degrees; every third is a polygon of twelve corners.
fn book(places: i64) -> Book {
    let place = |n: i64| {
        let (lat, lon) = (50.0 + (n * 37 % 500) as f64 / 100.0, 4.0 + (n * 91 % 500) as f64 / 100.0);
        let reach_deg = 0.003 + (n % 10) as f64 * 0.03;
        let shape = if n % 3 == 0 {
            let corner = |k: i64| {
                let angle = k as f64 / 12.0 * std::f64::consts::TAU;
                LatLon::new(lat + reach_deg * angle.sin(), lon + reach_deg * angle.cos()).expect("on the globe")
            };
            Shape::Polygon { corners: (0..12).map(corner).collect() }
        } else {
            Shape::Circle { center: LatLon::new(lat, lon).expect("on the globe"), radius_m: reach_deg * 111_195.0 }
        };
        Place {
            id: PlaceId(n),
            spec: PlaceSpec { dwell_min: Some(10), ..PlaceSpec::new(format!("{n}"), shape) },
            since: Timestamp::MIN,
        }
    };
    let rules = Rules { overspeed: Overspeed { on: true, ..Overspeed::default() }, ..Rules::default() };
    Book::new((0..places).map(place).collect(), RuleBook { all: (rules, Timestamp::MIN), ..RuleBook::default() })
}

/// The next fix of a device that drives east, a kilometre a minute.
fn seen(device: i64, minute: i64) -> Seen {
    let at = Timestamp::from_second(1_795_262_400 + minute * 60).expect("within this century");
    let lon = 4.0 + ((device * 7 + minute) % 333) as f64 * 0.015;
    let place = LatLon::new(50.0 + (device % 500) as f64 / 100.0, lon).expect("on the globe");
    Seen {
        at,
        place,
        accuracy_m: Some(8.0),
        speed_kmh: Some(60.0),
        battery: Some(80.0),
        sound: true,
        packet: PacketId(1),
        received: at,
    }
}

/// One round: a fix of every device.
#[divan::bench(args = [0, 1, 100, 10_000], sample_count = 20)]
fn judge(bencher: Bencher, places: i64) {
    let book = book(places);
    let mut courses = vec![Course::default(); usize::try_from(DEVICES).expect("a few")];
    let mut minute = 0;
    let mut raised = Vec::new();
    bencher.counter(ItemsCount::new(DEVICES.unsigned_abs())).bench_local(|| {
        for (device, course) in (0..).zip(&mut courses) {
            course.step(&book, DeviceId(device), &seen(device, minute), &mut raised);
        }
        minute += 1;
        black_box(&mut raised).clear();
    });
}

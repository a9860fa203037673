//! Around the globe: devices and trails on both sides of the antimeridian, and as far as the poles.

use egui::{Theme, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use wayglass::{
    geo::LatLon,
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix,
        Timestamp, Trust,
    },
    ui::{
        Data,
        map::{Trail, camera::Camera},
    },
};

use super::{Stage, at};

fn fix(device: i64, id: i64, seconds_ago: i64, lat: f64, lon: f64) -> StoredFix {
    let at = Timestamp::from_second(1_700_000_000 - seconds_ago).unwrap();
    let fix = Fix {
        at,
        place: LatLon::new(lat, lon).unwrap(),
        valid: true,
        altitude_m: None,
        speed_kmh: Some(40.0),
        course_deg: Some(90.0),
        satellites: None,
        accuracy_m: None,
    };
    let (trust, readings) = (Trust::Good, Readings::new());
    StoredFix { id, device: DeviceId(device), fix, received: at, trust, readings, packet: PacketId(id) }
}

/// Devices with these places, the last of each being where it is now.
fn fleet(ways: &[&[(f64, f64)]]) -> Data {
    let mut data = Data::default();
    for (id, way) in (1..).zip(ways) {
        let steps = (0..).zip(way.iter().rev());
        let mut fixes: Vec<StoredFix> =
            steps.map(|(n, (lat, lon))| fix(id, id * 1_000 + 500 - n, 10 + n * 60, *lat, *lon)).collect();
        let device = Device {
            id: DeviceId(id),
            identity: Identity::new(format!("{id:015}")).unwrap(),
            protocol: Protocol::Gt06,
            name: Some(format!("Boat {id}")),
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: fixes[0].received,
            last_heard: Some(fixes[0].received),
        };
        let overview = DeviceOverview {
            device,
            last_fix: Some(fixes[0].clone()),
            readings: Readings::new(),
            packets: 1,
            positions: 1,
            lost_frames: 0,
        };
        data.devices.insert(DeviceId(id), overview);
        fixes.reverse();
        data.trails.insert(DeviceId(id), Trail::from_fixes(fixes));
    }
    data
}

fn boats(harness: &Harness<'_, Stage>) -> Vec<egui::Pos2> {
    let boat = |n: i32| {
        let label = format!("Boat {n} on the map");
        harness.query_by_label(&label).map(|node| node.rect().center())
    };
    (1..=9).filter_map(boat).collect()
}

#[test]
fn devices_on_both_sides_of_the_antimeridian_are_fitted_side_by_side() {
    let fiji = fleet(&[&[(-17.8, 179.2)], &[(-16.9, -179.6)], &[(-18.5, 179.9)]]);
    let mut harness = Stage::drawn(fiji, at(50.0, 4.0, 5.0), Theme::Dark);
    harness.run();
    harness.state_mut().map().fit_all();
    harness.run();
    assert_eq!(boats(&harness).len(), 3);
    let camera = harness.state_mut().map().camera();
    assert!(camera.zoom > 7.0, "the short way round: {camera:?}");
    assert!(camera.center.lon_deg().abs() > 178.0, "{camera:?}");
    assert!(crate::support::picture(&mut harness, "antimeridian-fit.png") > 20);
}

#[test]
fn a_pan_goes_across_the_antimeridian_and_land_goes_with_it() {
    // Fiji's two sides, Siberia's tip and Alaska: land on both sides of the edge of the world.
    let mut harness = Stage::drawn(fleet(&[&[(66.0, 179.0)], &[(66.0, -175.0)]]), at(66.0, 178.0, 5.0), Theme::Light);
    harness.run();
    assert_eq!(boats(&harness).len(), 2, "both at once");
    let before: Vec<_> = boats(&harness);
    drag(&mut harness, vec2(-150.0, 0.0));
    let camera: Camera = harness.state_mut().map().camera();
    assert!(camera.center.lon_deg() < -170.0, "{camera:?}");
    let after = boats(&harness);
    for (from, to) in before.iter().zip(&after) {
        assert!((*to - *from - vec2(-150.0, 0.0)).length() < 2.0, "{from} went to {to}");
    }
    // Neither side is bare sea from edge to edge.
    let picture = harness.render().unwrap();
    for half in [0..400, 400..800] {
        let colors: std::collections::HashSet<_> =
            half.flat_map(|x| (0..600).map(move |y| (x, y))).map(|(x, y)| picture.get_pixel(x, y).0).collect();
        assert!(colors.len() > 8, "only {} colours", colors.len());
    }
}

fn drag(harness: &mut Harness<'_, Stage>, by: egui::Vec2) {
    let from = pos2(420.0, 420.0);
    harness.hover_at(from);
    harness.run();
    harness.drag_at(from);
    harness.run();
    harness.hover_at(from + by);
    harness.run();
    harness.drop_at(from + by);
    harness.run();
}

#[test]
fn a_trail_across_the_antimeridian_is_one_short_line() {
    let way: Vec<(f64, f64)> = (0..20).map(|n| (0.0, 179.95 + f64::from(n) * 0.005)).collect();
    let way: Vec<(f64, f64)> =
        way.into_iter().map(|(lat, lon)| (lat, if lon > 180.0 { lon - 360.0 } else { lon })).collect();
    let data = fleet(&[&way]);
    let trail = &data.trails[&DeviceId(1)];
    let (width, _) = trail.line().bounds().size();
    assert!(width < 0.01, "{width} of a world");
    assert_eq!(trail.line().breaks().count(), 0, "no gap where the numbers jump");
    // Seen from either side, and found under the pointer from either side.
    for lon in [179.9, -179.9] {
        let place = wayglass::geo::mercator::World::from_lat_lon(LatLon::new(0.0, lon).unwrap());
        assert!(trail.nearest(place, 0.001).is_some(), "{lon}");
    }
}

#[test]
fn the_poles_are_the_edge_and_nothing_falls_off() {
    let data = fleet(&[&[(90.0, 0.0)], &[(-90.0, 120.0)], &[(84.9, -60.0)]]);
    let mut harness = Stage::drawn(data, at(90.0, 0.0, 3.0), Theme::Dark);
    harness.run();
    assert!(!boats(&harness).is_empty() || harness.query_by_label("Boat 1 on the map").is_none());
    for (lat, lon) in [(90.0, 180.0), (-90.0, -180.0), (85.06, 179.999), (-85.06, -179.999)] {
        for zoom in [0.0, 2.0, 9.0, 20.0] {
            harness.state_mut().map().set_camera(at(lat, lon, zoom));
            harness.run();
            let camera = harness.state_mut().map().camera();
            assert!(camera.center.lat_deg().abs() < 85.06 && camera.zoom.is_finite(), "{lat} {lon} {zoom}: {camera:?}");
        }
    }
    harness.state_mut().map().fit_all();
    harness.run();
    let camera = harness.state_mut().map().camera();
    assert!(camera.center.lat_deg().abs() < 85.06);
}

//! A part of history on the map in place of the live picture.

use std::sync::Arc;

use super::*;
use wayglass::ui::map::Shown;

/// A van that goes north from Antwerp, a minute a point, ten minutes ago; now it is far in the south.
fn yesterday() -> (Data, Shown) {
    let mut data = two_vans();
    let fixes: Vec<_> = (0..=10).map(|n| fix(1, n, 90_000 - n * 60, 51.2 + n as f64 * 0.02, 4.4)).collect();
    let shown = Shown { tracks: [(DeviceId(1), Arc::new(Trail::from_fixes(fixes)))].into(), ..Shown::default() };
    data.trails.insert(DeviceId(2), Trail::from_fixes(vec![fix(2, 200, 60, 50.9, 4.3), fix(2, 201, 10, 50.8, 4.3)]));
    (data, shown)
}

#[test]
fn a_span_is_shown_with_its_devices_where_they_were() {
    let (mut data, shown) = yesterday();
    data.shown = Some(shown);
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(51.25, 4.4).unwrap(), zoom: 10.0 });
    let mut h = stage.harness();
    h.run();
    assert!(h.query_by_label("Van 2 on the map").is_none(), "only what is shown of history");
    let end = h.get_by_label("Van 1 on the map").rect().center();
    let moment = Timestamp::from_second(now().as_second() - 90_000 + 90).unwrap();
    h.state_mut().data.shown.as_mut().unwrap().at = Some(moment);
    h.run();
    let then = h.get_by_label("Van 1 on the map").rect().center();
    // A minute and a half along: 51.23 lies below the middle, the end of the track above it.
    assert!(then.y > 300.0 && end.y < 300.0, "{then:?} {end:?}");
    // Live again, nothing of it is left.
    h.state_mut().data.shown = None;
    h.state_mut().map().set_camera(Camera { center: LatLon::new(51.0, 4.35).unwrap(), zoom: 9.0 });
    h.run();
    h.get_by_label("Van 2 on the map");
    let live = h.get_by_label("Van 1 on the map").rect().center();
    assert!((live - pos2(400.0, 300.0)).length() < 400.0);
}

#[test]
fn a_point_of_a_span_can_be_clicked_and_all_of_it_brought_into_view() {
    let (mut data, shown) = yesterday();
    data.shown = Some(shown);
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(51.3, 4.4).unwrap(), zoom: 10.0 });
    let mut h = stage.harness();
    h.run();
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, [Action::SelectFix { device: DeviceId(1), fix: 5, packet: PacketId(5) }]);
    h.state_mut().map().fit_all();
    h.run();
    let camera = h.state_mut().map().camera();
    assert!((camera.center.lat_deg() - 51.3).abs() < 0.1 && camera.zoom > 9.5, "{camera:?}");
}

#[test]
fn a_device_that_was_not_known_yet_is_looked_at_where_it_went_later() {
    let (mut data, shown) = yesterday();
    let before = shown.tracks[&DeviceId(1)].points()[0].at - jiff::SignedDuration::from_mins(1);
    data.shown = Some(Shown { at: Some(before), ..shown });
    let mut h = Stage::new(data).harness();
    h.run();
    assert!(h.query_by_label("Van 1 on the map").is_none());
    h.state_mut().map().fit_device(DeviceId(1));
    h.run();
    let camera = h.state_mut().map().camera();
    assert!((camera.center.lat_deg() - 51.3).abs() < 0.1 && camera.zoom > 9.5, "{camera:?}");
}

//! The map alone: what a click selects, what is drawn, where it looks.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test; made-up numbers")]

mod history;
mod live;
mod said;

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Instant,
};

use egui::{Theme, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable};
use wayglass::{
    geo::LatLon,
    model::{
        Device, DeviceId, DeviceOverview, DeviceState, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix,
        Timestamp, Trust,
    },
    ui::{
        Action, Cx, Data, View,
        map::{MapOptions, MapPanel, Trail, camera::Camera, online::OnlineOptions},
    },
};

/// The moment at which everything here is looked at.
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
        speed_kmh: Some(0.0),
        course_deg: None,
        satellites: Some(9),
        accuracy_m: None,
    };
    let (trust, readings) = (Trust::Good, Readings::new());
    StoredFix { id, device: DeviceId(device), fix, received: at, trust, readings, packet: PacketId(id) }
}

fn overview(last_fix: StoredFix, name: &str) -> DeviceOverview {
    let device = Device {
        id: last_fix.device,
        identity: Identity::new(format!("{:015}", last_fix.device.0)).unwrap(),
        protocol: Protocol::Gt06,
        name: Some(name.to_owned()),
        state: DeviceState::Adopted,
        profile: Profile::default(),
        first_seen: now(),
        last_heard: Some(last_fix.received),
    };
    DeviceOverview {
        device,
        last_fix: Some(last_fix),
        readings: Readings::new(),
        packets: 1,
        positions: 1,
        lost_frames: 0,
    }
}

/// The map in a window of its own, with what `App::apply` would do about its actions.
struct Stage {
    map: Option<MapPanel>,
    options: MapOptions,
    data: Data,
    view: View,
    actions: Vec<Action>,
}

impl Stage {
    fn new(data: Data) -> Self {
        let options = MapOptions { sync_tiles: true, ..MapOptions::default() };
        Self { map: None, options, data, view: View::default(), actions: Vec::new() }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let options = &self.options;
        let map = self.map.get_or_insert_with(|| MapPanel::new(None, options.clone()));
        let mut cx = Cx { data: &self.data, view: &self.view, now: now(), actions: &mut self.actions };
        map.ui(ui, &mut cx);
    }

    fn map(&mut self) -> &mut MapPanel {
        self.map.as_mut().unwrap()
    }

    /// Drawn by a software renderer, to be looked at.
    fn pictured(self, size: [f32; 2], theme: Theme) -> Harness<'static, Self> {
        Harness::builder().with_size(size).with_theme(theme).wgpu().build_eframe(move |cc| {
            let mut stage = self;
            stage.map = Some(MapPanel::new(cc.wgpu_render_state.as_ref(), stage.options.clone()));
            stage
        })
    }

    fn harness(self) -> Harness<'static, Self> {
        Harness::builder().with_size([800.0, 600.0]).build_ui_state(
            |ui, stage: &mut Self| {
                egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| stage.ui(ui));
            },
            self,
        )
    }
}

impl eframe::App for Stage {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| Self::ui(self, ui));
    }
}

/// Fifty devices in every state around Antwerp, with trails.
fn fleet() -> Data {
    let mut data = Data::default();
    for n in 0..50i64 {
        let turn = n as f64 * 2.399;
        let (lat, lon) = (51.2 + turn.sin() * 0.012 * n as f64, 4.4 + turn.cos() * 0.02 * n as f64);
        let interval = 20 + n % 5 * 10;
        let silence = [5, 5, 5, 5, 200, 1_500, 200_000][usize::try_from(n % 7).unwrap()];
        let moving = n % 3 != 0;
        let mut heading = turn;
        let (mut y, mut x) = (lat, lon);
        let mut fixes: Vec<StoredFix> = Vec::new();
        for step in 0..400i64 {
            heading += ((step * 7919 + n * 104_729) % 100 - 50) as f64 * 0.012;
            let pause = if step > 250 { 3_600 } else { 0 };
            let mut at = fix(n, n * 1_000 + 400 - step, silence + step * interval + pause, y, x);
            at.fix.speed_kmh = Some(if moving { 30.0 + (step % 40) as f64 } else { 0.0 });
            at.fix.course_deg = Some((90.0 - heading.to_degrees()).rem_euclid(360.0));
            at.fix.accuracy_m = Some(400.0);
            fixes.push(at);
            if moving {
                let stride = if step == 250 { 0.05 } else { 0.0025 };
                y -= heading.sin() * stride;
                x -= heading.cos() * stride * 1.6;
            }
        }
        let mut newest = fixes[0].clone();
        if n % 17 == 4 {
            newest.readings.alarm("sos");
        }
        let mut device = overview(newest, &format!("Van {n}"));
        if n % 13 == 6 {
            device.device.state = DeviceState::New;
        }
        data.devices.insert(DeviceId(n), device);
        if n % 2 == 1 {
            data.trails.insert(DeviceId(n), Trail::from_fixes(fixes));
        }
    }
    data
}

fn picture(h: &mut Harness<'_, Stage>, name: &str) -> usize {
    h.run();
    crate::support::picture(h, name)
}

#[test]
fn the_map_is_never_grey() {
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut h = Stage::new(Data::default()).pictured([900.0, 600.0], theme);
        let colors = picture(&mut h, &format!("world-{word}.png"));
        for (name, lat, lon, zoom) in [
            ("dateline", 66.0, 179.0, 4.0),
            ("south", -80.0, 0.0, 2.5),
            ("europe", 50.0, 8.0, 5.0),
            ("city", 51.2, 4.4, 10.0),
        ] {
            h.state_mut().map().set_camera(Camera { center: LatLon::new(lat, lon).unwrap(), zoom });
            picture(&mut h, &format!("{name}-{word}.png"));
        }
        assert!(colors > 100, "sea, land, borders and names, without a network: {colors} colours");
    }
}

#[test]
fn a_fleet_is_drawn_in_both_themes() {
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for size in [[1440.0, 900.0], [1024.0, 640.0]] {
            let mut stage = Stage::new(fleet());
            stage.view.selection.device = Some(DeviceId(11));
            let mut h = stage.pictured(size, theme);
            picture(&mut h, &format!("fleet-{word}-{}.png", size[0]));
            if size[0] > 1024.0 {
                continue;
            }
            h.state_mut().map().fit_device(DeviceId(11));
            picture(&mut h, &format!("device-{word}-{}.png", size[0]));
            h.hover_at(pos2(size[0] / 2.0, size[1] / 2.0));
            h.run();
            h.get_by_label("Van 11 on the map").hover();
            picture(&mut h, &format!("tooltip-{word}-{}.png", size[0]));
            let near = h.state().data.trails[&DeviceId(11)].place(395).unwrap().lat_lon();
            h.state_mut().view.selection.fix = Some(11 * 1_000 + 396);
            h.state_mut().map().set_camera(Camera { center: near, zoom: 13.5 });
            picture(&mut h, &format!("near-{word}-{}.png", size[0]));
        }
    }
}

#[test]
fn a_crowd_is_drawn_as_numbers() {
    let mut data = Data::default();
    for n in 0..3_000i64 {
        let (lat, lon) = (48.0 + (n * n % 1_009) as f64 * 0.004, 4.0 + (n * 7_919 % 2_003) as f64 * 0.004);
        let mut last_fix = fix(n, n, [10, 10, 10, 300, 4_000][usize::try_from(n % 5).unwrap()], lat, lon);
        last_fix.fix.speed_kmh = Some((n % 3 * 20) as f64);
        last_fix.fix.course_deg = Some((n * 31 % 360) as f64);
        data.devices.insert(DeviceId(n), overview(last_fix, &format!("Van {n}")));
    }
    let mut h = Stage::new(data).pictured([1_000.0, 700.0], Theme::Dark);
    picture(&mut h, "crowd.png");
    h.state_mut().map().zoom_by(3.0);
    picture(&mut h, "crowd-nearer.png");
}

fn two_vans() -> Data {
    let mut data = Data::default();
    for (id, name, lat, lon) in [(1, "Van 1", 51.2, 4.4), (2, "Van 2", 50.8, 4.3)] {
        data.devices.insert(DeviceId(id), overview(fix(id, id * 100, 10, lat, lon), name));
    }
    data
}

#[test]
fn a_click_on_a_marker_selects_its_device() {
    let mut h = Stage::new(two_vans()).harness();
    h.run();
    h.get_by_label("Van 2 on the map").click();
    h.run();
    assert_eq!(h.state().actions, [Action::SelectDevice(Some(DeviceId(2)))]);
}

#[test]
fn a_click_on_a_trail_selects_that_position() {
    let mut data = two_vans();
    // Eleven points from the van to the north; its last is the van itself.
    let fixes = (0..=10).map(|n| fix(1, n, 10 + (10 - n) * 60, 51.2 + (10 - n) as f64 * 0.02, 4.4)).collect();
    data.trails.insert(DeviceId(1), Trail::from_fixes(fixes));
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(51.3, 4.4).unwrap(), zoom: 10.0 });
    let mut h = stage.harness();
    h.run();
    // The middle of the trail is the middle of the map.
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, [Action::SelectFix { device: DeviceId(1), fix: 5, packet: PacketId(5) }]);
}

#[test]
fn a_late_position_can_be_clicked_where_it_belongs() {
    let mut data = two_vans();
    let mut trail = Trail::from_fixes(vec![fix(1, 1, 600, 51.0, 4.0), fix(1, 3, 10, 51.2, 4.4)]);
    trail.push(&fix(1, 2, 300, 51.1, 4.2));
    data.trails.insert(DeviceId(1), trail);
    let mut stage = Stage::new(data);
    stage.options.camera = Some(Camera { center: LatLon::new(51.1, 4.2).unwrap(), zoom: 9.0 });
    let mut h = stage.harness();
    h.run();
    click(&mut h, pos2(400.0, 300.0));
    assert_eq!(h.state().actions, [Action::SelectFix { device: DeviceId(1), fix: 2, packet: PacketId(2) }]);
}

#[test]
fn a_pan_by_hand_ends_following() {
    let mut stage = Stage::new(two_vans());
    stage.view.follow = Some(DeviceId(1));
    let mut h = stage.harness();
    h.run();
    let center = h.state_mut().map().camera().center;
    assert!((center.lat_deg() - 51.2).abs() < 1e-6, "the followed device is in the middle: {center:?}");
    h.drag_at(pos2(200.0, 200.0));
    h.run();
    h.hover_at(pos2(260.0, 230.0));
    h.run();
    h.drop_at(pos2(260.0, 230.0));
    h.run();
    assert!(h.state().actions.contains(&Action::Follow(None)), "{:?}", h.state().actions);
}

#[test]
fn arrow_keys_move_the_map_once_it_was_clicked() {
    let mut stage = Stage::new(two_vans());
    stage.options.camera = Some(Camera { center: LatLon::new(48.0, 10.0).unwrap(), zoom: 8.0 });
    let mut h = stage.harness();
    h.run();
    h.key_press(egui::Key::ArrowRight);
    h.run();
    let start = h.state_mut().map().camera();
    assert!((start.center.lon_deg() - 10.0).abs() < 1e-6, "the keyboard is elsewhere");
    click(&mut h, pos2(300.0, 200.0));
    h.key_press(egui::Key::ArrowRight);
    h.run();
    h.key_press(egui::Key::ArrowUp);
    h.run();
    let moved = h.state_mut().map().camera();
    assert!(moved.center.lon_deg() > 10.2 && moved.center.lat_deg() > 48.1, "{moved:?}");
}

#[test]
fn selecting_moves_the_camera_only_to_what_is_out_of_view() {
    let mut stage = Stage::new(two_vans());
    let start = Camera { center: LatLon::new(51.2, 4.5).unwrap(), zoom: 11.0 };
    stage.options.camera = Some(start);
    let mut h = stage.harness();
    h.run();
    h.state_mut().view.selection.device = Some(DeviceId(1));
    h.run();
    let camera = h.state_mut().map().camera();
    assert!(camera.center.distance_m(start.center) < 1.0, "Van 1 is in view, so nothing moves");
    h.state_mut().view.selection.device = Some(DeviceId(2));
    h.run();
    let camera = h.state_mut().map().camera();
    assert!(camera.center.distance_m(LatLon::new(50.8, 4.3).unwrap()) < 1.0, "{camera:?}");
}

#[test]
fn all_devices_are_kept_in_view_until_the_user_decides() {
    let mut h = Stage::new(Data::default()).harness();
    h.run();
    assert!(h.state_mut().map().camera().zoom < 3.0, "without devices: the world");
    h.state_mut().data = two_vans();
    h.run();
    let camera = h.state_mut().map().camera();
    assert!(camera.zoom > 7.0, "{camera:?}");
    h.get_by_label("Van 1 on the map");
    h.get_by_label("Van 2 on the map");
    h.state_mut().data.devices.insert(DeviceId(3), overview(fix(3, 300, 10, -33.9, 151.2), "Sydney"));
    h.run();
    let camera = h.state_mut().map().camera();
    assert!(camera.zoom < 4.0, "nobody chose a view yet, so a device far away comes into it: {camera:?}");
    h.state_mut().map().zoom_by(3.0);
    h.run();
    let chosen = h.state_mut().map().camera();
    h.state_mut().data.devices.insert(DeviceId(4), overview(fix(4, 300, 10, -54.8, -68.3), "Ushuaia"));
    h.run();
    assert_eq!(h.state_mut().map().camera(), chosen, "a chosen view stays");
    h.state_mut().map().fit_all();
    h.run();
    h.get_by_label("Sydney on the map");
}

#[test]
fn a_new_sender_is_brought_into_view_until_the_user_decides() {
    let mut h = Stage::new(two_vans()).harness();
    h.run();
    h.state_mut().map().bring_all();
    h.run();
    assert_eq!(h.state_mut().map().chosen_camera(), None, "nobody chose, so the next run shows all devices again");
    let mut sender = overview(fix(3, 300, 10, 59.9, 10.7), "Oslo");
    sender.device.state = DeviceState::New;
    h.state_mut().data.devices.insert(DeviceId(3), sender);
    h.run();
    h.get_by_label("Oslo on the map");
    h.state_mut().map().zoom_by(1.0);
    h.run();
    let chosen = h.state_mut().map().camera();
    assert_eq!(h.state_mut().map().chosen_camera(), Some(chosen));
}

#[test]
fn what_would_hide_the_number_of_a_heap_joins_it() {
    let mut data = Data::default();
    // Eight on one spot; the ninth a dozen points beside them, the tenth far off.
    let lon_of = |n: i64| match n {
        ..8 => 4.4,
        8 => 4.4082,
        9.. => 4.6,
    };
    for n in 0..10i64 {
        data.devices.insert(DeviceId(n), overview(fix(n, n, 10, 51.2, lon_of(n)), &format!("Van {n}")));
    }
    let mut stage = Stage::new(data);
    for (lon, x, selected, count) in [(4.4, 400.0, None, 9), (4.35, 472.8, None, 9), (4.4, 380.0, Some(8), 8)] {
        stage.options.camera = Some(Camera { center: LatLon::new(51.2, lon).unwrap(), zoom: 11.0 });
        stage.view.selection.device = selected.map(DeviceId);
        let mut h = stage.harness();
        h.run();
        assert_eq!(h.query_by_label("Van 8 on the map").is_some(), selected.is_some());
        h.get_by_label("Van 9 on the map");
        // The selected one is to the right of the heap, which steps aside to the left.
        h.hover_at(pos2(x, 300.0));
        h.run();
        h.get_by_label(&format!("{count} devices"));
        let Stage { options, data, view, .. } = std::mem::replace(h.state_mut(), Stage::new(Data::default()));
        stage = Stage { options, view, ..Stage::new(data) };
    }
}

#[test]
fn the_buttons_have_names_and_work() {
    let mut stage = Stage::new(two_vans());
    stage.view.selection.device = Some(DeviceId(1));
    let mut h = stage.harness();
    h.run();
    let zoom = h.state_mut().map().camera().zoom;
    h.get_by_label("Zoom in").click();
    h.run();
    assert!((h.state_mut().map().camera().zoom - zoom - 1.0).abs() < 1e-6);
    h.get_by_label("Zoom out").click();
    h.run();
    assert!((h.state_mut().map().camera().zoom - zoom).abs() < 1e-6);
    h.get_by_label("Show all devices").click();
    h.run();
    h.get_by_label("Follow the selected device").click();
    h.run();
    assert_eq!(h.state().actions, [Action::FitAll, Action::Follow(Some(DeviceId(1)))]);
}

#[test]
fn an_online_map_names_its_owner_and_can_be_reloaded() {
    let mut h = Stage::new(two_vans()).harness();
    h.run();
    assert!(h.query_by_label("Reload").is_none(), "off unless asked for");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    let online = OnlineOptions { url: format!("http://{at}/{{z}}/{{x}}/{{y}}.png"), ..OnlineOptions::default() };
    h.state_mut().map().set_online(Some(online));
    h.run();
    h.get_by_label("© OpenStreetMap contributors");
    h.get_by_label("Reload").click();
    h.run();
    h.state_mut().map().set_online(Some(OnlineOptions { url: "ftp://x".to_owned(), ..OnlineOptions::default() }));
    h.run();
    h.get_by_label("the map's address must begin with http:// or https://");
    h.state_mut().map().set_online(None);
    h.run();
    assert!(h.query_by_label("Reload").is_none());
}

#[test]
fn a_server_that_is_away_is_named_and_its_map_comes_when_it_is_back() {
    let port = crate::support::Port::keep();
    let at = port.at();
    let online = OnlineOptions { url: format!("http://{at}/{{z}}/{{x}}/{{y}}.png"), ..OnlineOptions::default() };
    let mut stage = Stage::new(two_vans());
    stage.options.online = Some(online);
    let mut h = stage.pictured([500.0, 300.0], Theme::Light);
    let away = format!("The map server cannot be reached: {at}");
    until(&mut h, |h| h.query_by_label(&away).is_some());
    assert_eq!(h.query_all_by_label("Reload").count(), 1, "beside the message");
    // What was asked for together fails together; then nothing is painted until it is tried again.
    rest(&mut h);
    let without = crate::support::picture(&mut h, "online-away.png");
    assert!(without > 100, "the embedded map and its names stay: {without} colours");

    let server = TcpListener::bind(at).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (heads, serve) = (Arc::clone(&asked), server.try_clone().unwrap());
    let server_thread = std::thread::spawn(move || {
        for stream in serve.incoming().map_while(Result::ok) {
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|l| !l.is_empty());
            let Some(first) = head.next() else { return };
            assert!(head.count() > 0);
            let body = include_bytes!("../../assets/icon.png");
            let length = body.len();
            write!(&stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n").unwrap();
            (&stream).write_all(body).unwrap();
            heads.lock().unwrap().push(first);
        }
    });
    // Each step is a quarter of a second for the window, so the pause is over soon.
    until(&mut h, |h| h.query_by_label(&away).is_none() && asked.lock().unwrap().len() >= 6);
    rest(&mut h);
    crate::support::picture(&mut h, "online-back.png");
    // A connection without a request ends the server.
    drop(TcpStream::connect(at).unwrap());
    server_thread.join().unwrap();
    let asked = asked.lock().unwrap();
    let once: HashSet<&String> = asked.iter().collect();
    assert_eq!(asked.len(), once.len(), "what is there is not asked for again");
}

/// Steps until no frame asks for another.
fn rest(h: &mut Harness<'_, Stage>) {
    let end = Instant::now() + crate::support::SOON;
    while h.run_ok().is_none_or(|steps| steps > 2) {
        assert!(Instant::now() < end, "it never rests");
    }
}

/// Steps until something is so.
fn until(h: &mut Harness<'_, Stage>, mut done: impl FnMut(&Harness<'_, Stage>) -> bool) {
    let end = Instant::now() + crate::support::SOON;
    while !done(h) {
        assert!(Instant::now() < end, "it never came");
        h.step();
    }
}

#[test]
fn a_map_that_nobody_touches_does_not_repaint() {
    let mut h = Stage::new(two_vans()).harness();
    // `run` fails when the frames do not end.
    h.run();
    assert!(h.run() <= 2);
}

fn click<S>(h: &mut Harness<'_, S>, pos: egui::Pos2) {
    h.hover_at(pos);
    h.run();
    h.drag_at(pos);
    h.run();
    h.drop_at(pos);
    h.run();
}

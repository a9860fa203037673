//! The two lamps of a device and the mark of its state: text, shape and colour, never colour alone.

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, vec2};

use super::{
    format,
    map::Trail,
    status::{Freshness, Motion, Status, status},
    theme::{self, Palette},
};
use crate::model::{DeviceOverview, DeviceState, Timestamp, Trust};

/// How a device fares, for its mark, for sorting (worst last) and for the counts at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Moving,
    Parked,
    /// Heard in time; whether it moves it does not tell.
    Live,
    Late,
    Stale,
    Lost,
    /// All that it told of where it is came under a wrong checksum.
    Suspect,
    /// It has never told where it is.
    Nowhere,
    /// Its history was imported, and nothing was ever heard of it.
    Imported,
    /// Nobody has decided about it.
    New,
    Ignored,
}

/// How old something is, measured against the device's own rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    Fresh,
    Late,
    Stale,
    Lost,
    Never,
}

impl From<Freshness> for Age {
    fn from(freshness: Freshness) -> Self {
        match freshness {
            Freshness::Fresh => Self::Fresh,
            Freshness::Late => Self::Late,
            Freshness::Stale => Self::Stale,
            Freshness::Lost => Self::Lost,
        }
    }
}

impl Age {
    fn colour(self, p: &Palette) -> Color32 {
        match self {
            Self::Fresh => p.parked,
            Self::Late => p.late,
            Self::Stale | Self::Lost | Self::Never => p.stale,
        }
    }
}

/// One lamp: what it says, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lamp {
    pub kind: Kind,
    pub age: Age,
    /// Seconds since; `None` where there never was anything.
    pub age_s: Option<i64>,
    /// It lies ahead of us by `age_s`: the clock of the device is wrong.
    pub ahead: bool,
    /// A connection stands now, so silence means nothing yet.
    pub connected: bool,
}

/// What a lamp is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything at all was heard.
    Link,
    /// A position was measured.
    Fix,
}

impl Lamp {
    /// `4 s`, `never`.
    pub fn short(&self) -> String {
        let sign = if self.ahead { "+" } else { "" };
        self.age_s.map_or_else(|| "never".to_owned(), |s| format!("{sign}{}", format::age(s)))
    }

    /// `Heard 4 s ago`.
    pub fn sentence(&self) -> String {
        match (self.kind, self.age_s) {
            (Kind::Link, Some(s)) if self.connected => format!("Connected, {} ago", format::age(s)),
            (Kind::Link, Some(s)) => format!("Heard {} ago", format::age(s)),
            (Kind::Fix, Some(s)) => format!("Fix {} {}", format::age(s), if self.ahead { "ahead" } else { "ago" }),
            (Kind::Link, None) => "Never heard".to_owned(),
            (Kind::Fix, None) => "No position yet".to_owned(),
        }
    }
}

/// Everything that list, details and counts say about how a device fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub link: Lamp,
    pub fix: Lamp,
    /// It was on the move when it was last seen.
    pub moving: bool,
    /// The last fix came with an alarm.
    pub alarm: bool,
    /// Seconds between two reports as they usually are; `None` until that is known.
    pub rhythm_s: Option<i64>,
    /// Seconds of silence after which it is late, stale and lost.
    pub patience_s: [i64; 3],
}

/// Clocks that are this far ahead count as right.
const AHEAD_S: i64 = 60;

/// Judges a device by what was last heard of it, and whether a connection of it stands.
pub fn health(overview: &DeviceOverview, trail: Option<&Trail>, connected: bool, now: Timestamp) -> Health {
    let status = status(overview, trail, now);
    let lamp = |kind, at: Option<Timestamp>| {
        let age = at.map(|at| Age::from(Status { since: Some(at), ..status }.freshness_at(now)));
        let age_s = at.map(|at| now.as_second() - at.as_second());
        let ahead = age_s.is_some_and(|s| s < -AHEAD_S);
        let age = if ahead { Some(Age::Late) } else { age };
        let age_s = age_s.map(|s| if ahead { -s } else { s.max(0) });
        Lamp { kind, age: age.unwrap_or(Age::Never), age_s, ahead, connected: false }
    };
    let mut link = lamp(Kind::Link, overview.device.last_heard);
    if connected {
        link = Lamp { age: Age::Fresh, connected, ..link };
    }
    let fix = lamp(Kind::Fix, overview.last_fix.as_ref().map(|f| f.fix.at));
    let imported = status.imported && !connected;
    let state = match (overview.device.state, status.freshness, status.motion) {
        (DeviceState::New, _, _) => State::New,
        (DeviceState::Ignored, _, _) => State::Ignored,
        (DeviceState::Adopted, _, _) if overview.last_fix.is_none() => State::Nowhere,
        // Only where there is no good one: any good fix goes before it.
        (DeviceState::Adopted, _, _) if overview.last_fix.as_ref().is_some_and(|f| f.trust == Trust::Suspect) => {
            State::Suspect
        }
        (DeviceState::Adopted, _, _) if imported => State::Imported,
        (DeviceState::Adopted, Freshness::Lost, _) => State::Lost,
        (DeviceState::Adopted, Freshness::Stale, _) => State::Stale,
        (DeviceState::Adopted, Freshness::Late, _) => State::Late,
        (DeviceState::Adopted, Freshness::Fresh, Motion::Moving) => State::Moving,
        (DeviceState::Adopted, Freshness::Fresh, Motion::Parked) => State::Parked,
        (DeviceState::Adopted, Freshness::Fresh, Motion::Unknown) => State::Live,
    };
    let rhythm_known = trail.is_some_and(|t| t.intervals().take(3).count() == 3);
    let moving = status.motion == Motion::Moving;
    let rhythm_s = rhythm_known.then(|| status.rhythm.as_secs());
    let patience_s = status.patience().map(|silence| silence.as_secs());
    Health { state, link, fix, moving, alarm: status.alarm, rhythm_s, patience_s }
}

/// What [`paint_mark`] draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub state: State,
    /// Degrees clockwise from north, where the device moved and knew where to.
    pub heading_deg: Option<f64>,
}

impl Mark {
    /// Of something that does not move.
    pub fn of(state: State) -> Self {
        Self { state, heading_deg: None }
    }
}

impl Health {
    /// The mark of the device.
    pub fn mark(&self, overview: &DeviceOverview) -> Mark {
        let course = overview.last_fix.as_ref().and_then(|f| f.fix.course_deg);
        Mark { state: self.state, heading_deg: course.filter(|_| self.moving) }
    }

    /// The rule behind the lamps, for their tooltip, in short lines.
    pub fn rule(&self) -> String {
        if self.state == State::Imported {
            return "Its history was imported.\nNothing was ever heard of it.".to_owned();
        }
        let usually = match self.rhythm_s {
            Some(s) => format!("Usually every {}", format::span(s)),
            None => "How often it reports is not known yet".to_owned(),
        };
        let [late, stale, lost] = self.patience_s.map(format::span);
        format!("{usually}\nLate after {late} of silence\nStale after {stale}, lost after {lost}")
    }

    /// `42 km/h`, `parked`, `late 14 min`, `lost, fix 296 d`.
    pub fn word(&self, overview: &DeviceOverview, units: super::view::Units) -> String {
        // The age is that of what is late: a device that is heard from may have no news of where it is.
        let since = |age: Age| {
            if self.link.age >= age { format!(" {}", self.link.short()) } else { format!(", fix {}", self.fix.short()) }
        };
        match self.state {
            State::Moving => {
                let speed = overview.last_fix.as_ref().and_then(|f| f.fix.speed_kmh);
                speed.map_or_else(|| "moving".to_owned(), |v| format::speed(v, units))
            }
            State::Parked => "parked".to_owned(),
            State::Live => "live".to_owned(),
            State::Late => format!("late{}", since(Age::Late)),
            State::Stale => format!("stale{}", since(Age::Stale)),
            State::Lost => format!("lost{}", since(Age::Lost)),
            State::Suspect => "suspect".to_owned(),
            State::Nowhere => "no position".to_owned(),
            State::Imported => "imported".to_owned(),
            State::New => "new".to_owned(),
            State::Ignored => "ignored".to_owned(),
        }
    }
}

impl State {
    pub fn colour(self, p: &Palette) -> Color32 {
        match self {
            Self::Moving => p.moving,
            Self::Parked | Self::Live => p.parked,
            Self::Late => p.late,
            Self::Stale | Self::Lost | Self::Nowhere | Self::Imported | Self::Ignored => p.stale,
            Self::New | Self::Suspect => p.suspect,
        }
    }
}

/// The mark of a state, 16 points wide: an arrow where it goes somewhere, else a disc; full, half, hollow or struck by its age.
pub fn paint_mark(painter: &Painter, centre: Pos2, mark: &Mark, p: &Palette) {
    let colour = mark.state.colour(p);
    let line = Stroke::new(1.4, colour);
    let hollow = || match mark.heading_deg {
        Some(deg) => {
            painter.add(Shape::closed_line(arrow_outline(centre, deg, 6.5).to_vec(), line));
        }
        None => {
            painter.circle_stroke(centre, 4.5, line);
        }
    };
    match mark.state {
        State::Moving => match mark.heading_deg {
            Some(deg) => arrow(painter, centre, deg, 7.0, colour),
            None => {
                painter.circle_filled(centre, 4.5, colour);
            }
        },
        State::Parked | State::Live => {
            painter.circle_filled(centre, 4.5, colour);
        }
        State::Late => match mark.heading_deg {
            Some(deg) => {
                let [tip, _, notch, left] = arrow_outline(centre, deg, 6.5);
                painter.add(Shape::convex_polygon(vec![tip, notch, left], colour, Stroke::NONE));
                hollow();
            }
            None => half_disc(painter, centre, 4.5, colour),
        },
        State::Stale => hollow(),
        State::Lost => {
            hollow();
            painter.line_segment([centre + vec2(-6.0, 6.0), centre + vec2(6.0, -6.0)], line);
        }
        State::Suspect => {
            painter.circle_stroke(centre, 6.0, line);
            painter.text(centre, Align2::CENTER_CENTER, "?", FontId::proportional(9.5), colour);
        }
        State::Nowhere => {
            painter.line_segment([centre - vec2(4.0, 0.0), centre + vec2(4.0, 0.0)], line);
        }
        // No disc: nothing lives there.
        State::Imported => {
            let sheet = Rect::from_center_size(centre, Vec2::splat(8.0));
            painter.rect_stroke(sheet, 1.0, line, egui::StrokeKind::Middle);
        }
        State::New => dashed_ring(painter, centre, 5.5, line),
        State::Ignored => {
            painter.line_segment([centre + vec2(-4.0, -4.0), centre + vec2(4.0, 4.0)], line);
            painter.line_segment([centre + vec2(4.0, -4.0), centre + vec2(-4.0, 4.0)], line);
        }
    }
}

/// A triangle beside a mark: the last fix came with an alarm.
pub fn paint_alarm(painter: &Painter, centre: Pos2, p: &Palette) {
    let corners = vec![centre + vec2(0.0, -5.0), centre + vec2(5.0, 4.0), centre + vec2(-5.0, 4.0)];
    painter.add(Shape::convex_polygon(corners, p.alarm, Stroke::NONE));
    let line = Stroke::new(1.2, p.panel);
    painter.line_segment([centre + vec2(0.0, -2.0), centre + vec2(0.0, 1.2)], line);
    painter.circle_filled(centre + vec2(0.0, 2.7), 0.7, p.panel);
}

/// A lamp: round for the link, a diamond for the fix; full, half or hollow by age.
pub fn paint_lamp(painter: &Painter, centre: Pos2, lamp: &Lamp, p: &Palette) {
    let colour = lamp.age.colour(p);
    let line = Stroke::new(1.3, colour);
    match (lamp.kind, lamp.age) {
        (_, Age::Never) => {
            painter.line_segment([centre - vec2(3.0, 0.0), centre + vec2(3.0, 0.0)], line);
        }
        (Kind::Link, Age::Fresh) => {
            painter.circle_filled(centre, 3.5, colour);
        }
        (Kind::Link, Age::Late) => half_disc(painter, centre, 3.5, colour),
        (Kind::Link, Age::Stale | Age::Lost) => {
            painter.circle_stroke(centre, 3.2, line);
        }
        (Kind::Fix, Age::Fresh) => {
            painter.add(Shape::convex_polygon(diamond(centre, 4.4), colour, Stroke::NONE));
        }
        (Kind::Fix, Age::Late) => {
            let [top, _, bottom, left] =
                <[Pos2; 4]>::try_from(diamond(centre, 4.2)).expect("a diamond has four corners");
            painter.add(Shape::convex_polygon(vec![top, bottom, left], colour, Stroke::NONE));
            painter.add(Shape::closed_line(diamond(centre, 4.2), line));
        }
        (Kind::Fix, Age::Stale | Age::Lost) => {
            painter.add(Shape::closed_line(diamond(centre, 4.0), line));
        }
    }
    if lamp.age == Age::Lost {
        painter.line_segment([centre + vec2(-4.5, 4.5), centre + vec2(4.5, -4.5)], line);
    }
}

/// A lamp as a widget of its own.
pub fn show_lamp(ui: &mut Ui, lamp: &Lamp) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(12.0), Sense::hover());
    paint_lamp(ui.painter(), rect.center(), lamp, theme::palette(ui));
    response
}

/// A mark as a widget of its own.
pub fn show_mark(ui: &mut Ui, mark: &Mark) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(16.0), Sense::hover());
    paint_mark(ui.painter(), rect.center(), mark, theme::palette(ui));
    response
}

/// Tip, right, notch and left of an arrow head that points where the course does; 0 is up.
#[expect(clippy::cast_possible_truncation, reason = "an angle on the screen")]
fn arrow_outline(centre: Pos2, course_deg: f64, size: f32) -> [Pos2; 4] {
    let turn = egui::emath::Rot2::from_angle((course_deg as f32).to_radians());
    [(0.0, -1.0), (0.72, 0.85), (0.0, 0.45), (-0.72, 0.85)].map(|(x, y)| centre + turn * vec2(x * size, y * size))
}

fn arrow(painter: &Painter, centre: Pos2, course_deg: f64, size: f32, colour: Color32) {
    let [tip, right, notch, left] = arrow_outline(centre, course_deg, size);
    // Two triangles, because the head is not convex.
    painter.add(Shape::convex_polygon(vec![tip, right, notch], colour, Stroke::NONE));
    painter.add(Shape::convex_polygon(vec![tip, notch, left], colour, Stroke::NONE));
}

fn diamond(centre: Pos2, r: f32) -> Vec<Pos2> {
    vec![centre - vec2(0.0, r), centre + vec2(r, 0.0), centre + vec2(0.0, r), centre - vec2(r, 0.0)]
}

fn half_disc(painter: &Painter, centre: Pos2, r: f32, colour: Color32) {
    let arc = |from: f32, to: f32| {
        (0..=16u8).map(move |i| {
            let angle = from + (to - from) * f32::from(i) / 16.0;
            centre + r * vec2(angle.cos(), angle.sin())
        })
    };
    let (quarter, half) = (std::f32::consts::FRAC_PI_2, std::f32::consts::PI);
    painter.add(Shape::convex_polygon(arc(quarter, quarter + half).collect(), colour, Stroke::NONE));
    painter.circle_stroke(centre, r - 0.4, Stroke::new(1.3, colour));
}

fn dashed_ring(painter: &Painter, centre: Pos2, r: f32, line: Stroke) {
    let ring: Vec<_> = (0..=32u8)
        .map(|i| {
            let angle = f32::from(i) / 32.0 * std::f32::consts::TAU;
            centre + r * vec2(angle.cos(), angle.sin())
        })
        .collect();
    painter.extend(Shape::dashed_line(&ring, line, 2.6, 2.0));
}

/// Where a lamp of the link of a receiver stands: full while it listens, half while it waits, hollow while off.
pub fn paint_receiver(painter: &Painter, rect: Rect, age: Age, p: &Palette) {
    let lamp = Lamp { kind: Kind::Link, age, age_s: Some(0), ahead: false, connected: false };
    paint_lamp(painter, rect.center(), &lamp, p);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        model::{Device, DeviceId, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix},
        ui::view::Units,
    };

    const NOW: i64 = 1_700_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(NOW + second).unwrap()
    }

    fn overview(trust: Trust, fix_at: i64, heard: i64, speed_kmh: Option<f64>) -> DeviceOverview {
        let fix = Fix {
            at: at(fix_at),
            place: LatLon::new(51.0, 4.0).unwrap(),
            valid: trust == Trust::Good,
            altitude_m: None,
            speed_kmh,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (readings, packet) = (Readings::new(), PacketId(1));
        let last_fix = StoredFix { id: 1, device: DeviceId(1), fix, received: at(fix_at), trust, readings, packet };
        let device = Device {
            id: DeviceId(1),
            identity: Identity::new("one").unwrap(),
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: at(-100_000_000),
            last_heard: Some(at(heard)),
        };
        let (readings, last_fix) = (Readings::new(), Some(last_fix));
        DeviceOverview { device, last_fix, readings, packets: 1, positions: 1, lost_frames: 0 }
    }

    fn word(overview: &DeviceOverview) -> String {
        health(overview, None, false, at(0)).word(overview, Units::Metric)
    }

    #[test]
    fn the_age_in_the_word_is_that_of_what_is_late() {
        const DAY: i64 = 86_400;
        assert_eq!(word(&overview(Trust::Good, -296 * DAY, -45, None)), "lost, fix 296 d");
        assert_eq!(word(&overview(Trust::Good, -296 * DAY, -20 * DAY, None)), "lost 20 d");
        assert_eq!(word(&overview(Trust::Good, -296 * DAY, -3 * DAY, Some(0.0))), "lost 3 d");
        assert_eq!(word(&overview(Trust::Good, -296 * DAY, -45, Some(0.0))), "parked");
    }

    #[test]
    fn a_fix_of_a_clock_that_is_ahead_is_not_one_of_now() {
        let fix = |fix_at| health(&overview(Trust::Good, fix_at, -2, None), None, false, at(0)).fix;
        let (ahead, late) = (fix(2 * 3600 + 900), fix(-840));
        assert_eq!(
            (ahead.sentence().as_str(), ahead.short().as_str(), ahead.age),
            ("Fix 2 h ahead", "+2 h", Age::Late)
        );
        assert_eq!((late.sentence().as_str(), late.short().as_str()), ("Fix 14 min ago", "14 min"));
        assert_eq!(fix(3).sentence(), "Fix 0 s ago", "clocks differ by seconds");
    }

    #[test]
    fn an_imported_device_is_neither_late_nor_stale() {
        let mut imported = overview(Trust::Good, -10, -10, Some(42.0));
        imported.device.last_heard = None;
        let health = health(&imported, None, false, at(100_000));
        assert_eq!((health.state, health.link.age, health.fix.age), (State::Imported, Age::Never, Age::Stale));
        assert_eq!(health.word(&imported, Units::Metric), "imported");
        assert!(health.rule().contains("imported") && !health.rule().contains("ate after"), "{}", health.rule());
        // It has called now, and nothing was stored of that yet.
        assert_ne!(super::health(&imported, None, true, at(0)).state, State::Imported);
    }

    #[test]
    fn a_device_with_none_but_a_suspect_fix_is_not_parked() {
        let suspect = overview(Trust::Suspect, -10, -10, Some(0.0));
        let health = health(&suspect, None, false, at(0));
        assert_eq!((health.state, health.mark(&suspect).state), (State::Suspect, State::Suspect));
        assert_eq!(word(&suspect), "suspect");
    }
}

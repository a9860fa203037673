//! What state a device is in, by its own rhythm: for the map's markers, the device list and whoever asks.
//!
//! A tracker that reports every ten seconds is late after half a minute, a phone that reports every hour is not. So a device is
//! measured by the median of its own last intervals, and by those of the same kind: a parked device reports more rarely.

use jiff::SignedDuration;

use super::map::Trail;
use crate::model::{
    DeviceOverview, DeviceState, Timestamp, Trust,
    watch::rhythm::{self, MOVING_KMH},
};

/// Rhythms of silence after which a device is late, stale, lost.
pub const LATE_RHYTHMS: i32 = 3;
pub const STALE_RHYTHMS: i32 = 10;
pub const LOST_RHYTHMS: i32 = 50;

/// No device is lost before this.
pub const LOST_MIN: SignedDuration = SignedDuration::from_hours(24);

/// Whether a device goes somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Motion {
    Moving,
    Parked,
    /// It told no speed, and no second place to see one by.
    Unknown,
}

/// How far a device is behind its own rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    Fresh,
    /// Silent for 3 rhythms.
    Late,
    /// Silent for 10 rhythms.
    Stale,
    /// Silent for 50 rhythms, and for a day at least.
    Lost,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is told apart from the others")]
pub struct Status {
    pub motion: Motion,
    pub freshness: Freshness,
    /// The last fix came with an alarm.
    pub alarm: bool,
    /// The last fix is in doubt: a bad checksum, or no satellites.
    pub suspect: bool,
    /// Nobody has decided about the device yet.
    pub new: bool,
    /// All that is known of it was imported: nothing is to be heard of it, so it does not age.
    pub imported: bool,
    /// How often it usually reports.
    pub rhythm: SignedDuration,
    /// From when its silence counts: the last fix, or for a parked device the last packet. `None`: never heard.
    pub since: Option<Timestamp>,
}

impl Status {
    /// The freshness at another time, everything else being as it is.
    pub fn freshness_at(&self, now: Timestamp) -> Freshness {
        self.ageing().freshness_at(now)
    }

    /// When the device becomes late, stale and lost, for who asks often.
    pub fn ageing(&self) -> Ageing {
        if self.imported {
            // As old news, and never as a device that got lost.
            return Ageing::never(Freshness::Stale);
        }
        let after = |silence| self.since.and_then(|since| since.checked_add(silence).ok()).unwrap_or(Timestamp::MIN);
        let [late_ms, stale_ms, lost_ms] = self.patience().map(after).map(Timestamp::as_millisecond);
        Ageing { late_ms, stale_ms, lost_ms }
    }

    /// After how much silence the device is late, stale and lost.
    pub fn patience(&self) -> [SignedDuration; 3] {
        let lost = (self.rhythm * LOST_RHYTHMS).max(LOST_MIN);
        [self.rhythm * LATE_RHYTHMS, self.rhythm * STALE_RHYTHMS, lost]
    }
}

/// When a device becomes what, if it stays silent. In milliseconds, because a map asks it of thousands in every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit")]
pub struct Ageing {
    late_ms: i64,
    stale_ms: i64,
    lost_ms: i64,
}

impl Ageing {
    /// Of what does not age.
    pub fn never(freshness: Freshness) -> Self {
        let when = |reached: Freshness| if freshness >= reached { i64::MIN } else { i64::MAX };
        Self { late_ms: when(Freshness::Late), stale_ms: when(Freshness::Stale), lost_ms: when(Freshness::Lost) }
    }

    /// The freshness at `now`.
    pub fn freshness_at(self, now: Timestamp) -> Freshness {
        let now_ms = now.as_millisecond();
        if now_ms <= self.late_ms {
            Freshness::Fresh
        } else if now_ms <= self.stale_ms {
            Freshness::Late
        } else if now_ms <= self.lost_ms {
            Freshness::Stale
        } else {
            Freshness::Lost
        }
    }
}

/// The state of a device at `now`. Without its trail the rhythm is a guess.
pub fn status(overview: &DeviceOverview, trail: Option<&Trail>, now: Timestamp) -> Status {
    let fix = overview.last_fix.as_ref();
    let point = fix.and_then(|f| trail?.points().last().filter(|p| p.fix == f.id));
    let several = trail.is_some_and(|t| t.points().len() > 1);
    let motion = match fix.and_then(|f| f.fix.speed_kmh) {
        Some(speed_kmh) if speed_kmh >= MOVING_KMH => Motion::Moving,
        Some(_) => Motion::Parked,
        None if point.is_some_and(|p| p.moving) => Motion::Moving,
        None if several => Motion::Parked,
        None => Motion::Unknown,
    };
    let parked = motion == Motion::Parked;
    // A device whose clock is ahead cannot have measured later than we received.
    let measured = fix.map(|f| f.fix.at.min(f.received));
    let since = if parked { measured.max(overview.device.last_heard) } else { measured };
    let mut status = Status {
        motion,
        freshness: Freshness::Fresh,
        alarm: fix.is_some_and(|f| f.readings.get("alarm").is_some()),
        suspect: fix.is_some_and(|f| {
            f.trust == Trust::Suspect || !f.fix.valid || trail.is_some_and(|t| t.doubt_of(f.id).is_some())
        }),
        new: overview.device.state == DeviceState::New,
        imported: fix.is_some() && overview.device.last_heard.is_none(),
        rhythm: rhythm(trail, !parked),
        since,
    };
    status.freshness = status.freshness_at(now);
    status
}

/// The median of the last intervals of the same kind.
fn rhythm(trail: Option<&Trail>, moving: bool) -> SignedDuration {
    /// Intervals to look back for those of the same kind.
    const LOOK_BACK: usize = 200;
    rhythm::usual(trail.into_iter().flat_map(Trail::intervals).take(LOOK_BACK), moving)
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        model::{Device, DeviceId, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn fix(id: i64, second: i64, speed_kmh: Option<f64>) -> StoredFix {
        let place = LatLon::new(51.0 + id as f64 * 0.0001, 4.0).unwrap();
        let fix = Fix {
            at: at(second),
            place,
            valid: true,
            altitude_m: None,
            speed_kmh,
            course_deg: None,
            satellites: None,
            accuracy_m: None,
        };
        let (device, packet) = (DeviceId(1), PacketId(id));
        StoredFix { id, device, fix, received: at(second), trust: Trust::Good, readings: Readings::new(), packet }
    }

    /// Fixes every `interval` seconds, the last one at second 0.
    fn history(interval: i64, speed_kmh: Option<f64>) -> Vec<StoredFix> {
        (0..30).map(|n| fix(n, (n - 29) * interval, speed_kmh)).collect()
    }

    fn overview(fixes: &[StoredFix], heard: i64) -> DeviceOverview {
        let device = Device {
            id: DeviceId(1),
            identity: Identity::new("one").unwrap(),
            protocol: Protocol::Gt06,
            name: None,
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: at(-100_000),
            last_heard: Some(at(heard)),
        };
        let last_fix = fixes.last().cloned();
        DeviceOverview { device, last_fix, readings: Readings::new(), packets: 0, positions: 0, lost_frames: 0 }
    }

    #[test]
    fn a_device_ages_by_its_own_rhythm() {
        use Freshness::{Fresh, Late, Lost, Stale};
        for (interval, silence, expected) in [
            (60, 179, Fresh),
            (60, 181, Late),
            (60, 601, Stale),
            (60, 86_399, Stale),
            (60, 86_401, Lost),
            // Nobody is late within one and a half minutes.
            (5, 89, Fresh),
            (5, 91, Late),
            (3_600, 10_000, Fresh),
            (3_600, 90_000, Stale),
            (3_600, 180_001, Lost),
        ] {
            let fixes = history(interval, Some(50.0));
            let status = status(&overview(&fixes, 0), Some(&Trail::from_fixes(fixes.clone())), at(silence));
            assert_eq!(status.freshness, expected, "every {interval} s, silent for {silence} s");
        }
    }

    #[test]
    fn a_parked_device_is_as_fresh_as_the_last_packet() {
        let fixes = history(60, Some(0.0));
        let trail = Trail::from_fixes(fixes.clone());
        let heard = status(&overview(&fixes, 3_600), Some(&trail), at(3_630));
        assert_eq!((heard.motion, heard.freshness), (Motion::Parked, Freshness::Fresh));
        let silent = status(&overview(&fixes, 0), Some(&trail), at(3_630));
        assert_eq!(silent.freshness, Freshness::Stale);
    }

    #[test]
    fn a_device_that_just_parked_is_not_late_for_what_it_did_moving() {
        let mut fixes = history(10, Some(50.0));
        fixes.push(fix(30, 10, Some(0.0)));
        let status = status(&overview(&fixes, 10), Some(&Trail::from_fixes(fixes.clone())), at(1_800));
        assert_eq!((status.motion, status.freshness), (Motion::Parked, Freshness::Fresh));
    }

    #[test]
    fn without_a_speed_the_way_between_fixes_tells() {
        // 0.0001 degrees are 11 m: 40 km/h each second, but a rest each minute.
        for (interval, expected) in [(1, Motion::Moving), (60, Motion::Parked)] {
            let fixes = history(interval, None);
            let status = status(&overview(&fixes, 0), Some(&Trail::from_fixes(fixes.clone())), at(0));
            assert_eq!(status.motion, expected, "every {interval} s");
        }
    }

    #[test]
    fn one_fix_without_a_speed_is_not_parked() {
        let fixes = [fix(1, 0, None)];
        let status = status(&overview(&fixes, 0), Some(&Trail::from_fixes(fixes.to_vec())), at(16 * 60));
        assert_eq!((status.motion, status.freshness), (Motion::Unknown, Freshness::Late));
    }

    #[test]
    fn what_is_in_doubt_is_said() {
        let mut doubtful = fix(1, 0, None);
        doubtful.fix.valid = false;
        doubtful.readings.alarm("sos");
        let mut overview = overview(&[doubtful], 0);
        overview.device.state = DeviceState::New;
        let status = status(&overview, None, at(0));
        assert!(status.suspect && status.alarm && status.new);
    }

    #[test]
    fn what_was_imported_does_not_age() {
        let fixes = history(60, Some(50.0));
        let mut imported = overview(&fixes, 0);
        imported.device.last_heard = None;
        for silence in [0, 1_000, 100_000_000] {
            let status = status(&imported, Some(&Trail::from_fixes(fixes.clone())), at(silence));
            assert_eq!((status.imported, status.freshness), (true, Freshness::Stale), "{silence}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_make_a_device_fresh_for_ever() {
        let mut ahead = fix(1, 1_000_000, Some(50.0));
        ahead.received = at(0);
        let status = status(&overview(&[ahead], 0), None, at(5_000));
        assert_eq!(status.freshness, Freshness::Stale);
    }
}

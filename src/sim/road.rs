//! How a vehicle moves: second by second, with corners, traffic lights and rests, and never off the land.
//!
//! There are no roads in here. A van drives straight for a block or three and turns by a right angle of its town's grid; a lorry
//! swings about the line to the next town. Speed, heading and place always belong together: each second moves the vehicle by
//! its speed along its heading.

use super::{
    random::Random,
    towns::{self, Town},
};
use crate::geo::LatLon;

/// Metres a degree of latitude is long.
const METRES_PER_DEGREE: f64 = 111_195.0;

/// What sort of traveller it is, in the units of the road.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gait {
    cruise_kmh: (f64, f64),
    corner_kmh: f64,
    /// km/h a second, up and down.
    pick_up: f64,
    brake: f64,
    /// Degrees a second.
    turn: f64,
    /// Straight stretch until the next decision, in metres.
    stretch_m: (f64, f64),
    /// Probability of a red light at a decision.
    light: f64,
    /// Seconds of a trip, and of the rest after it.
    trip_s: (f64, f64),
    rest_s: (f64, f64),
    /// `None`: goes from town to town. Otherwise metres that it strays from the middle of its own.
    radius_m: Option<f64>,
}

pub(super) const VAN: Gait = Gait {
    cruise_kmh: (32.0, 58.0),
    corner_kmh: 14.0,
    pick_up: 6.0,
    brake: 9.0,
    turn: 18.0,
    stretch_m: (120.0, 900.0),
    light: 0.25,
    trip_s: (400.0, 2400.0),
    rest_s: (90.0, 900.0),
    radius_m: Some(7_000.0),
};

pub(super) const LORRY: Gait = Gait {
    cruise_kmh: (74.0, 88.0),
    corner_kmh: 60.0,
    pick_up: 2.0,
    brake: 6.0,
    turn: 2.0,
    stretch_m: (1_500.0, 6_000.0),
    light: 0.0,
    trip_s: (7_200.0, 14_400.0),
    rest_s: (900.0, 2_700.0),
    radius_m: None,
};

pub(super) const BICYCLE: Gait = Gait {
    cruise_kmh: (13.0, 24.0),
    corner_kmh: 9.0,
    pick_up: 3.0,
    brake: 6.0,
    turn: 30.0,
    stretch_m: (60.0, 500.0),
    light: 0.15,
    trip_s: (300.0, 1800.0),
    rest_s: (120.0, 1500.0),
    radius_m: Some(4_000.0),
};

/// What it is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    Driving,
    /// Engine on, at a light.
    Waiting {
        left_s: f64,
    },
    /// Engine off.
    Parked {
        left_s: f64,
    },
}

/// A vehicle's place and movement.
#[derive(Debug, Clone)]
pub(super) struct Traveller {
    gait: Gait,
    random: Random,
    home: Town,
    /// One street direction of the home town, degrees.
    grid_deg: f64,
    target: Option<Town>,
    place: LatLon,
    height_m: f64,
    speed_kmh: f64,
    heading_deg: f64,
    wanted_deg: f64,
    cruise_kmh: f64,
    stretch_m: f64,
    trip_left_s: f64,
    doing: Doing,
}

impl Traveller {
    pub(super) fn new(gait: Gait, home: Town, mut random: Random) -> Self {
        let reach = gait.radius_m.unwrap_or(3_000.0) * 0.7;
        let (towards, away_m) = (random.between((0.0, 360.0)), reach * random.unit().sqrt());
        let grid_deg = random.between((0.0, 90.0));
        let doing = if random.chance(0.3) {
            Doing::Parked { left_s: random.unit() * random.between(gait.rest_s) }
        } else {
            Doing::Driving
        };
        let mut traveller = Self {
            gait,
            home,
            grid_deg,
            target: None,
            place: moved(home.middle, towards, away_m),
            height_m: home.height_m,
            speed_kmh: 0.0,
            heading_deg: grid_deg,
            wanted_deg: grid_deg,
            cruise_kmh: 0.0,
            stretch_m: 0.0,
            trip_left_s: random.unit() * random.between(gait.trip_s),
            doing,
            random,
        };
        traveller.decide();
        traveller.heading_deg = traveller.wanted_deg;
        if traveller.doing == Doing::Driving {
            traveller.speed_kmh = traveller.cruise_kmh;
        }
        traveller
    }

    pub(super) fn place(&self) -> LatLon {
        self.place
    }

    pub(super) fn height_m(&self) -> f64 {
        self.height_m
    }

    pub(super) fn speed_kmh(&self) -> f64 {
        self.speed_kmh
    }

    /// Degrees clockwise from north, at least 0 and below 360.
    pub(super) fn heading_deg(&self) -> f64 {
        self.heading_deg
    }

    pub(super) fn ignition(&self) -> bool {
        !matches!(self.doing, Doing::Parked { .. })
    }

    /// One second passes.
    pub(super) fn second(&mut self) {
        match &mut self.doing {
            Doing::Parked { left_s } => {
                *left_s -= 1.0;
                if *left_s <= 0.0 {
                    self.set_off();
                }
            }
            Doing::Waiting { left_s } if self.speed_kmh == 0.0 => {
                *left_s -= 1.0;
                if *left_s <= 0.0 {
                    self.doing = Doing::Driving;
                }
            }
            Doing::Waiting { .. } => self.roll(0.0),
            Doing::Driving => self.drive(),
        }
    }

    fn drive(&mut self) {
        self.trip_left_s -= 1.0;
        let arrived = self.target.is_some_and(|t| t.middle.distance_m(self.place) < 4_000.0);
        if arrived || self.trip_left_s <= 0.0 {
            self.roll(0.0);
            if self.speed_kmh == 0.0 {
                self.doing = Doing::Parked { left_s: self.random.between(self.gait.rest_s) };
            }
            return;
        }
        if self.stretch_m <= 0.0 {
            self.decide();
            if self.random.chance(self.gait.light) {
                self.doing = Doing::Waiting { left_s: self.random.between((8.0, 40.0)) };
            }
        }
        let turning = turn(self.heading_deg, self.wanted_deg).abs() > 20.0;
        self.roll(if turning { self.gait.corner_kmh } else { self.cruise_kmh });
    }

    fn set_off(&mut self) {
        self.trip_left_s = self.random.between(self.gait.trip_s);
        self.target = None;
        self.decide();
        self.heading_deg = self.wanted_deg;
        self.doing = Doing::Driving;
    }

    /// Where to go from here, and how far until the next decision.
    fn decide(&mut self) {
        self.stretch_m = self.random.between(self.gait.stretch_m);
        self.cruise_kmh = self.random.between(self.gait.cruise_kmh);
        if let Some(radius_m) = self.gait.radius_m {
            let home_deg = bearing(self.place, self.home.middle);
            let straight = self.grid_deg + ((self.heading_deg - self.grid_deg) / 90.0).round() * 90.0;
            let ways = [straight, straight + 90.0, straight - 90.0];
            let strayed = self.home.middle.distance_m(self.place) > radius_m;
            let way = if strayed {
                ways.into_iter().min_by(|a, b| turn(*a, home_deg).abs().total_cmp(&turn(*b, home_deg).abs()))
            } else if self.random.chance(0.5) {
                Some(straight)
            } else {
                self.random.pick(&[straight + 90.0, straight - 90.0]).copied()
            };
            self.wanted_deg = way.unwrap_or(straight).rem_euclid(360.0);
        } else {
            if self.target.is_none() {
                self.target = self.random.pick(&towns::neighbours(self.place)).copied();
            }
            let goal = self.target.unwrap_or(self.home).middle;
            // Close to the town the road runs straight in.
            let swing = (goal.distance_m(self.place) / 1_000.0).min(28.0);
            let aside = self.random.between((-swing, swing));
            self.wanted_deg = (bearing(self.place, goal) + aside).rem_euclid(360.0);
        }
    }

    /// Rolls on for a second, towards this speed and the wanted heading.
    fn roll(&mut self, towards_kmh: f64) {
        let before_kmh = self.speed_kmh;
        let change = (towards_kmh - before_kmh).clamp(-self.gait.brake, self.gait.pick_up);
        self.speed_kmh = before_kmh + change;
        if self.speed_kmh < 0.5 && towards_kmh == 0.0 {
            self.speed_kmh = 0.0;
        }
        let bend = turn(self.heading_deg, self.wanted_deg).clamp(-self.gait.turn, self.gait.turn);
        self.heading_deg = (self.heading_deg + bend).rem_euclid(360.0);
        let metres = f64::midpoint(before_kmh, self.speed_kmh) / 3.6;
        self.place = moved(self.place, self.heading_deg, metres);
        self.stretch_m -= metres;
        // Hills, gently: back to the height of the land around.
        let land_m = self.target.unwrap_or(self.home).height_m;
        let hill = self.random.between((-0.4, 0.4)) * metres / 10.0;
        self.height_m += hill + (land_m - self.height_m) * metres / 20_000.0;
    }
}

/// Degrees to turn from one heading to another: -180 to 180, negative to the left.
fn turn(from_deg: f64, to_deg: f64) -> f64 {
    (to_deg - from_deg + 180.0).rem_euclid(360.0) - 180.0
}

/// Heading of the straight line between two near places, degrees clockwise from north.
fn bearing(from: LatLon, to: LatLon) -> f64 {
    let north = to.lat_deg() - from.lat_deg();
    let east = (to.lon_deg() - from.lon_deg()) * from.lat_deg().to_radians().cos();
    east.atan2(north).to_degrees().rem_euclid(360.0)
}

/// The place this many metres along a heading.
fn moved(from: LatLon, heading_deg: f64, metres: f64) -> LatLon {
    let (east, north) = heading_deg.to_radians().sin_cos();
    let degrees = metres / METRES_PER_DEGREE;
    let lat = from.lat_deg() + north * degrees;
    let lon = from.lon_deg() + east * degrees / from.lat_deg().to_radians().cos();
    LatLon::new(lat, lon).expect("every road is far from pole and antimeridian")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traveller(gait: Gait, seed: u64) -> Traveller {
        Traveller::new(gait, towns::home(0, 1), Random::new(seed))
    }

    #[test]
    fn place_follows_speed_and_heading() {
        for (gait, fastest) in [(VAN, 58.0), (LORRY, 88.0), (BICYCLE, 24.0)] {
            for seed in 0..8 {
                let mut car = traveller(gait, seed);
                let (mut drove, mut rested) = (false, false);
                for second in 0..14_400 {
                    let (place, speed) = (car.place(), car.speed_kmh());
                    car.second();
                    let metres = place.distance_m(car.place());
                    let mean = f64::midpoint(speed, car.speed_kmh()) / 3.6;
                    assert!((metres - mean).abs() < 0.02 + mean * 0.01, "second {second}: {metres} m at {mean} m/s");
                    assert!((0.0..=fastest).contains(&car.speed_kmh()), "{} km/h", car.speed_kmh());
                    assert!((0.0..360.0).contains(&car.heading_deg()), "{}°", car.heading_deg());
                    if metres > 1.0 {
                        let course = bearing(place, car.place());
                        assert!(turn(course, car.heading_deg()).abs() < 1.0, "moves {course}° while heading elsewhere");
                    }
                    if !car.ignition() {
                        assert!(car.speed_kmh() == 0.0, "parked and moving");
                    }
                    drove |= car.speed_kmh() > fastest / 3.0;
                    rested |= !car.ignition();
                }
                assert!(drove && rested, "four hours hold both: drove {drove}, rested {rested}");
            }
        }
    }

    #[test]
    fn town_traffic_stays_in_town_and_lorries_leave_it() {
        let middle = towns::home(0, 1).middle;
        for seed in 0..6 {
            let (mut van, mut lorry) = (traveller(VAN, seed), traveller(LORRY, seed));
            let mut farthest = 0.0_f64;
            for _ in 0..20_000 {
                van.second();
                lorry.second();
                assert!(van.place().distance_m(middle) < 10_000.0);
                assert!((45.0..53.5).contains(&lorry.place().lat_deg()), "{:?}", lorry.place());
                assert!((1.0..21.0).contains(&lorry.place().lon_deg()), "{:?}", lorry.place());
                farthest = farthest.max(lorry.place().distance_m(middle));
            }
            assert!(farthest > 40_000.0, "{farthest}");
        }
    }
}

//! The towns that pretend vehicles live in: all inland, and no straight line between two of them crosses the sea.

use crate::geo::LatLon;

/// Latitude and longitude of the middle in degrees, height in metres.
const TOWNS: [(f64, f64, f64); 28] = [
    (48.857, 2.352, 35.0),   // Paris
    (47.903, 1.909, 110.0),  // Orléans
    (49.258, 4.032, 83.0),   // Reims
    (47.322, 5.041, 245.0),  // Dijon
    (45.764, 4.836, 173.0),  // Lyon
    (48.573, 7.752, 142.0),  // Strasbourg
    (50.847, 4.352, 28.0),   // Brussels
    (49.611, 6.130, 300.0),  // Luxembourg
    (50.938, 6.960, 53.0),   // Cologne
    (50.110, 8.682, 112.0),  // Frankfurt
    (48.776, 9.183, 245.0),  // Stuttgart
    (48.137, 11.575, 519.0), // Munich
    (49.452, 11.077, 309.0), // Nuremberg
    (50.979, 11.030, 194.0), // Erfurt
    (51.340, 12.375, 113.0), // Leipzig
    (52.520, 13.405, 34.0),  // Berlin
    (51.050, 13.738, 112.0), // Dresden
    (51.312, 9.480, 167.0),  // Kassel
    (52.375, 9.732, 55.0),   // Hanover
    (47.374, 8.541, 408.0),  // Zurich
    (47.809, 13.045, 424.0), // Salzburg
    (48.208, 16.373, 171.0), // Vienna
    (50.076, 14.438, 235.0), // Prague
    (49.195, 16.608, 237.0), // Brno
    (51.110, 17.033, 118.0), // Wrocław
    (52.408, 16.934, 71.0),  // Poznań
    (50.062, 19.937, 219.0), // Kraków
    (47.498, 19.040, 105.0), // Budapest
];

/// A town.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Town {
    pub(super) middle: LatLon,
    pub(super) height_m: f64,
}

fn all() -> impl Iterator<Item = Town> {
    TOWNS.iter().map(|&(lat, lon, height_m)| Town {
        middle: LatLon::new(lat, lon).expect("every town is on the globe"),
        height_m,
    })
}

/// The home of a vehicle. A small fleet shares a few neighbouring towns, so that one look at the map shows all of it; a large one
/// has all of them.
pub(super) fn home(index: usize, fleet: usize) -> Town {
    let berlin = LatLon::new(52.520, 13.405).expect("Berlin is on the globe");
    let mut towns: Vec<Town> = all().collect();
    towns.sort_by(|a, b| a.middle.distance_m(berlin).total_cmp(&b.middle.distance_m(berlin)));
    let shared = (1 + fleet / 3).min(towns.len());
    *towns.get(index % shared).expect("there is at least one town")
}

/// Towns to which a lorry goes from here: near enough for an afternoon.
pub(super) fn neighbours(place: LatLon) -> Vec<Town> {
    all().filter(|t| (40e3..300e3).contains(&t.middle.distance_m(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_town_has_somewhere_to_go() {
        for town in all() {
            assert!(!neighbours(town.middle).is_empty(), "{town:?}");
        }
    }

    #[test]
    fn a_small_fleet_stays_together_and_a_large_one_is_everywhere() {
        let homes = |n| {
            let mut homes: Vec<_> = (0..n).map(|i| home(i, n).middle).map(|p| p.lat_deg().to_bits()).collect();
            homes.sort_unstable();
            homes.dedup();
            homes.len()
        };
        assert_eq!((homes(1), homes(3), homes(1000)), (1, 2, TOWNS.len()));
    }
}

//! The layers of the common vocabularies of vector tiles, by name: `OpenMapTiles`, Protomaps and Shortbread. What is in none of them is foreign.

/// Every layer of the three, those that nobody draws as well: a file that has them is no stranger.
const KNOWN: [&str; 57] = [
    // OpenMapTiles.
    "aerodrome_label",
    "aeroway",
    "boundary",
    "building",
    "globallandcover",
    "housenumber",
    "landcover",
    "landuse",
    "mountain_peak",
    "park",
    "place",
    "poi",
    "transportation",
    "transportation_name",
    "water",
    "water_name",
    "waterway",
    // Protomaps.
    "boundaries",
    "buildings",
    "earth",
    "mask",
    "natural",
    "physical_line",
    "physical_point",
    "places",
    "pois",
    "roads",
    "transit",
    // Shortbread.
    "addresses",
    "aerialways",
    "boundary_labels",
    "bridges",
    "dam_lines",
    "dam_polygons",
    "ferries",
    "land",
    "ocean",
    "pier_lines",
    "pier_polygons",
    "place_labels",
    "public_transport",
    "sites",
    "street_labels",
    "street_labels_points",
    "street_polygons",
    "street_polygons_labels",
    "streets",
    "streets_labels",
    "streets_labels_points",
    "streets_polygons",
    "streets_polygons_labels",
    "water_lines",
    "water_lines_labels",
    "water_polygons",
    "water_polygons_labels",
    // What older writers called them.
    "admin",
    "place_label",
];

/// True for a layer of one of the vocabularies.
pub fn knows(layer: &str) -> bool {
    KNOWN.contains(&layer)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_layer_is_named_once() {
        assert_eq!(KNOWN.iter().collect::<HashSet<_>>().len(), KNOWN.len());
        assert!(knows("transportation") && !knows("river"));
    }
}

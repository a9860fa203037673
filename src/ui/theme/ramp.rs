//! Colours that stand for numbers: even to the eye, rising in lightness, told apart by colour-blind people (viridis, public domain).

use std::sync::LazyLock;

use egui::Color32;

/// Nine points of the ramp, the lowest number first.
const STOPS: [[f32; 3]; 9] = [
    [68.0, 1.0, 84.0],
    [71.0, 44.0, 122.0],
    [59.0, 81.0, 139.0],
    [44.0, 113.0, 142.0],
    [33.0, 144.0, 141.0],
    [39.0, 173.0, 129.0],
    [92.0, 200.0, 99.0],
    [170.0, 220.0, 50.0],
    [253.0, 231.0, 37.0],
];

/// What of the ramp can be told from a dark map, and from a light one.
const ON_DARK: (f32, f32) = (0.24, 1.0);
const ON_LIGHT: (f32, f32) = (0.0, 0.86);

/// The colour of a part, 0 to 1, of the way from the lowest number to the highest. From a table, because a map asks for some ten thousand a frame.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table; no number is 0")]
pub fn colour(dark: bool, part: f32) -> Color32 {
    const PARTS: u16 = 512;
    static RAMPS: LazyLock<[[Color32; PARTS as usize + 1]; 2]> = LazyLock::new(|| {
        [false, true].map(|dark| {
            let mut part = 0_u16;
            [(); PARTS as usize + 1].map(|()| {
                let colour = mixed(dark, f32::from(part) / f32::from(PARTS));
                part += 1;
                colour
            })
        })
    });
    RAMPS[usize::from(dark)][(part.clamp(0.0, 1.0) * f32::from(PARTS) + 0.5) as usize]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the nine stops")]
fn mixed(dark: bool, part: f32) -> Color32 {
    let (low, high) = if dark { ON_DARK } else { ON_LIGHT };
    let at = (low + part * (high - low)) * 8.0;
    let stop = (at as usize).min(7);
    let (a, b, between) = (STOPS[stop], STOPS[stop + 1], at - at.floor().min(7.0));
    let mix = |n: usize| (a[n] + (b[n] - a[n]) * between).round() as u8;
    Color32::from_rgb(mix(0), mix(1), mix(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_rises_in_lightness() {
        let light = |c: Color32| 0.2126 * f32::from(c.r()) + 0.7152 * f32::from(c.g()) + 0.0722 * f32::from(c.b());
        for dark in [true, false] {
            let steps: Vec<f32> = (0..=20u8).map(|n| light(colour(dark, f32::from(n) / 20.0))).collect();
            assert!(steps.is_sorted(), "{dark}: {steps:?}");
            assert_eq!(colour(dark, -1.0), colour(dark, 0.0));
            assert_eq!(colour(dark, f32::NAN), colour(dark, f32::NAN));
        }
        assert_eq!(colour(true, 1.0), Color32::from_rgb(253, 231, 37));
    }
}

//! Colours that a user gives to devices, told apart from each other on both themes; they stand beside the colours of states, never for them.

use egui::Color32;

use crate::model::Tint;

/// What the details offer, with names for screen readers.
pub const TINTS: [(Tint, &str); 10] = [
    (Tint([0xd6, 0x3a, 0x3a]), "Red"),
    (Tint([0xe0, 0x7b, 0x1a]), "Orange"),
    (Tint([0xc9, 0xa2, 0x00]), "Yellow"),
    (Tint([0x4c, 0x9f, 0x38]), "Green"),
    (Tint([0x1a, 0x9b, 0x9b]), "Teal"),
    (Tint([0x2f, 0x7d, 0xd1]), "Blue"),
    (Tint([0x6a, 0x5a, 0xcd]), "Violet"),
    (Tint([0xb4, 0x4a, 0xb0]), "Magenta"),
    (Tint([0x8a, 0x5a, 0x3a]), "Brown"),
    (Tint([0x7a, 0x80, 0x88]), "Grey"),
];

/// As the screen has it.
pub fn color(tint: Tint) -> Color32 {
    let [r, g, b] = tint.0;
    Color32::from_rgb(r, g, b)
}

/// Ink that can be read on it: black or white, whichever has the higher contrast.
pub fn ink(tint: Tint) -> Color32 {
    let linear = tint.0.map(|c| (f32::from(c) / 255.0).powf(2.2));
    let luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    // (l + 0.05) / 0.05 against 1.05 / (l + 0.05): equal near 0.18.
    if luminance > 0.18 { Color32::BLACK } else { Color32::WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_read_on_every_colour() {
        assert_eq!(ink(Tint([255, 255, 0])), Color32::BLACK);
        assert_eq!(ink(Tint([0, 0, 120])), Color32::WHITE);
        let names: std::collections::BTreeSet<_> = TINTS.iter().map(|(_, name)| name).collect();
        assert_eq!(names.len(), TINTS.len());
    }
}

//! Colours, spacing and text styles. Nowhere else has a `Color32`.

pub mod fields;

use egui::Color32;

/// The colours of one theme, with contrast computed against its panel (product notes §4.5).
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    pub moving: Color32,
    pub parked: Color32,
    pub late: Color32,
    pub stale: Color32,
    pub alarm: Color32,
    pub suspect: Color32,
    pub received: Color32,
    pub sent: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// On dark panels.
pub const DARK: Palette = Palette {
    moving: rgb(0x4D_A3_FF),
    parked: rgb(0x3C_C9_A0),
    late: rgb(0xF0_B4_29),
    stale: rgb(0x9A_A4_AF),
    alarm: rgb(0xFF_7A_45),
    suspect: rgb(0xE5_8B_C4),
    received: rgb(0x7F_B7_FF),
    sent: rgb(0xE6_B8_73),
};

/// On light panels.
pub const LIGHT: Palette = Palette {
    moving: rgb(0x0B_62_D6),
    parked: rgb(0x0B_7A_5B),
    late: rgb(0x8F_5F_00),
    stale: rgb(0x5F_68_73),
    alarm: rgb(0xC2_41_0C),
    suspect: rgb(0xA1_30_7A),
    received: rgb(0x0B_4F_B0),
    sent: rgb(0x7A_4B_00),
};

/// The palette of the theme in use.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

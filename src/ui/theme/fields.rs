//! The colours of fields: eight soft hues that tell neighbours apart, behind bytes and beside names.

use egui::Color32;

use super::rgb;

/// How many hues there are; a ninth field starts over.
pub const HUES: usize = 8;

/// One field's background: at rest, and while it is pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tint {
    /// Behind text at rest; the panel's text keeps a contrast of 7 on it.
    pub soft: Color32,
    /// Behind text that is pointed at or selected, and in chips; the panel's text keeps a contrast of 4.5 on it.
    pub lit: Color32,
}

const fn tint(soft: u32, lit: u32) -> Tint {
    Tint { soft: rgb(soft), lit: rgb(lit) }
}

/// Neighbours in this order are far apart in hue, so that adjacent fields never run together.
const DARK: [Tint; HUES] = [
    tint(0x1B_33_4F, 0x2A_5C_92),
    tint(0x46_30_1A, 0x87_56_25),
    tint(0x1D_3B_29, 0x2C_6B_47),
    tint(0x3B_2A_4E, 0x6C_4A_8F),
    tint(0x17_3C_40, 0x21_6B_72),
    tint(0x4A_27_31, 0x8C_43_57),
    tint(0x39_38_1A, 0x69_66_25),
    tint(0x2B_30_50, 0x4D_57_94),
];

const LIGHT: [Tint; HUES] = [
    tint(0xDC_EA_FB, 0x9E_C8_F7),
    tint(0xFB_E8_D3, 0xF5_C4_8A),
    tint(0xDB_F1_DF, 0x9F_DB_AC),
    tint(0xEC_E2_F8, 0xCF_B3_EF),
    tint(0xD5_F1_F1, 0x8E_D8_DA),
    tint(0xFB_E1_E6, 0xF3_AC_BA),
    tint(0xF1_EF_CC, 0xDD_D5_80),
    tint(0xE1_E4_F9, 0xB3_BC_F2),
];

/// The tint of the `hue`th field in a row of fields.
pub fn tint_of(ui: &egui::Ui, hue: usize) -> Tint {
    let table = if ui.visuals().dark_mode { &DARK } else { &LIGHT };
    table[hue % HUES]
}

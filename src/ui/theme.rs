//! Colours, spacing and text styles. Nowhere else has a `Color32`.

pub mod fields;
pub mod ramp;
pub mod tints;

use std::sync::Arc;

use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke, Style,
    TextStyle, Theme, Visuals,
    style::{ScrollStyle, WidgetVisuals},
    vec2,
};

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
    /// Links, the focused thing, the primary button.
    pub accent: Color32,
    /// Text on an accent fill.
    pub on_accent: Color32,
    /// Behind panels.
    pub panel: Color32,
    /// Cards, pop-ups, windows: one step towards the light.
    pub raised: Color32,
    /// Fields and tables: one step away from it.
    pub sunken: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Around what can be clicked, while the pointer is over it.
    pub edge: Color32,
    pub text: Color32,
    /// Second in rank: labels, units, ages.
    pub weak: Color32,
    /// First in rank: names, values.
    pub strong: Color32,
    /// Behind the row under the pointer.
    pub hovered_row: Color32,
    /// Behind the selected row.
    pub selected_row: Color32,
    /// Behind a button.
    pub button: Color32,
    pub button_hovered: Color32,
    pub button_pressed: Color32,
    /// Behind a banner that asks for attention.
    pub notice: Color32,
    /// Behind a banner that tells of a fault.
    pub fault: Color32,
    pub shadow: Color32,
}

/// Paper and ink of a QR code, in either theme: a camera wants to see dark on light.
pub const PAPER: Color32 = Color32::WHITE;
pub const INK: Color32 = Color32::BLACK;

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

/// A colour that a person chose.
pub const fn chosen(red: u8, green: u8, blue: u8) -> Color32 {
    Color32::from_rgb(red, green, blue)
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
    accent: rgb(0x4D_A3_FF),
    on_accent: rgb(0x07_14_22),
    panel: rgb(0x15_18_1C),
    raised: rgb(0x1D_21_27),
    sunken: rgb(0x0F_11_14),
    line: rgb(0x2F_35_3D),
    edge: rgb(0x4A_53_5E),
    text: rgb(0xCF_D5_DC),
    weak: rgb(0x93_9C_A7),
    strong: rgb(0xF1_F4_F7),
    hovered_row: rgb(0x1E_23_29),
    selected_row: rgb(0x1C_34_50),
    button: rgb(0x0026_2B32),
    button_hovered: rgb(0x30_37_40),
    button_pressed: rgb(0x1B_1F_24),
    notice: rgb(0x2E_27_12),
    fault: rgb(0x0036_1E16),
    shadow: Color32::from_black_alpha(110),
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
    accent: rgb(0x0B_62_D6),
    on_accent: rgb(0xFF_FF_FF),
    panel: rgb(0xFF_FF_FF),
    raised: rgb(0xFF_FF_FF),
    sunken: rgb(0xF4_F6_F8),
    line: rgb(0xD9_DE_E4),
    edge: rgb(0xB4_BD_C7),
    text: rgb(0x2B_31_38),
    weak: rgb(0x5F_68_73),
    strong: rgb(0x0E_12_17),
    hovered_row: rgb(0xF1_F4_F7),
    selected_row: rgb(0xDB_E9_FC),
    button: rgb(0xEC_EF_F2),
    button_hovered: rgb(0xE1_E6_EB),
    button_pressed: rgb(0xD3_DA_E1),
    notice: rgb(0xFD_F4_DA),
    fault: rgb(0xFD_E9_E0),
    shadow: Color32::from_black_alpha(36),
};

/// The palette of the theme in use.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    of(ui.visuals().dark_mode)
}

fn of(dark: bool) -> &'static Palette {
    if dark { &DARK } else { &LIGHT }
}

/// Between things that belong together.
pub const GAP: f32 = 6.0;
/// Between groups, and inside panels at their edges.
pub const MARGIN: f32 = 12.0;
/// Height of one line in lists, tables and forms.
pub const ROW: f32 = 24.0;

/// The heading of a panel or card, between body and [`TextStyle::Heading`].
pub fn title() -> TextStyle {
    TextStyle::Name("title".into())
}

/// The heavier face, for names and headings.
pub fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// Sets the fonts and both themes; which theme is used is the user's choice.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    ctx.style_mut_of(Theme::Dark, |style| dress(style, &DARK));
    ctx.style_mut_of(Theme::Light, |style| dress(style, &LIGHT));
}

/// Whether things slide and fade.
pub fn set_motion(ctx: &Context, on: bool) {
    ctx.all_styles_mut(|style| {
        style.animation_time = if on { Style::default().animation_time } else { 0.0 };
        style.scroll_animation =
            if on { egui::style::ScrollAnimation::default() } else { egui::style::ScrollAnimation::none() };
    });
}

/// Inter with figures of equal width (see `assets/fonts`); the built-in fonts stand behind it for what it lacks.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let faces: [(&str, &'static [u8]); 2] = [
        ("Inter", include_bytes!("../../assets/fonts/Inter-Regular.ttf")),
        ("Inter SemiBold", include_bytes!("../../assets/fonts/Inter-SemiBold.ttf")),
    ];
    for (name, bytes) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let built_in = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, first) in [(FontFamily::Proportional, "Inter"), (semibold(), "Inter SemiBold")] {
        let names = std::iter::once(first.to_owned()).chain(built_in.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

fn dress(style: &mut Style, p: &Palette) {
    let dark = p.panel == DARK.panel;
    style.text_styles = [
        (TextStyle::Small, FontId::new(11.0, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(13.0, FontFamily::Proportional)),
        (title(), FontId::new(14.0, semibold())),
        (TextStyle::Heading, FontId::new(17.0, semibold())),
        (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 5.0);
    spacing.button_padding = vec2(9.0, 3.0);
    spacing.interact_size = vec2(28.0, ROW);
    spacing.window_margin = Margin::same(14);
    spacing.menu_margin = Margin::same(6);
    spacing.tooltip_width = 360.0;
    spacing.scroll = ScrollStyle { bar_width: 8.0, ..ScrollStyle::floating() };
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = false;
    style.visuals = visuals(p, dark);
}

fn visuals(p: &Palette, dark: bool) -> Visuals {
    let corner_radius = CornerRadius::same(5);
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let mut v = if dark { Visuals::dark() } else { Visuals::light() };
    v.weak_text_color = Some(p.weak);
    v.widgets.noninteractive = widget(p.panel, p.line, p.text);
    v.widgets.inactive = widget(p.button, p.line, p.text);
    v.widgets.hovered = widget(p.button_hovered, p.edge, p.strong);
    v.widgets.active = widget(p.button_pressed, p.edge, p.strong);
    v.widgets.open = widget(p.button_hovered, p.line, p.strong);
    v.selection.bg_fill = p.selected_row;
    v.selection.stroke = Stroke::new(1.0, p.accent);
    v.hyperlink_color = p.accent;
    v.faint_bg_color = p.hovered_row;
    v.extreme_bg_color = p.sunken;
    v.code_bg_color = p.sunken;
    v.warn_fg_color = p.late;
    v.error_fg_color = p.alarm;
    v.panel_fill = p.panel;
    v.window_fill = p.raised;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    v.window_shadow = Shadow { offset: [0, 8], blur: 28, spread: 0, color: p.shadow };
    v.popup_shadow = Shadow { offset: [0, 4], blur: 14, spread: 0, color: p.shadow };
    v.text_cursor.stroke = Stroke::new(1.5, p.accent);
    v.striped = false;
    v.indent_has_left_vline = false;
    v
}

//! The bits of a word, each in the colour of the field that it belongs to.

use egui::{Align, Rect, Sense, Ui, WidgetInfo, accesskit::Role, pos2, vec2};

use super::{outline::Outline, paint, rows::points};
use crate::{ui::theme::fields::tint_of, wire::Field};

/// A word and the field that is shown of it.
pub struct Word<'a> {
    pub fields: &'a [Field],
    pub outline: &'a Outline,
    /// The field; it or fields below it have bits.
    pub field: usize,
    pub value: u64,
    /// How many bits it has: eight for each byte.
    pub n_bits: usize,
}

/// What the pointer does to bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pointed {
    /// The field whose bit is under the pointer.
    pub over: Option<usize>,
    /// The field whose bit was clicked.
    pub clicked: Option<usize>,
}

/// Shows the bits from the most significant on, those of the field marked.
pub fn show(ui: &Ui, row: Rect, word: &Word<'_>) -> Pointed {
    let Word { fields, outline, field, value, n_bits } = *word;
    let bits = fields.get(field).and_then(|f| f.bits);
    let tint = outline.hue_of_word(field).map(|hue| tint_of(ui, hue));
    let figure = paint::figure_width(ui);
    let width = figure + 1.0;
    let (strong, weak) = (ui.visuals().strong_text_color(), ui.visuals().weak_text_color());
    let mut pointed = Pointed::default();
    for bit in (0..n_bits).rev() {
        let place = n_bits - 1 - bit;
        let x = row.left() + points(place) * width + points(place / 4) * figure;
        let cell = Rect::from_min_size(pos2(x, row.top() + 1.0), vec2(width, row.height() - 2.0));
        let mine = bits.is_none_or(|(low, high)| (usize::from(low)..=usize::from(high)).contains(&bit));
        let leaf = u8::try_from(bit).ok().and_then(|bit| outline.bit_at(fields, field, bit));
        if let Some(tint) = tint
            && leaf.is_some()
        {
            let fill = if mine && bits.is_some() { tint.lit } else { tint.soft };
            ui.painter().rect_filled(cell.shrink2(vec2(0.25, 0.0)), 1.0, fill);
        }
        let digit = if value >> bit & 1 == 1 { "1" } else { "0" };
        paint::text(ui, cell, digit, paint::mono(ui), if mine { strong } else { weak }, Align::Center);
        let response = ui.interact(cell, ui.scope_id().with(("bit", bit)), Sense::CLICK);
        let name = leaf.and_then(|l| fields.get(l)).map_or("", |f| f.name.as_ref());
        response.widget_info(|| {
            let gap = if name.is_empty() { "" } else { ", " };
            WidgetInfo::labeled(Role::Cell, true, format!("bit {bit}: {digit}{gap}{name}"))
        });
        if response.hovered() {
            pointed.over = leaf;
        }
        if response.clicked() {
            pointed.clicked = leaf;
        }
    }
    pointed
}

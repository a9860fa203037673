//! The data inspector: the selected bytes as everything that they could be, each to be copied by a click.

use egui::{Align, Color32, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, accesskit::Role};

use super::{
    paint::{self, GAP},
    rows::{Rows, points, whole},
};
use crate::{
    ui::{Action, Cx, format, theme},
    wire::inspect::{Reading, inspect},
};

/// The reading's name.
const NAME: f32 = 84.0;
/// `BE` or `LE` before a value.
const ORDER: f32 = 18.0;

/// One value, or why there is none.
struct Line<'a> {
    reading: &'a Reading,
    /// Empty where the order makes no difference.
    order: &'static str,
    value: &'a Result<String, String>,
}

/// What is inspected, in the room that is left. `from`: where it begins.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, bytes: &[u8], from: usize) {
    let readings = inspect(bytes);
    let head = Rows::allocate(ui, 1).rect(0);
    let end = from + bytes.len();
    let about = format!("{} at {from}..{end}", format::counted(bytes.len() as u64, "byte", "bytes"));
    let (body, weak) = (paint::body(ui), ui.visuals().weak_text_color());
    let named = ui.interact(head, ui.scope_id().with("inspected"), Sense::hover());
    named.widget_info(|| WidgetInfo::labeled(Role::Label, true, &about));
    paint::text(ui, head.with_min_x(head.left() + GAP), &about, body, weak, Align::Min);
    let room = (ui.available_width() - NAME) / 2.0 - ORDER - 2.0;
    let room = whole(room / paint::figure_width(ui));
    // What the bytes are comes first: there may be room for no more.
    let (some, none): (Vec<_>, Vec<_>) = readings.iter().partition(|reading| !reading.is_none());
    ScrollArea::vertical().id_salt("inspector").auto_shrink(false).show(ui, |ui| {
        let lines: Vec<Vec<Line<'_>>> = some.iter().chain(&none).flat_map(|reading| lines(reading, room)).collect();
        let rows = Rows::allocate(ui, lines.len());
        for n in rows.visible(ui.clip_rect()) {
            line(ui, cx, rows.rect(n), &lines[n]);
        }
    });
}

/// The lines of a reading: one with both orders where each fits so many figures, else one each; one where it is none.
fn lines(reading: &Reading, room: usize) -> Vec<Vec<Line<'_>>> {
    let of = |order, value| Line { reading, order, value };
    match &reading.little {
        Some(little) if !reading.is_none() => {
            let pair = [of("BE", &reading.big), of("LE", little)];
            // A reason may be cut; it shows whole under the pointer.
            let fits =
                |line: &Line<'_>| line.value.as_ref().is_err() || line.value.iter().all(|v| v.chars().count() <= room);
            if pair.iter().all(fits) { vec![pair.into()] } else { pair.into_iter().map(|line| vec![line]).collect() }
        }
        _ => vec![vec![of("", &reading.big)]],
    }
}

fn line(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, values: &[Line<'_>]) {
    let Some(first) = values.first() else { return };
    let weak = ui.visuals().weak_text_color();
    let name = rect.with_min_x(rect.left() + GAP).with_max_x(rect.left() + NAME);
    let faint = if first.reading.is_none() { weak.gamma_multiply(0.8) } else { weak };
    paint::text(ui, name, first.reading.name, paint::body(ui), faint, Align::Min);
    let left = rect.left() + NAME;
    let width = (rect.right() - left) / points(values.len().max(1));
    for (n, value) in values.iter().enumerate() {
        let cell = Rect::from_x_y_ranges(left + points(n) * width..=left + points(n + 1) * width - 2.0, rect.y_range());
        self::value(ui, cx, cell, value);
    }
}

fn value(ui: &Ui, cx: &mut Cx<'_>, cell: Rect, line: &Line<'_>) {
    let Line { reading, order, value } = line;
    let id = ui.scope_id().with((reading.name, order));
    let response = ui.interact(cell, id, if value.is_ok() { Sense::CLICK } else { Sense::hover() });
    let gap = if order.is_empty() { "" } else { " " };
    let (text, color, font): (&str, Color32, FontId) = match value {
        Ok(text) => (text, ui.visuals().strong_text_color(), paint::mono(ui)),
        Err(why) => (why, ui.visuals().weak_text_color().gamma_multiply(0.8), paint::body(ui)),
    };
    response.widget_info(|| {
        let label = format!("{}{gap}{order}: {text}", reading.name);
        let role = if value.is_ok() { Role::Button } else { Role::Label };
        WidgetInfo::labeled(role, value.is_ok(), label)
    });
    if response.hovered() && value.is_ok() {
        ui.painter().rect_filled(cell, 2.0, theme::palette(ui).hovered_row);
    }
    paint::text(ui, cell, order, paint::body(ui), ui.visuals().weak_text_color(), Align::Min);
    let inner = if order.is_empty() { cell } else { cell.with_min_x(cell.left() + ORDER) };
    let cut = paint::text(ui, inner, text, font, color, Align::Min);
    if response.clicked() {
        cx.ask(Action::Copy(text.to_owned(), reading.name));
    }
    if cut {
        response.on_hover_text(text);
    } else if value.is_ok() {
        response.on_hover_text("Click to copy");
    }
}

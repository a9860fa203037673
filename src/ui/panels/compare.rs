//! Two packets side by side: their fields line by line, and their bytes beneath, with what differs marked by sign and colour.

use egui::{Align, Label, Rect, RichText, Role, ScrollArea, Sense, TextFormat, Ui, WidgetInfo, text::LayoutJob, vec2};

use super::dock::{dense, paint, push};
use crate::{
    ui::{
        Action, Cx, format,
        talk::{Compared, TalkAction},
        theme, widgets,
    },
    wire::{Field, diff::Pair},
};

/// Height of a line.
const ROW: f32 = 20.0;
/// Bytes of a line.
const WIDE: usize = 16;

/// The comparison into the room that is left.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    dense(ui);
    let data = cx.data;
    let Some(compared) = &data.talk.compared else {
        let text = if data.talk.reading { "Reading …" } else { "Select a packet, then Ctrl+click another." };
        paint::middle(ui, text);
        return;
    };
    head(ui, cx, compared);
    let lines = |len: usize| len.div_ceil(WIDE);
    let bytes = lines(compared.left.0.bytes.len()).max(lines(compared.right.0.bytes.len()));
    let fields = compared.comparison.pairs.len();
    ScrollArea::vertical().id_salt("compared").auto_shrink(false).show_rows(ui, ROW, fields + 1 + bytes, |ui, rows| {
        for n in rows {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
            if let Some(pair) = compared.comparison.pairs.get(n) {
                field_line(ui, rect, &response, compared, *pair);
            } else if n > fields {
                byte_line(ui, rect, &response, compared, n - fields - 1);
            } else {
                let line = ui.visuals().widgets.noninteractive.bg_stroke;
                ui.painter().hline(rect.x_range(), rect.center().y, line);
            }
        }
    });
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, compared: &Compared) {
    let n = compared.comparison.differing() as u64;
    let told = if n == 0 {
        "All fields are the same".to_owned()
    } else {
        format!("{} differ", format::counted(n, "field", "fields"))
    };
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        ui.label(RichText::new(told).strong());
        ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Swap").on_hover_text("Left to right").clicked() {
                let (left, right) = (compared.left.0.id, compared.right.0.id);
                push(ui, cx, Action::Talk(TalkAction::Compare(right, left)));
            }
        });
    });
    ui.columns(2, |columns| {
        let sides = [&compared.left, &compared.right];
        let [day, other] = sides.map(|(row, _)| row.received.to_zoned(cx.view.zone()).date());
        let pattern = if day == other { "%H:%M:%S%.3f" } else { "%-d %b  %H:%M:%S%.3f" };
        for (column, (row, dissection)) in columns.iter_mut().zip(sides) {
            let from = row.device.map_or(&*row.peer, |device| cx.data.label(device));
            column.add(Label::new(widgets::weak(column, from)).truncate());
            let time = row.received.to_zoned(cx.view.zone()).strftime(pattern);
            let serial = dissection.serial.map(|n| format!(" #{n}")).unwrap_or_default();
            let text = format!("{time}  {}{serial}", dissection.title);
            if column.add(egui::Link::new(text)).on_hover_text("Open this packet").clicked() {
                push(column, cx, Action::SelectPacket(row.id));
            }
        }
    });
}

fn halves(rect: Rect) -> (Rect, Rect) {
    let middle = rect.center().x;
    (rect.with_max_x(middle - 10.0), rect.with_min_x(middle + 10.0))
}

fn field_line(ui: &Ui, rect: Rect, response: &egui::Response, compared: &Compared, pair: Pair) {
    let (left, right) = halves(rect);
    let field = |fields: &[Field], at: Option<usize>| at.and_then(|n| fields.get(n)).cloned();
    let one = field(&compared.left.1.fields, pair.left);
    let other = field(&compared.right.1.fields, pair.right);
    let sign = match (pair.left, pair.right, pair.differs) {
        (Some(_), None, _) => "−",
        (None, Some(_), _) => "+",
        (.., true) => "≠",
        (.., false) => "",
    };
    let p = theme::palette(ui);
    if pair.differs {
        ui.painter().rect_filled(rect, 0.0, p.late.gamma_multiply(0.13));
    }
    paint::text(ui, rect, sign, paint::body(ui), p.late, Align::Center);
    response.widget_info(|| {
        let text = |field: &Option<Field>| field.as_ref().map_or("not there".to_owned(), Field::text);
        let name = one.as_ref().or(other.as_ref()).map_or("", |field| field.name.as_ref());
        let differs = if pair.differs { "differs: " } else { "" };
        WidgetInfo::labeled(Role::Label, true, format!("{differs}{name}: {} and {}", text(&one), text(&other)))
    });
    for (side, field) in [(left, one), (right, other)] {
        let Some(field) = field else { continue };
        let inside = side.with_min_x(side.left() + 6.0 + 10.0 * f32::from(field.depth));
        let mut job = LayoutJob::default();
        let visuals = ui.visuals();
        job.append(&field.name, 0.0, TextFormat::simple(paint::body(ui), visuals.weak_text_color()));
        let colour = if pair.differs { p.late } else { visuals.text_color() };
        job.append(&field.text(), 8.0, TextFormat::simple(paint::body(ui), colour));
        paint::line(ui, inside, job, Align::Min);
    }
}

fn byte_line(ui: &Ui, rect: Rect, response: &egui::Response, compared: &Compared, n: usize) {
    let (left, right) = halves(rect);
    let p = theme::palette(ui);
    let sides = [
        (left, &compared.left.0.bytes, &compared.comparison.left_bytes),
        (right, &compared.right.0.bytes, &compared.comparison.right_bytes),
    ];
    let from = n * WIDE;
    let mut said = Vec::new();
    for (side, bytes, marks) in sides {
        let font = paint::mono(ui);
        let mut job = LayoutJob::default();
        let weak = ui.visuals().weak_text_color();
        job.append(&format!("{from:04x} "), 0.0, TextFormat::simple(font.clone(), weak));
        let mut text = String::new();
        for at in from..(from + WIDE).min(bytes.len()) {
            let differs = marks.get(at).copied().unwrap_or(true);
            let colour = if differs { p.late } else { ui.visuals().text_color() };
            let mut format = TextFormat::simple(font.clone(), colour);
            if differs {
                format.background = p.late.gamma_multiply(0.18);
                format.underline = egui::Stroke::new(1.0, p.late);
            }
            let pair = format!("{:02x}", bytes[at]);
            text.push_str(&pair);
            job.append(&pair, 4.0, format);
        }
        said.push(text);
        if bytes.len() > from {
            paint::line(ui, side.with_min_x(side.left() + 6.0), job, Align::Min);
        }
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("bytes at {from}: {}", said.join(" and "))));
}

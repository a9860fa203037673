//! The first packet before and after a redaction: the fields that changed, and its bytes with what changed marked.

use egui::{Align, Color32, Grid, Label, Layout, Role, Stroke, TextFormat, Ui, WidgetInfo, text::LayoutJob};

use crate::{
    backend::Sample,
    model::PacketRow,
    ui::{
        format,
        panels::dock::{explain, paint},
        theme, widgets,
    },
    wire::{
        Dissection, Field,
        diff::{Comparison, compare},
    },
};

/// Changed fields that are listed.
const MOST_FIELDS: usize = 6;
/// Bytes that are shown of each.
const MOST_BYTES: usize = 64;
/// The same of a text.
const MOST_TEXT: usize = 280;

/// Both, side by side.
pub(super) fn ui(ui: &mut Ui, sample: &Sample) {
    let (before, after) = (&sample.before, &sample.after);
    if before.1.kind == "encrypted" {
        ui.label(widgets::weak(ui, "The first packet is encrypted: its content is replaced by something as long."));
    }
    let compared = compare((&before.1, &before.0.bytes), (&after.1, &after.0.bytes));
    let frame = egui::Frame::new().fill(theme::palette(ui).sunken).corner_radius(5).inner_margin(8);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let changes = changes(&compared, &before.1, &after.1);
        ui.label(widgets::weak(ui, head(changes.len(), &before.1)));
        fields(ui, &changes);
        ui.add_space(4.0);
        ui.columns(2, |columns| {
            let sides = [("Before", before, true), ("After", after, false)];
            for (column, (title, (row, dissection), left)) in columns.iter_mut().zip(sides) {
                let marks = marks(&compared, dissection, row.bytes.len(), left);
                column.label(widgets::weak(column, title));
                let text = bytes(column, row, &marks);
                let said = format!("{title}: {}", text.text);
                // A column would have it justified.
                let layout = Layout::top_down(Align::Min);
                let shown = column.with_layout(layout, |ui| ui.add(Label::new(text).wrap())).inner;
                shown.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.clone()));
            }
        });
    });
}

fn head(changed: usize, dissection: &Dissection) -> String {
    let title = &dissection.title;
    match changed {
        0 => format!("The first packet, {title}: nothing in it tells whose it is"),
        n => format!("The first packet, {title}: {} replaced", format::counted(n as u64, "field", "fields")),
    }
}

/// Name, before, after. A checksum follows from the others.
fn changes(compared: &Comparison, before: &Dissection, after: &Dissection) -> Vec<(String, String, String)> {
    let field = |fields: &[Field], at: Option<usize>| at.and_then(|n| fields.get(n)).cloned();
    let pairs = compared.pairs.iter().filter(|pair| pair.differs);
    pairs
        .filter_map(|pair| {
            let (one, other) = (field(&before.fields, pair.left), field(&after.fields, pair.right));
            let name = one.as_ref().or(other.as_ref())?.name.to_string();
            let text = |field: Option<Field>| field.map(|field| field.text()).unwrap_or_default();
            Some((name, text(one), text(other)))
        })
        .collect()
}

fn fields(ui: &mut Ui, changes: &[(String, String, String)]) {
    let p = theme::palette(ui);
    Grid::new("redacted fields").num_columns(3).spacing([14.0, 2.0]).show(ui, |ui| {
        for (name, before, after) in changes.iter().take(MOST_FIELDS) {
            ui.label(widgets::weak(ui, name));
            ui.label(short(before));
            ui.colored_label(p.late, format!("→ {}", short(after)));
            ui.end_row();
        }
    });
    if changes.len() > MOST_FIELDS {
        ui.label(widgets::weak(ui, format!("and {} more", changes.len() - MOST_FIELDS)));
    }
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(32).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// For each byte, whether its field was replaced: of a name that was, letters may be the same by chance.
fn marks(compared: &Comparison, dissection: &Dissection, len: usize, left: bool) -> Vec<bool> {
    let mut marks = vec![false; len];
    let fields = &dissection.fields;
    let differing = compared.pairs.iter().filter(|pair| pair.differs);
    for n in differing.filter_map(|pair| if left { pair.left } else { pair.right }) {
        let leaf = fields.get(n + 1).is_none_or(|next| next.depth <= fields[n].depth);
        let span = fields[n].span.start.min(len)..fields[n].span.end.min(len);
        if leaf {
            marks[span].fill(true);
        }
    }
    marks
}

/// Hex digits, or the text that the bytes are, with what changed in another colour and underlined.
fn bytes(ui: &Ui, row: &PacketRow, marks: &[bool]) -> LayoutJob {
    let text = explain::is_json(&row.bytes);
    let (plain, changed) = (ui.visuals().text_color(), theme::palette(ui).late);
    let font = paint::mono(ui);
    let format = |colour: Color32, differs: bool| TextFormat {
        underline: if differs { Stroke::new(1.0, colour) } else { Stroke::NONE },
        ..TextFormat::simple(font.clone(), colour)
    };
    let mut job = LayoutJob::default();
    let most = if text { MOST_TEXT } else { MOST_BYTES };
    let mut from = 0;
    let shown = row.bytes.get(..most).unwrap_or(&row.bytes);
    while from < shown.len() {
        let differs = marks.get(from).copied().unwrap_or(false);
        let to =
            (from..shown.len()).find(|n| marks.get(*n).copied().unwrap_or(false) != differs).unwrap_or(shown.len());
        let part = &shown[from..to];
        let said = if text { String::from_utf8_lossy(part).into_owned() } else { spaced(part) };
        job.append(&said, 0.0, format(if differs { changed } else { plain }, differs));
        if !text {
            job.append(" ", 0.0, format(plain, false));
        }
        from = to;
    }
    if shown.len() < row.bytes.len() {
        job.append("…", 0.0, format(plain, false));
    }
    job
}

fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

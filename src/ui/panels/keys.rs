//! The sheet of keys: every row of the table of commands that has one, by groups, found by typing.

use egui::{Frame, Label, Margin, RichText, Role, TextEdit, Ui, WidgetInfo};

use crate::ui::{
    command::{About, Group, TABLE},
    icons::Icon,
    theme, widgets,
};

/// From this width on the groups stand in two columns.
const TWO_COLUMNS: f32 = 820.0;
/// Width of one of them.
const COLUMN: f32 = 400.0;
/// Width of the keys of a row at least, and of one of their letters.
const KEYS: f32 = 118.0;
const LETTER: f32 = 8.6;
/// Room of a gesture before what it does.
const HOW: f32 = 200.0;

/// The sheet and what is searched in it.
#[derive(Default)]
pub(super) struct Keys {
    search: String,
}

impl Keys {
    pub(super) fn ui(&mut self, ui: &mut Ui) {
        let columns = if ui.ctx().content_rect().width() > TWO_COLUMNS + 120.0 { 2 } else { 1 };
        ui.set_width(if columns == 2 { TWO_COLUMNS } else { COLUMN + 40.0 });
        let field = TextEdit::singleline(&mut self.search)
            .hint_text("Search")
            .prefix(widgets::icon_atom(Icon::Search))
            .desired_width(220.0);
        let field = widgets::shows_what_is_typed(ui.add(field));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search keys"));
        ui.add_space(theme::GAP);
        let found: Vec<(Group, Vec<&About>)> = Group::ALL
            .into_iter()
            .map(|group| (group, rows(ui, group, &self.search)))
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        let pointer = GESTURES.iter().any(|(how, what)| is_found(&format!("{how} {what}"), &self.search));
        if found.is_empty() && !pointer {
            ui.label(widgets::weak(ui, format!("No key is for “{}”", self.search.trim())));
        }
        let all: usize = found.iter().map(|(_, rows)| rows.len() + 2).sum();
        if columns == 2 && all > 8 {
            let mut above = 0;
            // Whole groups, about the same number of lines on either side.
            let split = found
                .iter()
                .position(|(_, rows)| {
                    above += rows.len() + 2;
                    above > all / 2 + 2
                })
                .unwrap_or(found.len());
            ui.columns(2, |columns| {
                let (left, right) = found.split_at(split.max(1));
                for (ui, groups) in columns.iter_mut().zip([left, right]) {
                    for (group, rows) in groups {
                        self::group(ui, *group, rows);
                    }
                }
            });
        } else {
            for (group, rows) in &found {
                self::group(ui, *group, rows);
            }
        }
        gestures(ui, &self.search, columns);
        ui.label(widgets::weak(ui, "Single keys rest while you type. Mouse buttons 4 and 5 go back and forward, too."));
    }
}

/// What the pointer does, and where.
const GESTURES: [(&str, &str); 17] = [
    ("Map: wheel or pinch", "Nearer and farther, about the pointer"),
    ("Map: drag", "Move it; following ends"),
    ("Map: double click", "One step nearer"),
    ("Map: click a ring with a number", "Look nearer at the devices in it"),
    ("Map: right click", "Copy the place, measure from it, hide a point"),
    ("Time bar: click or drag", "Look at that moment"),
    ("Time bar: Shift+drag", "Mark a stretch"),
    ("Time bar: wheel", "Look at less or more of the span"),
    ("Time bar: middle drag", "Earlier and later"),
    ("Time bar: double click", "Select the trip"),
    ("Time bar: right click", "What can be done with the point there"),
    ("Devices: double click", "Select and show on the map"),
    ("Devices: Ctrl+click", "Isolate several on the map"),
    ("Devices: right click", "Follow, isolate, export, ignore"),
    ("Packets: Ctrl+click", "Compare with the selected one"),
    ("Packets: right click", "Filter by a cell, find, copy"),
    ("Between panes: drag", "Share the room otherwise"),
];

/// What the pointer does: the rows that have every word that is searched.
fn gestures(ui: &mut Ui, search: &str, columns: usize) {
    let rows: Vec<_> = GESTURES.iter().filter(|(how, what)| is_found(&format!("{how} {what}"), search)).collect();
    if rows.is_empty() {
        return;
    }
    widgets::group_heading(ui, "With the pointer");
    let line = |ui: &mut Ui, (how, what): &(&str, &str)| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let p = theme::palette(ui);
            widgets::cell(ui, HOW, |ui| ui.add(Label::new(RichText::new(*how).color(p.strong)).truncate()));
            ui.add(Label::new(*what).truncate());
        });
    };
    if columns == 2 {
        let (left, right) = rows.split_at(rows.len().div_ceil(2));
        ui.columns(2, |columns| {
            for (ui, rows) in columns.iter_mut().zip([left, right]) {
                for row in rows {
                    line(ui, row);
                }
            }
        });
    } else {
        for row in rows {
            line(ui, row);
        }
    }
    ui.add_space(theme::GAP);
}

/// True where a text has every word that is searched.
fn is_found(text: &str, search: &str) -> bool {
    let text = text.to_lowercase();
    search.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// The rows of a group that have a key and every word that is searched.
fn rows(ui: &Ui, group: Group, search: &str) -> Vec<&'static About> {
    let matches =
        |about: &&About| is_found(&format!("{} {} {}", about.text, about.does, about.all_keys(ui.ctx())), search);
    TABLE.iter().filter(|about| about.group == group && !about.keys.is_empty()).filter(matches).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen letters")]
fn group(ui: &mut Ui, group: Group, rows: &[&About]) {
    let p = theme::palette(ui);
    widgets::group_heading(ui, group.title());
    // Known before anything is laid out: a grid stands crooked for a frame.
    let letters =
        rows.iter().map(|about| about.keys.iter().map(|key| key.text(ui.ctx()).len() + 2).sum::<usize>()).max();
    let width = (letters.unwrap_or_default() as f32 * LETTER).max(KEYS);
    for about in rows {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            widgets::cell(ui, width, |ui| {
                for chord in about.keys {
                    let key = RichText::new(chord.text(ui.ctx())).monospace().color(p.strong);
                    let cap = Frame::new().fill(p.button).corner_radius(4).inner_margin(Margin::symmetric(6, 1));
                    cap.show(ui, |ui| ui.add(Label::new(key).extend()));
                }
            });
            let label = ui.add(Label::new(about.text).truncate());
            if !about.does.is_empty() {
                label.on_hover_text(about.does);
            }
        });
    }
    ui.add_space(theme::GAP);
}

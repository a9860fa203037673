//! The palette: every command, device and kind of packet, found by typing, with the keyboard alone.

mod fuzzy;
mod items;

use egui::{
    Align, Key, Label, Layout, Modifiers, Rect, RichText, Role, ScrollArea, Sense, TextEdit, TextStyle, Ui, UiBuilder,
    WidgetInfo, pos2, text::LayoutJob, vec2,
};

pub(in crate::ui) use self::items::Name;
use self::items::{Item, Scope};
use crate::{
    model::DeviceId,
    ui::{
        Action, Cx,
        icons::{self, Icon},
        theme::{self, Palette as Colours},
        widgets,
    },
};

/// Width, where the window has it.
const WIDTH: f32 = 620.0;
/// Height of a row.
const ROW: f32 = 30.0;
/// Rows in view, where the window has room for them.
const ROWS: f32 = 12.0;
/// Rows of one search. More is no help: type another letter.
const MOST: usize = 200;
/// Names that are remembered as used.
const MOST_RECENT: usize = 30;

/// The palette and what is being typed in it.
#[derive(Default)]
pub(in crate::ui) struct Palette {
    text: String,
    /// What can be done with this device, not with everything.
    scope: Option<DeviceId>,
    /// The row that Enter takes.
    at: usize,
    /// What was used, the last one first.
    pub(in crate::ui) recent: Vec<Name>,
    found: Option<Found>,
    was_open: bool,
    /// The row that Enter takes is to be brought into view.
    moved: bool,
}

/// What a search has found, as long as nothing changes that it depends on.
struct Found {
    text: String,
    scope: Option<DeviceId>,
    roster: u64,
    items: Vec<(Item, Vec<usize>)>,
}

impl Palette {
    /// It is open again: it begins anew.
    pub(super) fn rest(&mut self, open: bool) {
        if !open && self.was_open {
            *self = Self { recent: std::mem::take(&mut self.recent), ..Self::default() };
        }
        self.was_open = open;
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let window = ui.ctx().content_rect();
        ui.set_width(WIDTH.min(window.width() - 80.0));
        let (down, up, enter, into, out) = self.keys(ui);
        self.field(ui, cx);
        self.search(ui, cx);
        let items = self.found.as_ref().map_or(&[][..], |found| &found.items);
        let last = items.len().saturating_sub(1);
        let at = self.at.min(last);
        let next = (at + usize::from(down)).min(last).saturating_sub(usize::from(up));
        self.moved |= next != self.at;
        self.at = next;
        let height = (ROWS * ROW).min(window.height() - 220.0).max(3.0 * ROW);
        let mut taken = items.get(next).filter(|_| enter).map(|(item, _)| item.clone());
        if items.is_empty() {
            ui.add_space(theme::GAP);
            ui.label(widgets::weak(ui, "Nothing is called like that."));
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let moved = std::mem::take(&mut self.moved);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
            for (n, (item, lit)) in items.iter().enumerate() {
                let response = row(ui, item, lit, n == next);
                if n == next && moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    taken = Some(item.clone());
                }
            }
        });
        let device = items.get(next).and_then(|(item, _)| item.device());
        foot(ui, cx, self.scope, device);
        if let Some(device) = device.filter(|_| into && self.scope.is_none()) {
            (self.scope, self.at) = (Some(device), 0);
            self.text.clear();
            ui.ctx().request_repaint();
        }
        if out && self.text.is_empty() && self.scope.take().is_some() {
            ui.ctx().request_repaint();
        }
        if let Some(item) = taken {
            self.recent.retain(|name| *name != item.name);
            self.recent.insert(0, item.name.clone());
            self.recent.truncate(MOST_RECENT);
            // What it opens comes after this closes.
            cx.ask(Action::Sheet(None));
            item.actions.into_iter().for_each(|action| cx.ask(action));
        }
    }

    /// Takes the keys that are the list's, before the field sees them.
    fn keys(&self, ui: &Ui) -> (bool, bool, bool, bool, bool) {
        let empty = self.text.is_empty();
        ui.input_mut(|input| {
            let mut take = |key| input.consume_key(Modifiers::NONE, key);
            let (down, up) = (take(Key::ArrowDown), take(Key::ArrowUp));
            (down, up, take(Key::Enter), take(Key::Tab), empty && take(Key::Backspace))
        })
    }

    fn field(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let hint = match self.scope {
            Some(id) => format!("What to do with {}", cx.data.label(id)),
            None => "Find a command, a device, a kind of packet".to_owned(),
        };
        // Before it is laid out: what was typed faster than it opened is its text, too.
        let id = ui.make_persistent_id("palette text");
        ui.memory_mut(|memory| memory.request_focus(id));
        let field = TextEdit::singleline(&mut self.text)
            .id(id)
            .hint_text(hint)
            .font(TextStyle::Heading)
            .prefix(widgets::icon_atom(Icon::Search))
            .margin(vec2(10.0, 7.0))
            .desired_width(f32::INFINITY)
            .lock_focus(true);
        let field = widgets::shows_what_is_typed(ui.add(field));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Find a command or device"));
        if field.changed() {
            self.at = 0;
            self.moved = true;
        }
        ui.add_space(6.0);
    }

    fn search(&mut self, ui: &Ui, cx: &Cx<'_>) {
        let fresh = self.found.as_ref().is_some_and(|found| {
            found.text == self.text && found.scope == self.scope && found.roster == cx.data.roster
        });
        if fresh {
            return;
        }
        let scope = self.scope.map_or(Scope::Everything, Scope::Device);
        let items = items::all(ui.ctx(), cx, scope, self.text.is_empty());
        let rank = |item: &Item| self.recent.iter().position(|name| *name == item.name).unwrap_or(MOST_RECENT);
        let mut scored: Vec<_> = items
            .into_iter()
            .filter_map(|item| {
                let named = fuzzy::find(&self.text, &item.text);
                let told = item.is_command().then(|| fuzzy::find_about(&self.text, &item.about)).flatten();
                let found = named.into_iter().chain(told).max_by_key(|found| found.score)?;
                // A name that fits as well and was used comes first.
                Some((std::cmp::Reverse(found.score), rank(&item), item, found.at))
            })
            .collect();
        if self.text.trim().is_empty() {
            scored.sort_by_key(|(_, rank, ..)| *rank);
        } else {
            scored.sort_by_key(|(score, rank, item, _)| (*score, *rank, item.text.len()));
        }
        scored.truncate(MOST);
        let items = scored.into_iter().map(|(_, _, item, at)| (item, at)).collect();
        self.found = Some(Found { text: self.text.clone(), scope: self.scope, roster: cx.data.roster, items });
    }
}

fn row(ui: &mut Ui, item: &Item, lit: &[usize], chosen: bool) -> egui::Response {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::ListBoxOption, true, chosen, &item.text);
        info.current_text_value = (!item.key.is_empty()).then(|| item.key.clone());
        info
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if chosen {
        ui.painter().rect_filled(rect, 4.0, p.selected_row);
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, ROW)), 0.0, p.accent);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hovered_row);
    }
    if let Some(icon) = item.icon {
        let at = pos2(rect.left() + 20.0, rect.center().y);
        icons::paint(ui.painter(), Rect::from_center_size(at, egui::Vec2::splat(icons::SIZE)), icon, p.weak);
    }
    let inner = Rect::from_min_max(pos2(rect.left() + 38.0, rect.top()), pos2(rect.right() - 10.0, rect.bottom()));
    let mut row = ui.new_child(UiBuilder::new().max_rect(inner).layout(Layout::right_to_left(Align::Center)));
    if !item.key.is_empty() {
        row.label(RichText::new(&item.key).monospace().color(p.weak));
    }
    row.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        ui.add(Label::new(lettered(ui, &item.text, lit, p)).truncate());
        if !item.about.is_empty() {
            ui.add(Label::new(widgets::weak(ui, &item.about)).truncate());
        }
    });
    response
}

/// The name with the letters that were found in it.
fn lettered(ui: &Ui, text: &str, lit: &[usize], p: &Colours) -> LayoutJob {
    let font = TextStyle::Body.resolve(ui.style());
    let mut job = LayoutJob::default();
    for (n, letter) in text.chars().enumerate() {
        let colour = if lit.contains(&n) { p.accent } else { p.strong };
        job.append(&letter.to_string(), 0.0, egui::TextFormat::simple(font.clone(), colour));
    }
    job
}

fn foot(ui: &mut Ui, cx: &Cx<'_>, scope: Option<DeviceId>, device: Option<DeviceId>) {
    ui.add_space(6.0);
    let text = match (scope, device) {
        (Some(_), _) => "Enter does it · Backspace goes back to everything · Esc closes".to_owned(),
        (None, Some(id)) => format!("Enter shows {} · Tab: what to do with it · Esc closes", cx.data.label(id)),
        (None, None) => "Enter does it · Up and Down choose · Esc closes".to_owned(),
    };
    ui.add(Label::new(widgets::weak(ui, text).text_style(TextStyle::Small)).truncate());
}

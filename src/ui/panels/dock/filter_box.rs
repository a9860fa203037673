//! The box that a filter is typed into: coloured by whether it is one, with the mistake under it and what may come next.

use std::{ops::Range, sync::Arc};

use egui::{
    Align2, AtomExt as _, Button, Color32, Event, EventFilter, Galley, Id, Key, LayerId, Popup, PopupKind, RectAlign,
    Response, Role, ScrollArea, Stroke, StrokeKind, SurrenderFocusOn, TextBuffer, TextEdit, TextFormat, TextStyle, Ui,
    WidgetInfo,
    text::{CCursor, CCursorRange, CharIndex, LayoutJob},
    text_edit::TextEditState,
    vec2,
};

use crate::{
    model::filter::{Completion, Field, Filter, Ground, Mistake, complete},
    ui::{theme, widgets},
};

/// Height of the list of offers at most.
const MOST_HEIGHT: f32 = 220.0;
/// Width of the list of offers at least.
const LEAST_WIDTH: f32 = 400.0;

/// The text and how it is being completed.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, and all combinations occur")]
#[derive(Default)]
pub struct FilterBox {
    text: String,
    /// It takes the cursor.
    wants_focus: bool,
    offered: Completion,
    chosen: usize,
    /// An offer was gone to by an arrow key.
    moved: bool,
    /// Offers are asked for: something was typed, or an arrow pressed.
    asked: bool,
    open: bool,
    /// As much of it as is a filter.
    valid: String,
}

/// What is known of the packets, for the offers; and what [`FilterBox::read`] made of the text.
pub struct Offering<'a> {
    pub ground: &'a Ground,
    pub filter: &'a Filter,
    pub mistake: Option<&'a Mistake>,
    pub values: &'a dyn Fn(Field) -> Vec<String>,
    pub tree: &'a [&'a str],
}

/// Keys that were pressed while offers were shown.
#[derive(Default)]
struct Keys {
    by: isize,
    tab: bool,
    enter: bool,
    dismiss: bool,
}

impl FilterBox {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Another text, from elsewhere.
    pub fn set(&mut self, text: String) {
        self.text = text;
        self.asked = false;
    }

    /// Takes the cursor in the next frame.
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// What is typed, as a filter; where it makes none, as much of its beginning as does, up to an `&&`.
    pub fn read(&mut self, ground: &Ground) -> (Filter, Option<Mistake>) {
        let (text, filter, mistake) = sense(&self.text, ground);
        self.valid = text.to_owned();
        (filter, mistake)
    }

    /// The text that the packets are filtered by.
    pub fn valid_text(&self) -> &str {
        &self.valid
    }

    /// Draws the box; what is to be said about it is for [`FilterBox::says`], under it.
    pub fn ui(&mut self, ui: &mut Ui, width: f32, known: &Offering<'_>) -> Response {
        let id = Id::unique("packet filter");
        let keys = self.keys(ui);
        let mut moved_to = None;
        if keys.tab || keys.enter && self.moved {
            moved_to = self.accept(self.chosen);
        }
        let response = self.edit(ui, id, width, known);
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
        }
        if response.changed() {
            // Of nothing everything could come next: an arrow key asks for that.
            self.asked = !self.text.trim().is_empty();
            (self.chosen, self.moved) = (0, false);
        }
        if keys.dismiss || keys.enter && !self.moved || !response.has_focus() {
            self.asked = false;
        } else if !self.open && response.has_focus() && ui.input(|i| i.key_pressed(Key::ArrowDown)) {
            self.asked = true;
        }
        let cursor = TextEditState::load(ui.ctx(), id).and_then(|state| state.cursor.char_range());
        let cursor = cursor.map_or(self.text.len(), |range| byte_of(&self.text, range.primary.index.0));
        self.offered = if self.asked && moved_to.is_none() {
            complete(&self.text, cursor, known.values, known.tree)
        } else {
            Completion::default()
        };
        // Nothing is offered that stands there already.
        let typed = self.text.get(self.offered.span.clone()).unwrap_or_default();
        if self.offered.offers.iter().any(|offer| offer.text == typed) {
            self.offered.offers.clear();
        }
        let most = self.offered.offers.len();
        if most > 0 {
            self.moved |= keys.by != 0;
            let most = isize::try_from(most).unwrap_or(1);
            let at = isize::try_from(self.chosen).unwrap_or(0) + keys.by;
            self.chosen = at.rem_euclid(most).unsigned_abs();
        }
        self.open = most > 0 && response.has_focus();
        if let Some(picked) = self.offers(id, &response, known) {
            moved_to = self.accept(picked);
        }
        if let Some(at) = moved_to {
            let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
            state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(CharIndex(at)))));
            state.store(ui.ctx(), id);
            response.request_focus();
            ui.ctx().request_repaint();
        }
        response
    }

    /// Says under the box what is to be said: the mistake, or doubts. Nothing while offers lie over that place: they say it then.
    pub fn says(&self, ui: &mut Ui, filter: &Filter, mistake: Option<&Mistake>) {
        let Some(text) = self.said(ui, filter, mistake) else { return };
        if self.open {
            let height = ui.text_style_height(&TextStyle::Small);
            ui.allocate_space(vec2(0.0, height));
        } else {
            ui.add(egui::Label::new(text).truncate());
        }
    }

    /// The mistake, or the first doubt.
    fn said(&self, ui: &Ui, filter: &Filter, mistake: Option<&Mistake>) -> Option<egui::RichText> {
        let (text, colour) = match (mistake, filter.doubts.first()) {
            (Some(mistake), _) => (at_character(&self.text, mistake), colour_of(ui, &self.text, mistake)),
            (None, Some(doubt)) => (at_character(&self.text, doubt), theme::palette(ui).late),
            (None, None) => return None,
        };
        Some(egui::RichText::new(text).color(colour).text_style(TextStyle::Small))
    }

    /// Takes the keys that are the offers', before the text field sees them.
    fn keys(&self, ui: &Ui) -> Keys {
        let mut keys = Keys::default();
        if !self.open {
            return keys;
        }
        ui.input_mut(|input| {
            input.events.retain(|event| {
                let Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
                if modifiers.any() {
                    return true;
                }
                match key {
                    Key::ArrowDown => keys.by += 1,
                    Key::ArrowUp => keys.by -= 1,
                    Key::Tab => keys.tab = true,
                    Key::Enter => keys.enter = true,
                    Key::Escape => keys.dismiss = true,
                    _ => return true,
                }
                false
            });
        });
        keys
    }

    /// Puts an offer into the text. Gives the character behind it.
    fn accept(&mut self, n: usize) -> Option<usize> {
        let offer = self.offered.offers.get(n)?.text.clone();
        let Range { start, end } = self.offered.span;
        let rest = self.text.get(end..)?.to_owned();
        self.text.truncate(start);
        self.text.push_str(&offer);
        if !rest.starts_with(' ') {
            self.text.push(' ');
        }
        let at = self.text.chars().count();
        self.text.push_str(&rest);
        (self.chosen, self.moved) = (0, false);
        Some(at)
    }

    fn edit(&mut self, ui: &mut Ui, id: Id, width: f32, known: &Offering<'_>) -> Response {
        let p = theme::palette(ui);
        let on_offers = self.open && {
            let layer = LayerId::new(PopupKind::Popup.order(), id.with("offers"));
            ui.ctx().pointer_interact_pos().and_then(|at| ui.ctx().layer_id_at(at)) == Some(layer)
        };
        // A click on an offer does not take the cursor away.
        let surrender = ui.ctx().options(|options| options.input_options.surrender_focus_on);
        if on_offers {
            ui.ctx().options_mut(|options| options.input_options.surrender_focus_on = SurrenderFocusOn::Never);
        }
        let ground = known.ground;
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _width: f32| -> Arc<Galley> {
            let wrong = match Filter::parse(text.as_str(), ground) {
                Ok(filter) => filter.doubts.into_iter().map(|doubt| (doubt.span, p.late)).collect(),
                Err(mistake) => vec![(mistake.span, p.alarm)],
            };
            let job = dressed(ui, text.as_str(), &wrong);
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let edit = TextEdit::singleline(&mut self.text)
            .id(id)
            .hint_text("Filter")
            .align(Align2::LEFT_CENTER)
            .event_filter(EventFilter {
                tab: self.open,
                escape: self.open,
                horizontal_arrows: true,
                vertical_arrows: true,
            })
            .layouter(&mut layouter)
            .desired_width(width);
        let response = ui.add(edit);
        ui.ctx().options_mut(|options| options.input_options.surrender_focus_on = surrender);
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter packets"));
        let edge: Option<Color32> = match Filter::parse(&self.text, ground) {
            _ if self.text.trim().is_empty() => None,
            Ok(filter) if filter.doubts.is_empty() => Some(p.parked),
            Ok(_) => Some(p.late),
            Err(mistake) => Some(colour_of(ui, &self.text, &mistake)),
        };
        if let Some(edge) = edge {
            let rounded = ui.visuals().widgets.inactive.corner_radius;
            ui.painter().rect_stroke(response.rect, rounded, Stroke::new(1.0, edge), StrokeKind::Inside);
        }
        response
    }

    /// The list of offers, under what is wrong so far. Gives the one that was clicked.
    fn offers(&self, id: Id, response: &Response, known: &Offering<'_>) -> Option<usize> {
        let (open, chosen) = (self.open, self.chosen);
        let offers = &self.offered.offers;
        let shown = Popup::from_response(response)
            .id(id.with("offers"))
            .kind(PopupKind::Popup)
            .open(open)
            .align(RectAlign::BOTTOM_START)
            .align_alternatives(&[RectAlign::TOP_START])
            .width(response.rect.width().max(LEAST_WIDTH))
            .show(|ui| {
                if let Some(text) = self.said(ui, known.filter, known.mistake) {
                    ui.add(egui::Label::new(text).wrap());
                }
                ScrollArea::vertical().max_height(MOST_HEIGHT).min_scrolled_height(MOST_HEIGHT).show(ui, |ui| {
                    let mut clicked = None;
                    for (n, offer) in offers.iter().enumerate() {
                        let text = egui::RichText::new(&offer.text).monospace();
                        let says = widgets::weak(ui, offer.says.as_str()).text_style(TextStyle::Small);
                        let button =
                            Button::selectable(n == chosen, (text, egui::Atom::grow(), says.atom_shrink(true)));
                        let line = ui.add(button.truncate().min_size(vec2(ui.available_width(), 0.0)));
                        line.widget_info(|| {
                            WidgetInfo::selected(
                                Role::ListBoxOption,
                                true,
                                n == chosen,
                                format!("Offer {}", offer.text),
                            )
                        });
                        if n == chosen {
                            line.scroll_to_me(None);
                        }
                        if line.clicked() {
                            clicked = Some(n);
                        }
                    }
                    clicked
                })
            });
        shown.and_then(|shown| shown.inner.inner)
    }
}

/// "at 9: speed is a number in km/h, not fast".
fn at_character(text: &str, mistake: &Mistake) -> String {
    let before = text.get(..mistake.span.start).map_or(0, |before| before.chars().count());
    format!("at {}: {}", before + 1, mistake.text)
}

/// As much of a text as makes a filter, with what is wrong with the rest. While a condition is being typed, those before it go on.
fn sense<'a>(text: &'a str, ground: &Ground) -> (&'a str, Filter, Option<Mistake>) {
    let mistake = match Filter::parse(text, ground) {
        Ok(filter) => return (text, filter, None),
        Err(mistake) => mistake,
    };
    let before = text.get(..mistake.span.start).unwrap_or_default();
    let mut parts = before.rmatch_indices("&&").filter_map(|(at, _)| before.get(..at));
    let (part, filter) = parts
        .find_map(|part| Some((part, Filter::parse(part, ground).ok()?)))
        .unwrap_or((Default::default(), Filter::ALL));
    (part, filter, Some(mistake))
}

/// The colour of a mistake: of what is wrong, or of what is only not there yet.
fn colour_of(ui: &Ui, text: &str, mistake: &Mistake) -> Color32 {
    let p = theme::palette(ui);
    if mistake.span.start >= text.trim_end().len() { p.late } else { p.alarm }
}

fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// The text with what is wrong underlined.
fn dressed(ui: &Ui, text: &str, wrong: &[(Range<usize>, Color32)]) -> LayoutJob {
    let (font, colour) = (TextStyle::Body.resolve(ui.style()), ui.visuals().text_color());
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let mut cuts: Vec<usize> = wrong.iter().flat_map(|(span, _)| [span.start, span.end]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    for (start, end) in cuts.iter().zip(cuts.iter().skip(1)) {
        let Some(piece) = text.get(*start..*end) else { continue };
        let mut format = TextFormat::simple(font.clone(), colour);
        if let Some((_, line)) = wrong.iter().find(|(span, _)| span.start <= *start && *end <= span.end) {
            format.underline = Stroke::new(1.5, *line);
        }
        job.append(piece, 0.0, format);
    }
    job
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn conditions_before_a_mistake_go_on() {
        let ground = Ground { now: jiff::Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
        let cases = [
            ("kind == alarm", "kind == alarm", false),
            ("kind == alarm && sped > 5", "kind == alarm ", true),
            ("verdict >=", "", true),
            ("(van || sped > 5", "", true),
            ("van && dir == in && len >", "van && dir == in ", true),
            ("\"a && b\" && len >", "\"a && b\" ", true),
        ];
        for (text, valid, wrong) in cases {
            let (said, filter, mistake) = sense(text, &ground);
            assert_eq!((said, mistake.is_some()), (valid, wrong), "{text}");
            assert_eq!(Filter::parse(valid, &ground).ok(), Some(filter), "{text}");
        }
    }
}

//! What can be chosen: the library's commands by what they are for, and the user's own.

use egui::{
    Align, Key, Label, Layout, RichText, ScrollArea, Sense, TextEdit, Ui, UiBuilder, WidgetInfo, accesskit::Role, vec2,
};

use crate::{
    model::library::{Dialect, LIBRARY, Parameter, Template, UserCommand, danger},
    ui::{
        Action, Cx,
        icons::{self, Icon},
        theme, widgets,
    },
};

/// Width of what a command does, before its words.
const TITLE: f32 = 118.0;

/// A command that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    Listed(&'static Template),
    Own(UserCommand),
}

impl Offer {
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Listed(template) => template.purpose,
            Self::Own(own) => &own.title,
        }
    }

    /// What one should know before sending it; empty for nothing.
    pub(super) fn note(&self) -> &'static str {
        match self {
            Self::Listed(template) => template.note,
            Self::Own(_) => "",
        }
    }

    /// The text, with braces around each parameter.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Listed(template) => template.text,
            Self::Own(own) => &own.text,
        }
    }

    pub(super) fn parameters(&self) -> &'static [Parameter] {
        match self {
            Self::Listed(template) => template.parameters,
            Self::Own(_) => &[],
        }
    }

    /// What its parameters begin with: an example that is a number or a letter fits many, a name or an address nobody.
    pub(super) fn first_values(&self) -> Vec<String> {
        let fits = |example: &str| example.len() == 1 || example.bytes().all(|b| b.is_ascii_digit());
        let first = |p: &Parameter| if fits(p.example) { p.example.to_owned() } else { String::new() };
        self.parameters().iter().map(first).collect()
    }

    /// The text with these values; says which one is missing or wrong.
    pub(super) fn fill(&self, values: &[String]) -> Result<String, String> {
        match self {
            Self::Listed(template) => template.fill(&values.iter().map(String::as_str).collect::<Vec<_>>()),
            Self::Own(own) => Ok(own.text.clone()),
        }
    }

    /// The text with the values that are there, for looking at.
    pub(super) fn sketch(&self, values: &[String]) -> String {
        let filled = self.parameters().iter().zip(values).filter(|(_, value)| !value.trim().is_empty());
        filled.fold(self.text().to_owned(), |text, (parameter, value)| {
            text.replace(&format!("{{{}}}", parameter.name), value.trim())
        })
    }

    /// What a search looks through.
    fn words(&self) -> String {
        format!("{} {} {}", self.title(), self.text(), self.note()).to_lowercase()
    }
}

/// The list at the left and its search.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    search: String,
    /// Commands of other dialects than the tracker's are listed, too.
    others: bool,
}

impl Shelf {
    /// The list; what was chosen from it. A tracker whose dialect is known gets that first.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        spoken: Option<Dialect>,
        shown: Option<&Offer>,
    ) -> Option<Offer> {
        let field = TextEdit::singleline(&mut self.search).hint_text("Search commands").desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(Role::SearchInput, true, "Search commands"));
        ui.add_space(2.0);
        let wanted = self.search.trim().to_lowercase();
        // What is found first is what was meant.
        let first = !wanted.is_empty() && field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let fits = |offer: &Offer| offer.words().contains(&wanted);
        let data = cx.data;
        let mut chosen = None;
        ScrollArea::vertical().id_salt("library").auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.set_width(ui.available_width() - 10.0);
            let mut any = false;
            let mine: Vec<_> = data.remote.mine.iter().cloned().map(Offer::Own).filter(fits).collect();
            if !mine.is_empty() {
                heading(ui, "Your own", &mut any);
            }
            for offer in mine {
                if line(ui, cx, &offer, shown) || first && chosen.is_none() {
                    chosen = Some(offer);
                }
            }
            for dialect in self.dialects(spoken) {
                let listed: Vec<_> =
                    LIBRARY.iter().filter(|t| t.dialect == dialect).map(Offer::Listed).filter(fits).collect();
                if !listed.is_empty() {
                    heading(ui, &sentence_case(dialect.title()), &mut any);
                }
                for offer in listed {
                    if line(ui, cx, &offer, shown) || first && chosen.is_none() {
                        chosen = Some(offer);
                    }
                }
            }
            let hidden = spoken.is_some() && !self.others && wanted.is_empty();
            if hidden {
                ui.add_space(theme::GAP);
                self.others = ui.link("Commands of other trackers").clicked();
            }
            if !any {
                ui.label(widgets::weak(ui, "No command has these words. Write it at the right."));
            }
        });
        chosen
    }

    /// What is listed, in this order: all where nobody said what it speaks, and in a search.
    fn dialects(&self, spoken: Option<Dialect>) -> Vec<Dialect> {
        let everything = spoken.is_none() || self.others || !self.search.trim().is_empty();
        let listed = |dialect: &Dialect| everything || *dialect == Dialect::Common || spoken == Some(*dialect);
        let mut dialects: Vec<_> = Dialect::ALL.into_iter().filter(listed).collect();
        dialects.sort_by_key(|dialect| spoken != Some(*dialect));
        dialects
    }

    /// True where this text can be chosen already.
    pub(super) fn has(cx: &Cx<'_>, text: &str) -> bool {
        let text = text.trim();
        cx.data.remote.mine.iter().any(|mine| mine.text == text) || LIBRARY.iter().any(|listed| listed.text == text)
    }
}

fn heading(ui: &mut Ui, text: &str, any: &mut bool) {
    if *any {
        ui.add_space(theme::GAP);
    }
    *any = true;
    widgets::group_heading(ui, text);
}

/// A row: what it does, and its words. True where it was chosen.
fn line(ui: &mut Ui, cx: &mut Cx<'_>, offer: &Offer, shown: Option<&Offer>) -> bool {
    let p = theme::palette(ui);
    let selected = shown == Some(offer);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::ROW), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::ListItem, true, selected, format!("{}: {}", offer.title(), bare(offer.text())))
    });
    if !ui.is_rect_visible(rect) {
        return response.clicked();
    }
    if selected {
        ui.painter().rect_filled(rect, 4.0, p.selected_row);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.hovered_row);
    }
    let inside = rect.shrink2(vec2(6.0, 0.0));
    let mut row = ui.new_child(UiBuilder::new().max_rect(inside).layout(Layout::right_to_left(Align::Center)));
    let mark = vec2(icons::SIZE, icons::SIZE);
    if let Offer::Own(own) = offer
        && widgets::icon_button(&mut row, Icon::Close, &format!("Remove {}", own.title)).clicked()
    {
        cx.ask(Action::RemoveUserCommand(own.id));
    }
    if danger(offer.text()).is_some() {
        icons::show(&mut row, Icon::Warning, p.alarm).on_hover_text("Asks for a confirmation");
    } else if matches!(offer, Offer::Listed(_)) {
        row.allocate_exact_size(mark, Sense::hover());
    }
    row.with_layout(Layout::left_to_right(Align::Center), |ui| {
        let room = TITLE.min(ui.available_width() * 0.7);
        let title = RichText::new(offer.title()).color(p.text);
        widgets::cell(ui, room, |ui| ui.add(Label::new(title).truncate().selectable(false)));
        let words = RichText::new(bare(offer.text())).monospace().size(11.0).color(p.weak);
        ui.add(Label::new(words).truncate().selectable(false));
    });
    let note = if offer.note().is_empty() { String::new() } else { format!("\n{}", sentence_case(offer.note())) };
    response.on_hover_text(format!("{}{note}", bare(offer.text()))).clicked()
}

/// `TIMER,on_s,off_s#`: a template without braces.
fn bare(template: &str) -> String {
    template.replace(['{', '}'], "")
}

/// With a capital letter at its beginning.
pub(in crate::ui::panels) fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_shows_what_is_still_missing() {
        let server = LIBRARY.iter().find(|t| t.text.starts_with("SERVER,")).map(Offer::Listed).unwrap();
        let mut values = server.first_values();
        assert_eq!(values, ["1", "", "5023"]);
        assert_eq!(server.sketch(&values), "SERVER,1,{host},5023,0#");
        assert!(server.fill(&values).unwrap_err().starts_with("host is missing"));
        values[1] = " gps.example.org ".to_owned();
        assert_eq!(server.fill(&values).as_deref(), Ok("SERVER,1,gps.example.org,5023,0#"));
        assert_eq!(server.sketch(&values), "SERVER,1,gps.example.org,5023,0#");
    }
}

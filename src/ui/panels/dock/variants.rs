//! Below the tree: why a frame is read by this layout, and what others or other models would read.

use egui::{CollapsingHeader, Label, RichText, Ui};

use crate::{
    model::{Direction, PacketId, Profile, Protocol},
    ui::{Cx, data::Opened, theme},
    wire::gt06::{
        State,
        variants::{Change, Variants, variants},
    },
};

/// Changes that are listed of each reading.
const MOST_CHANGES: usize = 12;

/// The section, and what it found for the packet that is open.
#[derive(Default)]
pub struct Explainer {
    known: Option<(PacketId, Profile, Option<Variants>)>,
}

impl Explainer {
    /// A line that opens. What it says is found when it is opened.
    pub fn ui(&mut self, ui: &mut Ui, cx: &Cx<'_>, opened: &Opened) {
        if opened.row.protocol != Protocol::Gt06 || opened.row.direction != Direction::In {
            return;
        }
        let profile = opened.row.device.and_then(|id| cx.data.devices.get(&id)).map(|d| d.device.profile.clone());
        CollapsingHeader::new("Why this layout").id_salt("variants").show(ui, |ui| {
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Wrap);
            match self.told(opened, profile.unwrap_or_default()) {
                Some(told) => self::told(ui, told),
                None => {
                    ui.weak("No layout was chosen: these bytes are no frame with a checksum.");
                }
            }
        });
    }

    fn told(&mut self, opened: &Opened, profile: Profile) -> Option<&Variants> {
        let row = &opened.row;
        if self.known.as_ref().is_none_or(|(id, with, _)| *id != row.id || *with != profile) {
            let state = State::from_context(row.context.as_deref());
            let found = variants(&row.bytes, &profile, &state, row.received);
            self.known = Some((row.id, profile, found));
        }
        self.known.as_ref().and_then(|(.., found)| found.as_ref())
    }
}

fn told(ui: &mut Ui, told: &Variants) {
    ui.add(Label::new(&told.why).wrap());
    for other in &told.others {
        let (mark, said) = match (other.fits, other.changes.len()) {
            (false, _) => ("–", "not for this length".to_owned()),
            (true, 0) => ("=", "fits, and reads the same".to_owned()),
            (true, n) => {
                ("≠", format!("fits, and reads {} otherwise", crate::ui::format::counted(n as u64, "field", "fields")))
            }
        };
        let problems = match other.problems {
            0 => String::new(),
            n => format!(", with {}", crate::ui::format::counted(n as u64, "problem", "problems")),
        };
        let text = format!("{mark} {} ({}): {said}{problems}", other.title, other.condition);
        if other.fits {
            ui.add(Label::new(text).wrap());
            changes(ui, &other.changes);
        } else {
            ui.add(Label::new(RichText::new(text).weak()).wrap());
        }
    }
    if told.models.is_empty() {
        ui.add(Label::new(RichText::new("No other model reads it otherwise.").weak()).wrap());
    }
    for as_model in &told.models {
        ui.add(Label::new(RichText::new(format!("As {}:", as_model.models.join(", "))).strong()).wrap());
        changes(ui, &as_model.changes);
    }
}

fn changes(ui: &mut Ui, changes: &[Change]) {
    let colour = theme::palette(ui).late;
    ui.indent("changes", |ui| {
        for change in changes.iter().take(MOST_CHANGES) {
            ui.add(Label::new(RichText::new(change.sentence()).color(colour)).wrap());
        }
        if changes.len() > MOST_CHANGES {
            ui.weak(format!("and {} more", changes.len() - MOST_CHANGES));
        }
    });
}

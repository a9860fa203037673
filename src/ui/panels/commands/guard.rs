//! What stands before a command that can do harm: why it is dangerous, a word to type, and the refusal for a moving vehicle.

use egui::{Frame, Key, Label, Margin, RichText, TextEdit, Ui, WidgetInfo};

use crate::{
    model::{Device, DeviceOverview, Timestamp, library, library::Danger},
    ui::{
        icons::{self, Icon},
        theme, widgets,
    },
};

/// Digits of an identity that name the device well enough.
const DIGITS: usize = 4;

/// What was done about the danger so far.
#[derive(Debug, Default)]
pub(super) struct Guard {
    typed: String,
    /// The refusal was read, and is overruled.
    known: bool,
}

/// Whether a command may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    Yes {
        /// A refusal was read and overruled.
        forced: bool,
    },
    /// Why not.
    No(&'static str),
}

impl Guard {
    /// Forgets everything: it is another command now.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The card over the button. The keyboard that is `going_on` goes no further than to what is still to be typed.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        overview: &DeviceOverview,
        danger: Danger,
        now: Timestamp,
        going_on: &mut bool,
    ) -> Go {
        let p = theme::palette(ui);
        let device = &overview.device;
        let refusal = refusal(danger, overview, now);
        Frame::new().fill(p.fault).corner_radius(6).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                icons::show(ui, Icon::Warning, p.alarm);
                ui.add(Label::new(widgets::strong(ui, format!("This {}", danger.consequence()))).wrap());
            });
            let overrule = refusal.as_ref().map(|why| {
                ui.add(Label::new(RichText::new(format!("Not now: {why}.")).color(p.alarm)).wrap());
                ui.checkbox(&mut self.known, "I know, send it all the same")
            });
            ui.horizontal(|ui| {
                let label = ui.label(format!("Type {} to confirm", asked(device)));
                // Known by name: what stands above it comes and goes, and must not take the keyboard away.
                let field = TextEdit::singleline(&mut self.typed).id_salt("confirmation");
                let field = ui.add(field.desired_width(150.0).char_limit(120));
                let field = field.labelled_by(label.id);
                field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Confirmation"));
                let by_key = ui.input(|input| input.key_pressed(Key::Enter));
                let ticked = overrule.as_ref().is_some_and(|tick| tick.changed() && self.known);
                *going_on |= by_key && (field.lost_focus() || ticked);
                let confirmed = confirmed(device, &self.typed);
                if confirmed {
                    icons::show(ui, Icon::Check, p.parked);
                }
                let open = if confirmed { overrule.filter(|_| !self.known) } else { Some(field) };
                if let Some(open) = open
                    && std::mem::take(going_on)
                {
                    open.request_focus();
                }
            });
        });
        match (confirmed(device, &self.typed), refusal) {
            (false, _) => Go::No("Confirm it first"),
            (true, Some(_)) if !self.known => Go::No("Refused: the vehicle may be moving"),
            (true, refusal) => Go::Yes { forced: refusal.is_some() },
        }
    }
}

/// Why it should not be sent now.
fn refusal(danger: Danger, overview: &DeviceOverview, now: Timestamp) -> Option<String> {
    match danger {
        Danger::FuelCut => library::may_cut(overview, now).err(),
        Danger::FactoryReset | Danger::Connection => None,
    }
}

/// What has to be typed: `Van 7`, or the last digits of the identity.
fn asked(device: &Device) -> String {
    match &device.name {
        Some(name) => format!("“{name}” or {}", last_digits(device)),
        None => format!("the last {DIGITS} digits ({})", last_digits(device)),
    }
}

fn last_digits(device: &Device) -> String {
    let identity = device.identity.as_str();
    let begin = identity.char_indices().rev().nth(DIGITS - 1).map_or(0, |(at, _)| at);
    identity.get(begin..).unwrap_or(identity).to_owned()
}

fn confirmed(device: &Device, typed: &str) -> bool {
    let typed = typed.trim();
    let is_name = device.name.as_deref().is_some_and(|name| name.trim().to_lowercase() == typed.to_lowercase());
    !typed.is_empty() && (is_name || typed == last_digits(device) || typed == device.identity.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeviceId, DeviceState, Identity, Profile, Protocol};

    #[test]
    fn name_or_last_digits_confirm() {
        let device = |name: Option<&str>| Device {
            id: DeviceId(1),
            identity: Identity::new("868120148373456").unwrap(),
            protocol: Protocol::Gt06,
            name: name.map(str::to_owned),
            state: DeviceState::Adopted,
            profile: Profile::default(),
            first_seen: Timestamp::UNIX_EPOCH,
            last_heard: None,
        };
        let check = |name: Option<&str>, typed: &str, want: bool| {
            assert_eq!(confirmed(&device(name), typed), want, "{name:?} {typed:?}");
        };
        check(Some("Van 7"), "van 7 ", true);
        check(Some("Van 7"), "3456", true);
        check(Some("Van 7"), "Van", false);
        check(Some("Van 7"), "", false);
        check(None, "3456", true);
        check(None, "868120148373456", true);
        check(None, "456", false);
        check(None, "", false);
    }
}

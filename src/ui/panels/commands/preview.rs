//! The exact bytes of a command before it is sent: which of them are its text, which the server flag, which the language.

use egui::{
    Color32, FontId, Frame, Margin, RichText, Sense, TextFormat, TextStyle, Ui, WidgetInfo, text::LayoutJob, vec2,
};

use crate::{
    ui::{Action, Cx, format, icons::Icon, remote::Preview, theme, theme::fields::tint_of, widgets},
    wire::{Dissection, hex},
};

/// What a byte of a command is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Flag,
    Language,
    Frame,
}

impl Part {
    /// The parts that the legend explains.
    const EXPLAINED: [Self; 3] = [Self::Text, Self::Flag, Self::Language];

    /// What the decoder calls it.
    fn of(field: &str) -> Self {
        match field {
            "Text" => Self::Text,
            "Server flag" => Self::Flag,
            "Language" => Self::Language,
            _ => Self::Frame,
        }
    }

    fn legend(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "server flag",
            Self::Language => "language",
            Self::Frame => "frame",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Text => "The command as the device gets it",
            Self::Flag => {
                "A number for this command alone; the device sends it back with its answer. The one shown is filled in when it is queued"
            }
            Self::Language => "00 02, English: some firmware refuses a command without it",
            Self::Frame => "Start, lengths, type, serial, checksum, stop",
        }
    }

    fn fill(self, ui: &Ui) -> Color32 {
        match self {
            Self::Text => tint_of(ui, 0).lit,
            Self::Flag => tint_of(ui, 1).lit,
            Self::Language => tint_of(ui, 3).lit,
            Self::Frame => Color32::TRANSPARENT,
        }
    }
}

/// The bytes with their legend, or why there are none.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, preview: &Preview) {
    let p = theme::palette(ui);
    let (bytes, dissection) = match &preview.bytes {
        Ok(sent) => sent,
        Err(why) => {
            ui.label(RichText::new(why).color(p.alarm));
            return;
        }
    };
    let parts = parts(bytes.len(), dissection);
    Frame::new().fill(p.sunken).corner_radius(5).inner_margin(Margin::symmetric(8, 6)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let job = job(ui, bytes, &parts);
        let response = ui.add(egui::Label::new(job).wrap().selectable(true));
        response
            .widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Label, true, format!("Bytes {}", hex(bytes))));
    });
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        for part in Part::EXPLAINED.into_iter().filter(|part| parts.contains(part)) {
            swatch(ui, part.fill(ui));
            ui.label(widgets::weak(ui, part.legend())).on_hover_text(part.about());
        }
        let size = format::counted(bytes.len() as u64, "byte", "bytes");
        ui.label(widgets::weak(ui, size));
        if widgets::icon_button(ui, Icon::Copy, "Copy bytes").clicked() {
            cx.ask(Action::Copy(hex(bytes), "the bytes"));
        }
    });
}

fn parts(len: usize, dissection: &Dissection) -> Vec<Part> {
    let mut parts = vec![Part::Frame; len];
    for field in &dissection.fields {
        let part = Part::of(&field.name);
        if part != Part::Frame
            && let Some(bytes) = parts.get_mut(field.span.clone())
        {
            bytes.fill(part);
        }
    }
    parts
}

/// Pairs of hex digits; neighbours of one part share one background.
fn job(ui: &Ui, bytes: &[u8], parts: &[Part]) -> LayoutJob {
    let p = theme::palette(ui);
    let font = FontId::new(12.5, TextStyle::Monospace.resolve(ui.style()).family);
    let mut job = LayoutJob::default();
    for (at, (byte, part)) in bytes.iter().zip(parts).enumerate() {
        let colour = if *part == Part::Frame { p.weak } else { p.strong };
        let pair = TextFormat { background: part.fill(ui), ..TextFormat::simple(font.clone(), colour) };
        job.append(&format!("{byte:02x}"), 0.0, pair.clone());
        let same = parts.get(at + 1) == Some(part);
        let between = if same { pair } else { TextFormat::simple(font.clone(), colour) };
        job.append(" ", 0.0, between);
    }
    job
}

fn swatch(ui: &mut Ui, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.0, colour);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Profile, Protocol, Timestamp},
        wire::{dissect, gt06::encode},
    };

    #[test]
    fn every_byte_of_flag_text_and_language_is_lit() {
        let bytes = encode::command("RELAY,1#", 7, true, 1).unwrap();
        let dissection = dissect(Protocol::Gt06, &bytes, &Profile::default(), Timestamp::UNIX_EPOCH);
        let parts = parts(bytes.len(), &dissection);
        let of = |part| -> Vec<u8> { bytes.iter().zip(&parts).filter(|(_, p)| **p == part).map(|(b, _)| *b).collect() };
        assert_eq!(of(Part::Flag), [0, 0, 0, 7]);
        assert_eq!(of(Part::Text), b"RELAY,1#");
        assert_eq!(of(Part::Language), [0, 2]);
    }
}

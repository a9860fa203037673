//! How strongly bytes are lit: at rest in the colour of their field, stronger while it is pointed at or selected.

use egui::{Color32, Stroke, Ui};

use super::outline::Outline;
use crate::{ui::theme::fields::tint_of, wire::Field};

/// The fields that are lit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lit<'a> {
    /// Under the pointer, here or in the tree.
    pub hovered: Option<&'a Field>,
    pub selected: Option<&'a Field>,
    /// Offsets of bytes that are selected by themselves: from, and up to.
    pub run: Option<(usize, usize)>,
}

impl Lit<'_> {
    /// True for a byte that is selected by itself.
    pub fn runs_over(&self, offset: usize) -> bool {
        self.run.is_some_and(|(from, to)| (from..to).contains(&offset))
    }
}

/// How a run of bytes of one leaf is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Light {
    /// Colour of the leaf, if it has one.
    pub hue: Option<usize>,
    pub hovered: bool,
    pub selected: bool,
}

impl Lit<'_> {
    /// The light on the bytes of this leaf.
    pub fn on(&self, fields: &[Field], outline: &Outline, leaf: Option<usize>) -> Light {
        let span = leaf.and_then(|l| fields.get(l)).map(|f| &f.span);
        let holds = |by: Option<&Field>| {
            span.zip(by).is_some_and(|(leaf, by)| by.span.start <= leaf.start && leaf.end <= by.span.end)
        };
        let hue = leaf.and_then(|l| outline.hue(l));
        Light { hue, hovered: holds(self.hovered), selected: holds(self.selected) }
    }
}

impl Light {
    /// The background, where there is one.
    pub fn background(self, ui: &Ui) -> Option<Color32> {
        let strong = self.hovered || self.selected;
        match self.hue {
            Some(hue) if strong => Some(tint_of(ui, hue).lit),
            Some(hue) => Some(tint_of(ui, hue).soft),
            None if strong => Some(ui.visuals().widgets.hovered.bg_fill),
            None => None,
        }
    }

    /// The frame around lit bytes, where they have one.
    pub fn frame(self, ui: &Ui) -> Option<Stroke> {
        if self.selected {
            Some(Stroke::new(1.5, ui.visuals().strong_text_color()))
        } else if self.hovered {
            Some(Stroke::new(1.0, ui.visuals().weak_text_color()))
        } else {
            None
        }
    }
}

//! The keys of the time bar.

use egui::{Context, Key, Modifiers};

use super::Act;

/// A key and what it does.
pub struct TimeKey {
    pub key: Key,
    /// As it stands on the keyboard.
    pub name: &'static str,
    pub text: &'static str,
    pub act: Act,
}

const fn row(key: Key, name: &'static str, text: &'static str, act: Act) -> TimeKey {
    TimeKey { key, name, text, act }
}

/// Every one of them; `Esc` comes back to now, after what else it unwinds.
pub static KEYS: [TimeKey; 7] = [
    row(Key::Space, "Space", "Play or pause", Act::Play),
    row(Key::OpenBracket, "[", "Previous day", Act::Days(-1)),
    row(Key::CloseBracket, "]", "Next day", Act::Days(1)),
    row(Key::Comma, ",", "To the fix before", Act::Step(-1)),
    row(Key::Period, ".", "To the next fix", Act::Step(1)),
    row(Key::Home, "Home", "To the beginning of the span", Act::First),
    row(Key::End, "End", "To its end; LIVE, where that is now", Act::Last),
];

/// A widget smaller than this, in square points, is a button or the like.
const BUTTON: f32 = 9_000.0;

/// What was pressed and nothing else has taken: asked after everything was laid out, because lists have their own Home and End.
pub(in crate::ui) fn pressed(ctx: &Context) -> Vec<Act> {
    if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
        return Vec::new();
    }
    let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
    // Space presses a button that has the keyboard.
    let on_button = focused.is_some_and(|response| response.rect.area() < BUTTON);
    ctx.input_mut(|input| {
        let pressed = KEYS
            .iter()
            .filter(|row| (row.key != Key::Space || !on_button) && input.consume_key(Modifiers::NONE, row.key));
        pressed.map(|row| row.act.clone()).collect()
    })
}

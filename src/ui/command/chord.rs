//! Keys pressed together: how they are written, and whether they were pressed.

use egui::{Context, InputState, Key, ModifierNames, Modifiers, os::OperatingSystem};

/// A key and what is held down with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    modifiers: Modifiers,
    key: Key,
}

impl Chord {
    pub const fn plain(key: Key) -> Self {
        Self { modifiers: Modifiers::NONE, key }
    }

    pub const fn shift(key: Key) -> Self {
        Self { modifiers: Modifiers::SHIFT, key }
    }

    pub const fn alt(key: Key) -> Self {
        Self { modifiers: Modifiers::ALT, key }
    }

    /// With Ctrl, or with Command where keyboards have it.
    pub const fn ctrl(key: Key) -> Self {
        Self { modifiers: Modifiers::COMMAND, key }
    }

    pub const fn ctrl_shift(key: Key) -> Self {
        Self { modifiers: Modifiers::COMMAND.plus(Modifiers::SHIFT), key }
    }

    /// How many keys are held down with it.
    pub(super) fn modifiers(self) -> u8 {
        let Modifiers { alt, shift, command, .. } = self.modifiers;
        u8::from(alt) + u8::from(shift) + u8::from(command)
    }

    /// What it is, for tests that press it.
    pub fn parts(self) -> (Modifiers, Key) {
        (self.modifiers, self.key)
    }

    /// False for what writes a letter or moves the cursor.
    pub(super) fn acts_while_typing(self) -> bool {
        let function = self.key >= Key::F1 && self.key <= Key::F35;
        self.modifiers.command || function
    }

    /// `Ctrl+J`, `Z`, `?`.
    pub fn text(self, ctx: &Context) -> String {
        let mac = matches!(ctx.os(), OperatingSystem::Mac);
        let held = ModifierNames::NAMES.format(&self.modifiers, mac);
        let key = match self.key {
            Key::ArrowLeft => "Left",
            Key::ArrowRight => "Right",
            Key::ArrowUp => "Up",
            Key::ArrowDown => "Down",
            Key::PageUp => "Page up",
            Key::PageDown => "Page down",
            Key::Minus => "-",
            key if is_sign(key) => key.symbol_or_name(),
            key => key.name(),
        };
        if held.is_empty() { key.to_owned() } else { format!("{held}+{key}") }
    }

    /// True where it was pressed, and nobody else sees it any more.
    pub(super) fn take(self, input: &mut InputState) -> bool {
        let Self { modifiers, key } = self;
        match key {
            // Where the sign lies differs from keyboard to keyboard.
            Key::Questionmark => {
                input.consume_key(modifiers, Key::Questionmark) || input.consume_key(Modifiers::SHIFT, Key::Slash)
            }
            // Plus is the shifted equals sign on many.
            Key::Plus => input.consume_key(modifiers, Key::Plus) || input.consume_key(modifiers, Key::Equals),
            // With the shift key it is another sign.
            Key::Slash | Key::Comma | Key::Period if input.modifiers.shift && !modifiers.shift => false,
            // The window system makes an event of its own of it.
            Key::C if modifiers == Modifiers::COMMAND => {
                let before = input.events.len();
                input.events.retain(|event| !matches!(event, egui::Event::Copy));
                input.events.len() < before
            }
            _ => input.consume_key(modifiers, key),
        }
    }
}

/// True for what is written as one sign.
fn is_sign(key: Key) -> bool {
    key.symbol_or_name().chars().count() == 1 && key.symbol_or_name().is_ascii()
}

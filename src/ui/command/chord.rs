//! Keys pressed together: how they are written, and whether they were pressed.

use egui::{Context, Event, Key, ModifierNames, Modifiers, os::OperatingSystem};

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

    /// True where this is that it was pressed.
    pub(super) fn is_pressed_by(self, event: &Event) -> bool {
        // The window system makes an event of its own of it.
        let copies = self == Self::ctrl(Key::C);
        let Event::Key { key, modifiers, pressed: true, .. } = event else {
            return copies && matches!(event, Event::Copy);
        };
        let with = |held: Modifiers, wanted: Key| *key == wanted && modifiers.matches_logically(held);
        match self.key {
            // Where the sign lies differs from keyboard to keyboard.
            Key::Questionmark => with(self.modifiers, Key::Questionmark) || with(Modifiers::SHIFT, Key::Slash),
            // Plus is the shifted equals sign on many.
            Key::Plus => with(self.modifiers, Key::Plus) || with(self.modifiers, Key::Equals),
            // With the shift key it is another sign.
            Key::Slash | Key::Comma | Key::Period if modifiers.shift && !self.modifiers.shift => false,
            _ => !copies && with(self.modifiers, self.key),
        }
    }
}

/// True for what is written as one sign.
fn is_sign(key: Key) -> bool {
    key.symbol_or_name().chars().count() == 1 && key.symbol_or_name().is_ascii()
}

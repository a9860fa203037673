//! What one connection remembers from frame to frame.

use super::{decode::Decoded, told::Picture, topin};

/// Which of the two dialects of the port a connection speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// No login has told.
    #[default]
    Unknown,
    /// With serial and checksum.
    Gt06,
    /// Without: gt06.md §9.
    Topin,
}

/// Who logged in, in which zone and dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    device: Option<String>,
    zone_s: Option<i32>,
    dialect: Dialect,
    last_serial: Option<u16>,
    /// Frames since then that arrived, but damaged.
    damaged: u16,
    picture: Option<(u32, u32)>,
}

impl State {
    /// The identity of the last login.
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// Seconds east of UTC that the login told.
    pub fn zone_s(&self) -> Option<i32> {
        self.zone_s
    }

    /// True after a login in the dialect without checksum.
    pub fn topin(&self) -> bool {
        self.dialect == Dialect::Topin
    }

    /// The same in the one dialect or the other.
    pub(crate) fn in_dialect(&self, topin: bool) -> Self {
        Self { dialect: if topin { Dialect::Topin } else { Dialect::Gt06 }, ..self.clone() }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The serial of the last sound frame.
    pub(super) fn last_serial(&self) -> Option<u16> {
        self.last_serial
    }

    /// Frames after it that arrived with a wrong length or checksum, so that nobody knows their serial.
    pub(super) fn damaged(&self) -> u16 {
        self.damaged
    }

    /// Id and length of the picture that was offered last.
    pub(super) fn picture(&self) -> Option<(u32, u32)> {
        self.picture
    }

    /// What the bytes of a later frame do not tell about how to read it, as a JSON object; `None` where there is nothing.
    /// [`State::from_context`] takes it back. `gap`: the serial before it matters, too. `bytes`: of the frame.
    pub fn context(&self, gap: bool, bytes: &[u8]) -> Option<String> {
        let serial = self.last_serial.filter(|_| gap);
        let dialect = match self.dialect {
            Dialect::Topin => Some("topin"),
            // Said only where it makes a difference: it would stand beside every packet else.
            Dialect::Gt06 => {
                let at = |at| bytes.get(at..).unwrap_or_default();
                let either = (0..bytes.len()).any(|i| topin::extent(at(i), Dialect::Unknown) != topin::Extent::Not);
                either.then_some("gt06")
            }
            Dialect::Unknown => None,
        };
        if self.zone_s.is_none_or(|seconds| seconds == 0) && dialect.is_none() && serial.is_none() {
            return None;
        }
        let mut object = serde_json::Map::new();
        if let Some(serial) = serial {
            object.insert("last_serial".to_owned(), serial.into());
            if self.damaged > 0 {
                object.insert("damaged".to_owned(), self.damaged.into());
            }
        }
        if let Some(seconds) = self.zone_s {
            object.insert("login_zone_s".to_owned(), seconds.into());
        }
        if let Some(dialect) = dialect {
            object.insert("dialect".to_owned(), dialect.into());
        }
        Some(serde_json::Value::Object(object).to_string())
    }

    /// The state in which a stored packet arrived; what is no context of ours counts as none.
    pub fn from_context(context: Option<&str>) -> Self {
        let object: serde_json::Value = context.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let number = |key: &str| object.get(key).and_then(serde_json::Value::as_i64);
        let zone_s = number("login_zone_s").and_then(|seconds| i32::try_from(seconds).ok());
        let short = |key: &str| number(key).and_then(|value| u16::try_from(value).ok());
        let (last_serial, damaged) = (short("last_serial"), short("damaged").unwrap_or_default());
        let dialect = match object.get("dialect").and_then(serde_json::Value::as_str) {
            Some("topin") => Dialect::Topin,
            Some("gt06") => Dialect::Gt06,
            Some(_) | None => Dialect::Unknown,
        };
        Self { zone_s, dialect, last_serial, damaged, ..Self::default() }
    }

    /// Takes note of a frame.
    pub(super) fn note(&mut self, decoded: &Decoded) {
        if !decoded.sound {
            self.damaged = self.damaged.saturating_add(u16::from(decoded.dissection.kind != "noise"));
            return;
        }
        if decoded.dissection.kind == "login" {
            *self = Self {
                device: decoded.dissection.device.clone(),
                zone_s: decoded.login_zone_s,
                dialect: if decoded.topin { Dialect::Topin } else { Dialect::Gt06 },
                ..Self::default()
            };
        }
        if let Some(serial) = decoded.dissection.serial.filter(|_| decoded.from_device) {
            (self.last_serial, self.damaged) = (Some(serial), 0);
        }
        match decoded.picture {
            Some(Picture::Offered { id, length }) => self.picture = Some((id, length)),
            Some(Picture::Piece { .. }) | None => {}
        }
    }
}

//! What one connection remembers from frame to frame.

use super::{decode::Decoded, told::Picture};

/// Who logged in, in which zone and dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    device: Option<String>,
    zone_s: Option<i32>,
    topin: bool,
    last_serial: Option<u16>,
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
        self.topin
    }

    /// The serial of the last sound frame.
    pub(super) fn last_serial(&self) -> Option<u16> {
        self.last_serial
    }

    /// Id and length of the picture that was offered last.
    pub(super) fn picture(&self) -> Option<(u32, u32)> {
        self.picture
    }

    /// What the bytes of a later frame do not tell about how to read it, as a JSON object; `None` where there is nothing.
    /// [`State::from_context`] takes it back. `gap`: the serial before it matters, too.
    pub fn context(&self, gap: bool) -> Option<String> {
        let serial = self.last_serial.filter(|_| gap);
        if self.zone_s.is_none_or(|seconds| seconds == 0) && !self.topin && serial.is_none() {
            return None;
        }
        let mut object = serde_json::Map::new();
        if let Some(serial) = serial {
            object.insert("last_serial".to_owned(), serial.into());
        }
        if let Some(seconds) = self.zone_s {
            object.insert("login_zone_s".to_owned(), seconds.into());
        }
        if self.topin {
            object.insert("dialect".to_owned(), "topin".into());
        }
        Some(serde_json::Value::Object(object).to_string())
    }

    /// The state in which a stored packet arrived; what is no context of ours counts as none.
    pub fn from_context(context: Option<&str>) -> Self {
        let object: serde_json::Value = context.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let number = |key: &str| object.get(key).and_then(serde_json::Value::as_i64);
        let zone_s = number("login_zone_s").and_then(|seconds| i32::try_from(seconds).ok());
        let last_serial = number("last_serial").and_then(|serial| u16::try_from(serial).ok());
        let topin = object.get("dialect").and_then(serde_json::Value::as_str) == Some("topin");
        Self { zone_s, topin, last_serial, ..Self::default() }
    }

    /// Takes note of a frame.
    pub(super) fn note(&mut self, decoded: &Decoded) {
        if !decoded.sound {
            return;
        }
        if decoded.dissection.kind == "login" {
            *self = Self {
                device: decoded.dissection.device.clone(),
                zone_s: decoded.login_zone_s,
                topin: decoded.topin,
                ..Self::default()
            };
        }
        if decoded.from_device {
            self.last_serial = decoded.dissection.serial.or(self.last_serial);
        }
        match decoded.picture {
            Some(Picture::Offered { id, length }) => self.picture = Some((id, length)),
            Some(Picture::Piece { .. }) | None => {}
        }
    }
}

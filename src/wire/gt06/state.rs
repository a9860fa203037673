//! What one connection remembers from frame to frame.

use super::decode::Decoded;

/// Who logged in, in which zone and dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    device: Option<String>,
    zone_s: Option<i32>,
    topin: bool,
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

    /// What the bytes of a later frame do not tell about how to read it, as a JSON object; `None` where there is nothing.
    /// [`State::from_context`] takes it back.
    pub fn context(&self) -> Option<String> {
        if self.zone_s.is_none_or(|seconds| seconds == 0) && !self.topin {
            return None;
        }
        let mut object = serde_json::Map::new();
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
        let zone_s = object.get("login_zone_s").and_then(serde_json::Value::as_i64).and_then(|s| i32::try_from(s).ok());
        let topin = object.get("dialect").and_then(serde_json::Value::as_str) == Some("topin");
        Self { device: None, zone_s, topin }
    }

    /// Takes note of a frame.
    pub(super) fn note(&mut self, decoded: &Decoded) {
        if decoded.sound && decoded.dissection.kind == "login" {
            *self =
                Self { device: decoded.dissection.device.clone(), zone_s: decoded.login_zone_s, topin: decoded.topin };
        }
    }
}

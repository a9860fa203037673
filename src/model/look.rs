//! How the user wants to tell a device from others: a colour, an icon, notes, and the groups it is in.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Letters of a group's name at most.
const MAX_GROUP_CHARS: usize = 40;
/// Groups that one device is in at most.
pub const MAX_GROUPS: usize = 32;
/// Letters of the notes at most.
pub const MAX_NOTES_CHARS: usize = 4_000;

/// What tells a device from others beside its name. Part of the profile, and no packet means anything else because of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Beside the colour of its state, never instead of it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "tint_or_none")]
    pub color: Option<Tint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<DeviceIcon>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// As the user spelled them, each once whatever its case, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Look {
    /// A look that says nothing.
    pub const PLAIN: Self = Self { color: None, icon: None, notes: String::new(), groups: Vec::new() };

    /// True where nothing was chosen.
    pub fn is_plain(&self) -> bool {
        *self == Self::PLAIN
    }

    /// True where the device is in this group; upper and lower case alike.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| same_group(own, group))
    }

    /// Puts the device into a group. False where it is in it already, is in too many, or the name is none.
    pub fn join(&mut self, group: &str) -> bool {
        let Some(group) = group_name(group).filter(|g| !self.is_in(g) && self.groups.len() < MAX_GROUPS) else {
            return false;
        };
        self.groups.push(group);
        true
    }

    /// Takes the device out of a group.
    pub fn leave(&mut self, group: &str) {
        self.groups.retain(|own| !same_group(own, group));
    }
}

/// True where both name one group: upper and lower case alike.
pub fn same_group(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// A group's name as it is kept: no quotes and control characters, single spaces, no more than `MAX_GROUP_CHARS` letters. `None` where nothing
/// is left.
pub fn group_name(text: &str) -> Option<String> {
    let plain: String = text.chars().map(|c| if c.is_control() || c == '"' || c == ',' { ' ' } else { c }).collect();
    let name = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = name.chars().take(MAX_GROUP_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

/// A colour, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tint(pub [u8; 3]);

impl Tint {
    /// `None` for anything but `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([r, g, b]))
    }
}

impl fmt::Display for Tint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl Serialize for Tint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A colour that cannot be read is as good as none: it must not cost the rest of the profile.
fn tint_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tint>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_str().and_then(Tint::parse))
}

/// What a device is, as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceIcon {
    Car,
    Truck,
    Motorcycle,
    Bicycle,
    Boat,
    Person,
    Pet,
    Trailer,
    /// Something else; one that a newer program knows is read as this.
    #[serde(other)]
    Generic,
}

impl DeviceIcon {
    /// Every icon.
    pub const ALL: [Self; 9] = [
        Self::Car,
        Self::Truck,
        Self::Motorcycle,
        Self::Bicycle,
        Self::Boat,
        Self::Person,
        Self::Pet,
        Self::Trailer,
        Self::Generic,
    ];

    /// The word in the store and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Motorcycle => "motorcycle",
            Self::Bicycle => "bicycle",
            Self::Boat => "boat",
            Self::Person => "person",
            Self::Pet => "pet",
            Self::Trailer => "trailer",
            Self::Generic => "generic",
        }
    }

    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Car => "Car",
            Self::Truck => "Truck",
            Self::Motorcycle => "Motorcycle",
            Self::Bicycle => "Bicycle",
            Self::Boat => "Boat",
            Self::Person => "Person",
            Self::Pet => "Pet",
            Self::Trailer => "Trailer",
            Self::Generic => "Something else",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Profile;

    #[test]
    fn it_is_kept_as_people_write_it() {
        let mut look = Look { color: Tint::parse("#1A7f37"), icon: Some(DeviceIcon::Boat), ..Look::default() };
        assert!(look.join("  night \"shift\" ") && look.join("Vans"));
        assert!(!look.join("vans") && !look.join(" \t"), "twice, and nothing at all");
        let profile = Profile { look, ..Profile::default() };
        let text = json!({"look": {"color": "#1a7f37", "icon": "boat", "groups": ["night shift", "Vans"]}});
        assert_eq!(serde_json::to_value(&profile).unwrap(), text);
        assert_eq!(serde_json::from_value::<Profile>(text).unwrap(), profile);
        assert!(profile.look.is_in("VANS") && !profile.look.is_in("van"));
        assert_eq!(serde_json::to_value(Profile::default()).unwrap(), json!({}), "a plain one takes no room");
        for icon in DeviceIcon::ALL {
            assert_eq!(serde_json::to_value(icon).unwrap(), json!(icon.as_str()));
        }
    }

    #[test]
    fn what_cannot_be_read_costs_nothing_else() {
        let text =
            json!({"model": "VL103", "look": {"color": "mauve", "icon": "hovercraft", "groups": ["a"], "hat": 1}});
        let profile: Profile = serde_json::from_value(text).unwrap();
        assert_eq!((profile.model.as_deref(), profile.look.color), (Some("VL103"), None));
        assert_eq!((profile.look.icon, profile.look.groups), (Some(DeviceIcon::Generic), vec!["a".to_owned()]));
        for text in ["", "#12345", "#12345g", "123456", "#1234567", "#é2345"] {
            assert_eq!(Tint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_device_is_in_a_bounded_number_of_groups_with_short_names() {
        let mut look = Look::default();
        let joined = (0..100).filter(|n| look.join(&format!("g{n}"))).count();
        assert_eq!(joined, MAX_GROUPS);
        look.leave("G0");
        assert_eq!(look.groups.len(), MAX_GROUPS - 1);
        assert_eq!(group_name(&"é".repeat(99)).map(|g| g.chars().count()), Some(MAX_GROUP_CHARS));
    }
}

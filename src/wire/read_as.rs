//! A packet read otherwise than it was: as another protocol, dialect, model or layout. Its bytes stay what they are.

use std::{borrow::Cow, fmt};

use super::{
    Dissection,
    gt06::{self, KNOWN_MODELS, State, variants},
    owntracks,
};
use crate::model::{PacketRow, Profile, Protocol, Timestamp};

/// What a packet is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadAs {
    /// GT06 with serial and checksum, as the documents have it, whatever the profile says.
    Gt06,
    /// The dialect without checksum on the same port.
    Topin,
    /// A JSON body.
    OwnTracks,
    /// A frame of this model.
    Model(Cow<'static, str>),
    /// A frame that is laid out so, by the title of the layout.
    Layout(Cow<'static, str>),
}

impl ReadAs {
    /// Those that are no model and no layout, in the order of menus.
    pub const PROTOCOLS: [Self; 3] = [Self::Gt06, Self::OwnTracks, Self::Topin];

    /// Of a word that a person types: a protocol, one of [`KNOWN_MODELS`], or the title of a layout.
    pub fn parse(word: &str) -> Option<Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(word);
        match word.to_ascii_lowercase().as_str() {
            "gt06" => return Some(Self::Gt06),
            "topin" => return Some(Self::Topin),
            "owntracks" => return Some(Self::OwnTracks),
            _ => {}
        }
        let model = KNOWN_MODELS.iter().copied().find(|known| is(known));
        let layout = || variants::titles().find(|title| is(title));
        model.map(|name| Self::Model(name.into())).or_else(|| layout().map(|title| Self::Layout(title.into())))
    }

    /// Every word that [`ReadAs::parse`] takes but for the titles of layouts.
    pub fn words() -> impl Iterator<Item = &'static str> {
        ["gt06", "topin", "owntracks"].into_iter().chain(KNOWN_MODELS.iter().copied())
    }

    /// What the bytes say so. `state`: of the connection when they came; `received` stands in where they tell no time.
    pub fn dissect(&self, bytes: &[u8], profile: &Profile, state: &State, received: Timestamp) -> Dissection {
        match self {
            Self::OwnTracks => owntracks::dissect(bytes, received),
            Self::Gt06 => {
                let plain = Profile { model: None, ..profile.clone() };
                gt06::dissect_in(bytes, &plain, &state.in_dialect(false), received)
            }
            Self::Topin => gt06::dissect_in(bytes, profile, &state.in_dialect(true), received),
            Self::Model(name) => variants::decode_as_model(bytes, Some(name), profile, state, received),
            Self::Layout(title) => variants::decode_as_layout(bytes, title, profile, state, received),
        }
    }

    /// What a packet that is kept says so.
    pub fn dissect_kept(&self, packet: &PacketRow, profile: &Profile) -> Dissection {
        let state = match packet.protocol {
            Protocol::Gt06 => State::from_context(packet.context.as_deref()),
            Protocol::OwnTracks => State::default(),
        };
        self.dissect(&packet.bytes, profile, &state, packet.received)
    }
}

impl fmt::Display for ReadAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gt06 => "GT06",
            Self::Topin => "Topin (no checksum)",
            Self::OwnTracks => "OwnTracks",
            Self::Model(name) | Self::Layout(name) => name,
        })
    }
}

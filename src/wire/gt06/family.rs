//! Families of models: what a device's profile adds to what its frames say.

use crate::model::{AlarmTable, Profile, SupplyVoltage};

/// Which makers' habits a model has, as far as no frame tells (gt06.md §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Family {
    /// The documents' own reading.
    #[default]
    Standard,
    /// R11: heartbeats carry the supply voltage in two bytes.
    R11,
    /// VXT-01 and R31: as R11, and alarm 7 of the status byte is overspeed.
    Vxt01,
    /// LW2G, LW4G, `LWxG`: alarm table of their own, voltage in the last bytes of the heartbeat.
    Lynkworld,
    /// SEEWORLD, GL21L, P5, D11L.
    Seeworld,
    /// VL103, LL303, VL512: alarm table of the newer Jimi documents.
    Vl103,
    /// G18: towing as Jimi, light sensor.
    G18,
    /// `SL4x` (Sucre Lee).
    Sl4x,
    /// `TRX16i`.
    Trx16i,
    /// NT11 to NT46, VL100, XT40.
    Nt20,
    /// TR08X: alarm 0C is tampering.
    Tr08x,
}

/// Model names by their beginning, longest first where one begins another.
const MODELS: &[(&str, Family)] = &[
    ("R11", Family::R11),
    ("VXT", Family::Vxt01),
    ("R31", Family::Vxt01),
    ("LW", Family::Lynkworld),
    ("SEEWORLD", Family::Seeworld),
    ("GL21", Family::Seeworld),
    ("D11", Family::Seeworld),
    ("P5", Family::Seeworld),
    ("VL100", Family::Nt20),
    ("VL", Family::Vl103),
    ("LL303", Family::Vl103),
    ("G18", Family::G18),
    ("SL4", Family::Sl4x),
    ("TRX16", Family::Trx16i),
    ("NT", Family::Nt20),
    ("XT40", Family::Nt20),
    ("TR08", Family::Tr08x),
];

/// Models to choose from: those whose frames are read otherwise than the documents have it (gt06.md §5).
pub const KNOWN_MODELS: &[&str] = &[
    "D11L", "G18", "GL21L", "LL303", "LW2G", "LW4G", "NT11", "NT20", "NT26", "NT40", "NT46", "P5", "R11", "R31",
    "SEEWORLD", "SL4x", "TR08X", "TRX16i", "VL100", "VL103", "VL512", "VXT-01", "XT40",
];

impl Family {
    /// The family of the model that a profile names; case does not matter.
    pub(super) fn of(profile: &Profile) -> Self {
        let Some(model) = profile.model.as_deref().map(str::trim) else { return Self::Standard };
        let begins = |name: &str| model.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
        MODELS.iter().find(|(name, _)| begins(name)).map_or(Self::Standard, |&(_, family)| family)
    }

    /// The family whose alarm codes a profile asks for.
    pub(super) fn of_alarms(table: AlarmTable) -> Self {
        match table {
            AlarmTable::Documents => Self::Standard,
            AlarmTable::Vxt01 => Self::Vxt01,
            AlarmTable::Lynkworld => Self::Lynkworld,
            AlarmTable::Seeworld => Self::Seeworld,
            AlarmTable::Vl103 => Self::Vl103,
            AlarmTable::G18 => Self::G18,
            AlarmTable::Sl4x => Self::Sl4x,
            AlarmTable::Trx16i => Self::Trx16i,
            AlarmTable::Tr08x => Self::Tr08x,
        }
    }

    /// Where its heartbeats hide the supply voltage; `None` where that has to be guessed.
    pub(super) fn supply(self) -> Option<SupplyVoltage> {
        match self {
            Self::R11 | Self::Vxt01 => Some(SupplyVoltage::Hundredths),
            Self::Lynkworld => Some(SupplyVoltage::Tenths),
            Self::Seeworld => Some(SupplyVoltage::Whole),
            Self::Standard | Self::Vl103 | Self::G18 | Self::Sl4x | Self::Trx16i | Self::Nt20 | Self::Tr08x => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_to_choose_has_a_family() {
        for model in KNOWN_MODELS {
            let profile = Profile { model: Some((*model).to_owned()), ..Profile::default() };
            assert_ne!(Family::of(&profile), Family::Standard, "{model}");
        }
    }
}

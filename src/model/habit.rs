//! Makers' habits that no frame tells, as a person sets them in a device's profile (gt06.md §3.7, §4).

use serde::{Deserialize, Serialize};

/// Whose meaning the alarm codes of a device have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmTable {
    /// As the documents of Concox and Jimi have them.
    Documents,
    Vxt01,
    Lynkworld,
    Seeworld,
    Vl103,
    G18,
    Sl4x,
    Trx16i,
    Tr08x,
}

impl AlarmTable {
    /// Every table.
    pub const ALL: [Self; 9] = [
        Self::Documents,
        Self::Vxt01,
        Self::Lynkworld,
        Self::Seeworld,
        Self::Vl103,
        Self::G18,
        Self::Sl4x,
        Self::Trx16i,
        Self::Tr08x,
    ];

    /// How people name it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Documents => "Concox, Jimi documents",
            Self::Vxt01 => "VXT-01, R31",
            Self::Lynkworld => "Lynkworld LW2G, LW4G",
            Self::Seeworld => "SEEWORLD, GL21L, P5, D11L",
            Self::Vl103 => "VL103, LL303, VL512",
            Self::G18 => "G18",
            Self::Sl4x => "SL4x",
            Self::Trx16i => "TRX16i",
            Self::Tr08x => "TR08X",
        }
    }

    /// What it has otherwise than the documents.
    pub fn differs(self) -> &'static str {
        match self {
            Self::Documents => "the usual one",
            Self::Vxt01 => "status alarm 7 is overspeed",
            Self::Lynkworld => "18 is a collision, 19 harsh acceleration",
            Self::Seeworld => "28 is a sharp turn, 29 a collision",
            Self::Vl103 => "09 is towing, 28 powered off",
            Self::G18 => "09 is towing",
            Self::Sl4x => "30 is jamming",
            Self::Trx16i => "09 is a fence, 0E low power, E8 to F2 its own",
            Self::Tr08x => "0C is tampering",
        }
    }
}

/// Where a heartbeat of five bytes hides the supply voltage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SupplyVoltage {
    /// Nowhere: level, signal, alarm, language, as the documents have it.
    Nowhere,
    /// Two bytes in hundredths of a volt in place of level and signal.
    Hundredths,
    /// The low twelve bits of the last word, in tenths of a volt.
    Tenths,
    /// One byte of whole volts in place of the alarm.
    Whole,
}

impl SupplyVoltage {
    /// Every reading.
    pub const ALL: [Self; 4] = [Self::Nowhere, Self::Hundredths, Self::Tenths, Self::Whole];

    /// How people name it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Nowhere => "Not in heartbeats",
            Self::Hundredths => "Bytes 2 and 3, 0.01 V",
            Self::Tenths => "Last 12 bits, 0.1 V",
            Self::Whole => "Byte 4, whole volts",
        }
    }

    /// Who does so.
    pub fn models(self) -> &'static str {
        match self {
            Self::Nowhere => "Concox, Jimi and most others",
            Self::Hundredths => "R11, R31, VXT-01",
            Self::Tenths => "Lynkworld LW2G, LW4G",
            Self::Whole => "SEEWORLD D11L",
        }
    }
}

//! The keys of the settings file.

use crate::model::Protocol;

/// A key of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    DataDir,
    Gt06,
    OwnTracks,
    Https,
    HttpsCertificate,
    HttpsKey,
    Api,
    Policy,
    Silence,
    KeepPackets,
    KeepPacketsBytes,
    QuarantineSenders,
    QuarantineBytes,
    QuarantineAge,
    LogLevel,
    Limits,
    Tap,
}

impl Key {
    /// Every key, in the order they are explained.
    pub const ALL: [Self; 17] = [
        Self::DataDir,
        Self::Gt06,
        Self::OwnTracks,
        Self::Https,
        Self::HttpsCertificate,
        Self::HttpsKey,
        Self::Api,
        Self::Policy,
        Self::Silence,
        Self::KeepPackets,
        Self::KeepPacketsBytes,
        Self::QuarantineSenders,
        Self::QuarantineBytes,
        Self::QuarantineAge,
        Self::LogLevel,
        Self::Limits,
        Self::Tap,
    ];

    /// How it is spelled in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataDir => "data_dir",
            Self::Gt06 => "gt06",
            Self::OwnTracks => "owntracks",
            Self::Https => "https",
            Self::HttpsCertificate => "https_certificate",
            Self::HttpsKey => "https_key",
            Self::Api => "api",
            Self::Policy => "policy",
            Self::Silence => "silence",
            Self::KeepPackets => "keep_packets",
            Self::KeepPacketsBytes => "keep_packets_bytes",
            Self::QuarantineSenders => "quarantine_senders",
            Self::QuarantineBytes => "quarantine_bytes",
            Self::QuarantineAge => "quarantine_age",
            Self::LogLevel => "log_level",
            Self::Limits => "limits",
            Self::Tap => "tap",
        }
    }

    /// What may stand behind it, for a person.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::DataDir => "a folder in quotes",
            Self::Gt06 => "an address with a port in quotes, as \"127.0.0.1:5023\", or \"off\"",
            Self::OwnTracks => "an address with a port in quotes, as \"127.0.0.1:5144\", or \"off\"",
            Self::Https => "an address with a port in quotes, as \"0.0.0.0:5145\", or \"off\"",
            Self::HttpsCertificate => "a PEM file in quotes, the certificate of this machine first",
            Self::HttpsKey => "a PEM file in quotes",
            Self::Api => "an address with a port in quotes, as \"127.0.0.1:8082\", or \"off\"",
            Self::Policy => "\"ask\", \"adopt\" or \"strict\"",
            Self::Silence => "a time in quotes between 10 seconds and a week, as \"15 min\" or \"90 s\"",
            Self::KeepPackets => "a time in quotes, as \"30 days\" or \"12 hours\", or \"forever\"",
            Self::KeepPacketsBytes => "a size in quotes, as \"2 GB\" or \"500 MB\", or \"forever\"",
            Self::QuarantineSenders => "a number of senders between 1 and 100000",
            Self::QuarantineBytes => "a size in quotes, as \"64 MB\"",
            Self::QuarantineAge => "a time in quotes, as \"7 days\" or \"12 hours\"",
            Self::LogLevel => "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
            Self::Limits => "a table: [limits], and below it lines as connections = 12000",
            Self::Tap => {
                "a table a tap: [tap.vendor], and below it listen = \"0.0.0.0:5024\" and to = \"gps.example.com:5023\""
            }
        }
    }

    /// The key that says where a protocol's receiver listens.
    pub fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Gt06 => Self::Gt06,
            Protocol::OwnTracks => Self::OwnTracks,
        }
    }
}

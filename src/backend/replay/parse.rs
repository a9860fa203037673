//! Where to, how fast and under which name, as a person types it.

use super::{Rename, Speed, Target};
use crate::backend::demo::{HttpUrl, host_port};

impl Target {
    /// Reads `HOST:PORT`, or `http://…`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return HttpUrl::parse(text).map(Self::OwnTracks);
        }
        host_port(text).map(Self::Gt06)
    }
}

impl Speed {
    /// How many times as fast it may be.
    pub const TIMES: std::ops::RangeInclusive<f64> = 0.1..=1_000.0;

    /// Reads a number of times, `max` or `acked`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "max" => Ok(Self::Max),
            "acked" => Ok(Self::Acknowledged),
            _ => match text.trim_end_matches(['x', 'X']).parse::<f64>() {
                Ok(times) if Self::TIMES.contains(&times) => Ok(Self::Times(times)),
                _ => Err("it is a number from 0.1 to 1000, max, or acked".to_owned()),
            },
        }
    }
}

impl Rename {
    /// Reads `NEW`, or `OLD=NEW`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let imei = |text: &str| {
            let good = text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit());
            if good { Ok(text.to_owned()) } else { Err(format!("{text:?} is no IMEI, which has 15 digits")) }
        };
        match text.split_once('=') {
            Some((old, new)) => Ok(Self { old: Some(imei(old)?), new: imei(new)? }),
            None => Ok(Self { old: None, new: imei(text)? }),
        }
    }
}

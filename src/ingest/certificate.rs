//! What stands in a certificate that phones will look at: the names it is good for and when it ends. Only that is read; whether it is
//! signed well is for phones to judge.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::SignedDuration;
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

use crate::model::Timestamp;

/// A certificate that ends sooner than this is to be replaced.
const SOON: SignedDuration = SignedDuration::from_hours(21 * 24);

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// Names and addresses it is good for, in its order; `*.example.net` stands for one word more.
    pub names: Vec<String>,
    /// `None`: it does not say in a way that can be read.
    pub starts: Option<Timestamp>,
    pub ends: Option<Timestamp>,
}

/// Why phones will not, or will soon not, take a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateDoubt {
    NotYet {
        starts: Timestamp,
    },
    Ended {
        ended: Timestamp,
    },
    /// It works for now.
    EndsSoon {
        ends: Timestamp,
    },
    /// It is good for none of the addresses where phones are received.
    OtherNames {
        wanted: Vec<String>,
        names: Vec<String>,
    },
}

impl CertificateDoubt {
    /// True where phones refuse it now.
    pub fn is_refused(&self) -> bool {
        !matches!(self, Self::EndsSoon { .. })
    }
}

/// A sentence without a full stop.
impl std::fmt::Display for CertificateDoubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        match self {
            Self::NotYet { starts } => write!(f, "it is not good before {}: phones refuse it until then", day(starts)),
            Self::Ended { ended } => write!(f, "it has expired on {}: phones refuse it", day(ended)),
            Self::EndsSoon { ends } => write!(f, "it expires on {}: replace it before then", day(ends)),
            Self::OtherNames { wanted, names } if names.is_empty() => {
                write!(f, "it names no address at all, so phones that are told {} refuse it", wanted.join(" or "))
            }
            Self::OtherNames { wanted, names } => write!(
                f,
                "it is good for {}, so phones that are told {} refuse it",
                names.join(", "),
                wanted.join(" or ")
            ),
        }
    }
}

impl Certificate {
    /// Reads a certificate in DER. `None` where it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, read) = X509Certificate::from_der(der).ok()?;
        let moment = |at: ASN1Time| Timestamp::from_second(at.timestamp()).ok();
        let validity = read.validity();
        // Phones look nowhere else for names.
        let told = read.subject_alternative_name().ok().flatten();
        let names = told.into_iter().flat_map(|told| &told.value.general_names).filter_map(name).collect();
        Some(Self { names, starts: moment(validity.not_before), ends: moment(validity.not_after) })
    }

    /// True where a phone that calls this host, a name or an address, finds it named.
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        if let Ok(ip) = host.parse::<IpAddr>() {
            return self.names.iter().any(|name| name.parse() == Ok(ip));
        }
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(domain) => {
                host.split_once('.').is_some_and(|(word, rest)| !word.is_empty() && rest.eq_ignore_ascii_case(domain))
            }
            None => name.eq_ignore_ascii_case(host),
        })
    }

    /// Names that can be told to a phone: no pattern, and not this computer's own.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let is_host = |name: &&str| {
            let here =
                name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            !name.starts_with('*') && !name.is_empty() && !here
        };
        self.names.iter().map(String::as_str).filter(is_host)
    }

    /// What keeps phones from taking it. `told`: the hosts that phones may be told; with none, names are not looked at.
    pub fn doubts(&self, now: Timestamp, told: &[String]) -> Vec<CertificateDoubt> {
        let mut doubts = Vec::new();
        if let Some(starts) = self.starts.filter(|starts| *starts > now) {
            doubts.push(CertificateDoubt::NotYet { starts });
        }
        match self.ends {
            Some(ended) if ended <= now => doubts.push(CertificateDoubt::Ended { ended }),
            Some(ends) if ends.duration_since(now) < SOON => doubts.push(CertificateDoubt::EndsSoon { ends }),
            Some(_) | None => {}
        }
        if !told.is_empty() && !told.iter().any(|host| self.covers(host)) {
            doubts.push(CertificateDoubt::OtherNames { wanted: told.to_vec(), names: self.names.clone() });
        }
        doubts
    }
}

fn name(told: &GeneralName<'_>) -> Option<String> {
    match told {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(|b| IpAddr::V4(Ipv4Addr::from(b)));
    v4().or_else(|| <[u8; 16]>::try_from(bytes).ok().map(|b| IpAddr::V6(Ipv6Addr::from(b))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(names: &[&str], until: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(until, 3, 4);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn names_and_times_are_read() {
        for until in [2027, 2060] {
            let read =
                Certificate::read(&made(&["phones.example.net", "192.0.2.7", "2001:db8::1", "*.example.org"], until));
            let expected = Certificate {
                names: ["phones.example.net", "192.0.2.7", "2001:db8::1", "*.example.org"].map(str::to_owned).to_vec(),
                starts: Some(at("2026-01-02T00:00:00Z")),
                ends: Some(at(&format!("{until}-03-04T00:00:00Z"))),
            };
            assert_eq!(read, Some(expected));
        }
        assert_eq!(Certificate::read(&made(&[], 2027)).unwrap().names, [] as [&str; 0]);
    }

    #[test]
    fn a_host_is_covered_as_phones_judge_it() {
        let names = ["phones.example.net", "192.0.2.7", "*.example.org"].map(str::to_owned).to_vec();
        let certificate = Certificate { names, starts: None, ends: None };
        for (host, covered) in [
            ("phones.example.net", true),
            ("PHONES.Example.net.", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("a.example.org", true),
            ("a.b.example.org", false),
            ("example.org", false),
            (".example.org", false),
            ("example.net", false),
        ] {
            assert_eq!(certificate.covers(host), covered, "{host}");
        }
        assert_eq!(certificate.hosts().collect::<Vec<_>>(), ["phones.example.net", "192.0.2.7"]);
    }

    #[test]
    fn doubts_say_what_is_wrong_and_since_when() {
        let certificate = Certificate::read(&made(&["phones.example.net"], 2027)).unwrap();
        let said = |now: &str, told: &[&str]| {
            let told: Vec<_> = told.iter().map(|t| (*t).to_owned()).collect();
            certificate.doubts(at(now), &told).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(said("2026-06-01T00:00:00Z", &["phones.example.net", "10.0.0.2"]), [] as [&str; 0]);
        assert_eq!(said("2026-06-01T00:00:00Z", &[]), [] as [&str; 0]);
        assert_eq!(
            said("2026-01-01T00:00:00Z", &[]),
            ["it is not good before 2026-01-02 00:00 UTC: phones refuse it until then"]
        );
        assert_eq!(said("2027-02-20T00:00:00Z", &[]), ["it expires on 2027-03-04 00:00 UTC: replace it before then"]);
        assert_eq!(said("2027-03-04T00:00:00Z", &[]), ["it has expired on 2027-03-04 00:00 UTC: phones refuse it"]);
        assert_eq!(
            said("2026-06-01T00:00:00Z", &["10.0.0.2"]),
            ["it is good for phones.example.net, so phones that are told 10.0.0.2 refuse it"]
        );
    }

    proptest! {
        #[test]
        fn whatever_is_no_certificate_is_none(cut in 0usize..600, at in 0usize..600, byte: u8) {
            let mut der = made(&["phones.example.net", "192.0.2.7"], 2027);
            if let Some(changed) = der.get_mut(at) {
                *changed = byte;
            }
            der.truncate(cut);
            Certificate::read(&der);
        }
    }
}

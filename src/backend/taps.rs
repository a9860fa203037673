//! Taps as they are set up: their names, what the command line says of them, and how they are changed while they run.

use std::{
    collections::BTreeSet,
    io,
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use super::{
    Backend, ListenAt, Tap, TapLine, TapMode,
    config::{self, listen_at},
    doctor::Finding,
};

/// What a tap may be called.
pub const NAMES: &str = "a name has up to 40 letters, digits, dots, dashes and underscores";
const MOST_NAME: usize = 40;

/// What the command line or the environment says of one tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapWord {
    /// None but those that stand beside it, whatever the settings say.
    Off,
    Tap {
        name: Option<String>,
        listen: ListenAt,
        mode: TapMode,
    },
}

/// True where a tap may be called so.
pub fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=MOST_NAME).contains(&text.len()) && text.chars().all(is_letter)
}

/// Checks `host:port`. The error says what it is.
pub fn destination(text: &str) -> Result<(), String> {
    let said = || "it is a server with its port, as gps.example.com:5023 or 192.0.2.7:5023".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(said)?;
    let port: u16 = port.parse().map_err(|_| said())?;
    // An IPv6 address stands in brackets.
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match in_brackets {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '/', '=', '@', '"']) && !host.contains(char::is_whitespace),
    };
    if is_host && port > 0 { Ok(()) } else { Err(said()) }
}

/// A tap that passes on: `[NAME=]ADDR=HOST:PORT`, or `off`. The error says so.
pub fn pass_word(text: &str) -> Result<TapWord, String> {
    if text == "off" {
        return Ok(TapWord::Off);
    }
    let parts: Vec<&str> = text.split('=').collect();
    let (name, listen, to) = match parts.as_slice() {
        [listen, to] => (None, listen, to),
        [name, listen, to] => (Some(name_of(name)?), listen, to),
        _ => {
            let said = "it is where to listen and whereto to pass on, as 127.0.0.1:5024=gps.example.com:5023, a name \
                        before it where you like, as vendor=127.0.0.1:5024=gps.example.com:5023, or `off`";
            return Err(said.to_owned());
        }
    };
    destination(to)?;
    Ok(TapWord::Tap { name, listen: listen_at(listen)?, mode: TapMode::Pass { to: (*to).to_owned() } })
}

/// A tap that takes a copy: `[NAME=]ADDR`, or `off`. The error says so.
pub fn copy_word(text: &str) -> Result<TapWord, String> {
    if text == "off" {
        return Ok(TapWord::Off);
    }
    let (name, listen) = match text.split_once('=') {
        Some((name, listen)) => (Some(name_of(name)?), listen),
        None => (None, text),
    };
    Ok(TapWord::Tap { name, listen: listen_at(listen)?, mode: TapMode::Copy })
}

fn name_of(text: &str) -> Result<String, String> {
    if is_name(text) { Ok(text.to_owned()) } else { Err(NAMES.to_owned()) }
}

/// The taps that words set up. `None`: there are no words, and the settings have their say. Who has no name is called after the server it passes
/// on to, or `copy`.
pub fn of_words(words: Vec<TapWord>) -> Result<Option<Vec<Tap>>, String> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for word in &words {
        if let TapWord::Tap { name: Some(name), .. } = word
            && !taken.insert(name.clone())
        {
            return Err(format!("two taps are called {name}"));
        }
    }
    let named = words.into_iter().filter_map(|word| {
        let TapWord::Tap { name, listen, mode } = word else { return None };
        let name = name.unwrap_or_else(|| {
            let name = free_name(&mode, |name| taken.contains(name));
            taken.insert(name.clone());
            name
        });
        Some(Tap { name, listen, mode })
    });
    Ok(Some(named.collect()))
}

/// What a tap may be called that nobody named, where these names are taken.
pub fn free_name(mode: &TapMode, taken: impl Fn(&str) -> bool) -> String {
    let stem: String = match mode {
        TapMode::Pass { to } => {
            let host = to.rsplit_once(':').map_or(to.as_str(), |(host, _)| host);
            host.chars().filter(|c| is_name(&c.to_string())).take(MOST_NAME - 4).collect()
        }
        TapMode::Copy => "copy".to_owned(),
    };
    let stem = if stem.is_empty() { "tap".to_owned() } else { stem };
    let numbered = (2..1_000).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(stem)
}

/// The option of the command line that sets up such a tap.
pub fn flag(mode: &TapMode) -> &'static str {
    match mode {
        TapMode::Pass { .. } => "--tap",
        TapMode::Copy => "--copy",
    }
}

/// A server that does not answer the doctor's call by then is not there.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the server that a tap passes on to takes a call; nothing is said to it.
pub(super) fn reach(tap: &Tap) -> Option<Finding> {
    let TapMode::Pass { to } = &tap.mode else { return None };
    let topic = format!("tap {} server", tap.name);
    let cure = "see that its name and port are right and that it runs; until then trackers that call here are closed, and call again";
    let found = to.to_socket_addrs();
    let reached = found.and_then(|mut addresses| {
        let nobody = io::Error::new(io::ErrorKind::NotFound, "nobody knows this name");
        let reached = addresses.try_fold(nobody, |_, at| match TcpStream::connect_timeout(&at, PATIENCE) {
            Ok(_) => Err(()),
            Err(error) => Ok(error),
        });
        reached.map_or(Ok(()), Err)
    });
    Some(match reached {
        Ok(()) => Finding::ok(topic, format!("{to} takes calls")),
        Err(error) => Finding::trouble(topic, format!("{to} is not reached: {error}"), cure),
    })
}

impl Backend {
    /// How each tap fares.
    pub fn taps(&self) -> Vec<TapLine> {
        self.receivers.as_ref().map(crate::ingest::Receivers::taps).unwrap_or_default()
    }

    /// Sets a tap up from now on, after a restart, too; one of this name is changed. Where it listens changes without a word to those who are
    /// connected; what it does with connections ends those that are open.
    pub fn set_tap(&self, tap: Tap) {
        if let Some(receivers) = &self.receivers {
            let _entered = self.runtime.enter();
            receivers.set_tap(tap.clone());
            self.write_down(move |path| config::remember_tap(path, &tap.name, Some(&tap)));
        }
    }

    /// Ends a tap and its connections, after a restart, too.
    pub fn remove_tap(&self, name: String) {
        if let Some(receivers) = &self.receivers {
            receivers.remove_tap(&name);
            self.write_down(move |path| config::remember_tap(path, &name, None));
        }
    }

    /// Tries a tap that waits for its port again at once.
    pub fn retry_tap(&self, name: &str) {
        if let Some(receivers) = &self.receivers {
            receivers.retry_tap(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart() {
        let at = |text: &str| ListenAt::Address(text.parse().unwrap());
        let pass = |to: &str| TapMode::Pass { to: to.to_owned() };
        let tap = |name: &str, listen: &str, mode| Tap { name: name.to_owned(), listen: at(listen), mode };
        let words = |passes: &[&str], copies: &[&str]| {
            let passes = passes.iter().map(|word| pass_word(word).unwrap());
            of_words(passes.chain(copies.iter().map(|word| copy_word(word).unwrap())).collect())
        };
        assert_eq!(words(&[], &[]).unwrap(), None);
        assert_eq!(words(&["off"], &[]).unwrap(), Some(Vec::new()));
        let all = words(
            &["127.0.0.1:1=a.example:5023", "0.0.0.0:2=a.example:5024", "v=[::]:3=[::1]:9"],
            &["127.0.0.1:4", "v-2=127.0.0.1:5"],
        );
        let expected = [
            tap("a.example", "127.0.0.1:1", pass("a.example:5023")),
            tap("a.example-2", "0.0.0.0:2", pass("a.example:5024")),
            tap("v", "[::]:3", pass("[::1]:9")),
            tap("copy", "127.0.0.1:4", TapMode::Copy),
            tap("v-2", "127.0.0.1:5", TapMode::Copy),
        ];
        assert_eq!(all.unwrap().unwrap(), expected);
        assert!(words(&["v=127.0.0.1:1=a:1", "v=127.0.0.1:2=a:1"], &[]).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for wrong in [
            "",
            "127.0.0.1:5024",
            "a:1=b:2",
            "127.0.0.1:1=host",
            "127.0.0.1:1=host:0",
            "127.0.0.1:1=:5",
            "a b=127.0.0.1:1=c:1",
        ] {
            assert!(pass_word(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "5025", "a/b=127.0.0.1:1"] {
            assert!(copy_word(wrong).is_err(), "{wrong}");
        }
        assert!(pass_word("x").unwrap_err().contains("127.0.0.1:5024=gps.example.com:5023"));
    }
}

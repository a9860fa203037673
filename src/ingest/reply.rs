//! What a phone is told in the answer to its message: friends, their cards, commands; and what its messages say about earlier commands.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use super::visits::App;
use crate::model::{
    Command, CommandId, CommandState, DeviceId, DeviceOverview, NewPacket, PhoneCommand, Report, StoredCard, Timestamp,
};

/// Friends in one answer.
const MOST_FRIENDS: usize = 100;
/// Pictures in one answer, in bytes: phones pay for what they receive.
const MOST_FACES_BYTES: usize = 512 << 10;
/// A card that did not change is sent again after this long, because the app may have been installed anew.
const CARD_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);
/// Pairs of phones whose cards are remembered.
const MOST_REMEMBERED: usize = 20_000;

/// Which cards went to whom, and when.
#[derive(Debug, Default)]
pub(crate) struct SentCards(Mutex<HashMap<(DeviceId, DeviceId), (u64, Timestamp)>>);

impl SentCards {
    /// True where this card should be sent now.
    fn is_due(&self, viewer: DeviceId, seen: DeviceId, card: u64, now: Timestamp) -> bool {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(&(viewer, seen)).is_none_or(|(was, at)| *was != card || now.duration_since(*at) > CARD_AGAIN)
    }

    /// Remembers cards that were sent.
    pub(super) fn remember(&self, viewer: DeviceId, cards: &[(DeviceId, u64)], now: Timestamp) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() + cards.len() > MOST_REMEMBERED {
            sent.clear();
        }
        sent.extend(cards.iter().map(|(seen, card)| ((viewer, *seen), (*card, now))));
    }
}

/// What is told about friends.
#[derive(Debug, Default)]
pub(super) struct Friends {
    pub(super) messages: Vec<Value>,
    /// The cards among them, for [`SentCards::remember`].
    pub(super) cards: Vec<(DeviceId, u64)>,
}

/// Cards and positions of those whom `viewer` sees. Every message has what both apps insist on, since Android drops the whole answer over one
/// that has not (owntracks.md §1.4).
pub(super) fn friends(
    viewer: DeviceId,
    seen: &[(DeviceOverview, Option<StoredCard>)],
    sent: &SentCards,
    now: Timestamp,
) -> Friends {
    let mut told = Friends::default();
    let (mut taken, mut faces) = (BTreeSet::new(), 0);
    for (overview, card) in seen.iter().take(MOST_FRIENDS) {
        let tid = distinct(&wanted_tid(overview), &mut taken);
        let Some(location) = location(overview, &tid) else { continue };
        let mut message = json!({ "_type": "card", "tid": tid, "name": name(overview, card.as_ref()) });
        let face = card.as_ref().and_then(|stored| stored.card.face.as_deref());
        if let Some(face) = face.filter(|face| faces + face.len() <= MOST_FACES_BYTES) {
            message["face"] = json!(face);
        }
        let (id, mark) = (overview.device.id, fingerprint(&message));
        if sent.is_due(viewer, id, mark, now) {
            faces += message["face"].as_str().map_or(0, str::len);
            told.messages.push(message);
            told.cards.push((id, mark));
        }
        told.messages.push(location);
    }
    told
}

/// A friend's position. `None` without one, and at 0, 0, which iPhones refuse.
fn location(overview: &DeviceOverview, tid: &str) -> Option<Value> {
    let fix = &overview.last_fix.as_ref()?.fix;
    let (lat, lon) = (fix.place.lat_deg(), fix.place.lon_deg());
    if fix.at.as_second() <= 0 || (lat == 0.0 && lon == 0.0) {
        return None;
    }
    let mut message = Map::new();
    message.insert("_type".to_owned(), json!("location"));
    message.insert("tid".to_owned(), json!(tid));
    message.insert("lat".to_owned(), json!(lat));
    message.insert("lon".to_owned(), json!(lon));
    message.insert("tst".to_owned(), json!(fix.at.as_second()));
    let measures = [("acc", fix.accuracy_m), ("alt", fix.altitude_m), ("vel", fix.speed_kmh), ("cog", fix.course_deg)];
    for (key, measure) in measures {
        // Whole numbers, as the apps themselves write them.
        if let Some(measure) = measure.filter(|m| m.abs() < 1e9) {
            #[expect(clippy::cast_possible_truncation, reason = "it was just found to be small")]
            message.insert(key.to_owned(), json!(measure.round() as i64));
        }
    }
    if let Some(battery) = overview.readings.get("batteryLevel").and_then(Value::as_i64) {
        message.insert("batt".to_owned(), json!(battery));
    }
    Some(Value::Object(message))
}

fn name(overview: &DeviceOverview, card: Option<&StoredCard>) -> String {
    let own = card.and_then(|stored| stored.card.name.as_deref()).filter(|name| !name.trim().is_empty());
    let device = &overview.device;
    let last = device.identity.as_str().rsplit('/').next().unwrap_or_default();
    device.name.as_deref().or(own).unwrap_or(last).to_owned()
}

/// What it calls itself on maps, else letters of its name.
fn wanted_tid(overview: &DeviceOverview) -> String {
    let told = overview.readings.get("tid").and_then(Value::as_str);
    let words = told.filter(|tid| !tid.trim().is_empty() && *tid != "na").unwrap_or(overview.device.label());
    let short: String = words.chars().filter(|c| c.is_alphanumeric()).take(2).collect();
    if short.is_empty() { "??".to_owned() } else { short }
}

/// A tid that nobody else in the answer has: phones tell friends apart by it. The same friends get the same ones each time.
fn distinct(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let first: String = wanted.chars().take(1).collect();
    let numbered = (1..=MOST_FRIENDS).map(|n| format!("{first}{n}"));
    let mut candidates = std::iter::once(wanted.to_owned()).chain(numbered);
    let free = candidates.find(|tid| !taken.contains(tid)).unwrap_or_else(|| wanted.to_owned());
    taken.insert(free.clone());
    free
}

fn fingerprint(message: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.to_string().hash(&mut hasher);
    hasher.finish()
}

/// Commands as messages, and those that this app must not be sent with the reason.
pub(super) fn commands(taken: &[Command], app: App) -> (Vec<Value>, Vec<(CommandId, String)>) {
    let (mut messages, mut unfit) = (Vec::new(), Vec::new());
    for command in taken {
        match PhoneCommand::parse(&command.text) {
            Ok(known) if app == App::Android && !known.android_knows() => {
                unfit.push((command.id, format!("Android does not know {}", known.action())));
            }
            Ok(known) => messages.push(known.message()),
            Err(why) => unfit.push((command.id, why)),
        }
    }
    (messages, unfit)
}

/// What a message says about a command that was sent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effect {
    pub(super) command: CommandId,
    pub(super) progress: Seen,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// `guessed`: the phone confirms no such command; that it went on is all that is known.
    Done { text: String, guessed: bool },
    /// It has taken no effect.
    Refused { why: String },
}

/// The effects of `sent` commands that a packet shows.
pub(super) fn effects(sent: &[Command], packet: &NewPacket) -> Vec<Effect> {
    let mut effects = Vec::new();
    for command in sent.iter().filter(|c| c.state == CommandState::Sent) {
        let Ok(known) = PhoneCommand::parse(&command.text) else { continue };
        let seen = packet.reports.iter().find_map(|report| effect(&known, command, report));
        if let Some(progress) = seen {
            effects.push(Effect { command: command.id, progress });
        }
    }
    effects
}

fn effect(command: &PhoneCommand, sent: &Command, report: &Report) -> Option<Seen> {
    let event = |kind: &str| report.events.iter().find(|event| event.kind == kind);
    let answered = |text: String| Some(Seen::Done { text, guessed: false });
    match command {
        PhoneCommand::ReportLocation => {
            let fix = report.fix.as_ref()?;
            let asked = report.readings.get("t").and_then(Value::as_str) == Some("r");
            let (lat, lon) = (fix.place.lat_deg(), fix.place.lon_deg());
            asked.then(|| Seen::Done { text: format!("position of {}: {lat}, {lon}", fix.at), guessed: false })
        }
        PhoneCommand::Status => event("status").and_then(|e| answered(e.attributes.to_json().to_string())),
        PhoneCommand::Dump => event("dump").and_then(|_| answered("its settings came".to_owned())),
        PhoneCommand::ReportSteps { .. } => {
            let steps = event("steps")?.attributes.get("steps").cloned().unwrap_or_default();
            answered(format!("{steps} steps"))
        }
        PhoneCommand::Waypoints => {
            let count = event("waypoints")?.attributes.get("count").cloned().unwrap_or_default();
            answered(format!("{count} places came"))
        }
        PhoneCommand::SetConfiguration(settings) => {
            let wanted = settings.get("monitoring").and_then(Value::as_i64);
            let mode = report.readings.get("m").and_then(Value::as_i64);
            match (wanted, mode, report.fix.as_ref(), sent.sent) {
                // What was measured before says nothing about it.
                (Some(wanted), Some(mode), Some(fix), Some(at)) if fix.at > at => {
                    if wanted == mode {
                        return answered(format!("monitoring is {mode} now"));
                    }
                    let why = format!("monitoring is still {mode}; does the phone allow remote configuration?");
                    Some(Seen::Refused { why })
                }
                (Some(_), Some(_), _, _) => None,
                (None, _, _, _) | (_, None, _, _) => went_on(report),
            }
        }
        PhoneCommand::SetWaypoints(_) | PhoneCommand::ClearWaypoints => went_on(report),
    }
}

/// The next message of the phone: it took the answer with the command.
fn went_on(report: &Report) -> Option<Seen> {
    let spoke = report.fix.is_some() || !report.events.is_empty();
    spoke.then(|| Seen::Done { text: "the phone took it; it confirms no such command".to_owned(), guessed: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        geo::LatLon,
        model::{
            Card, Device, DeviceState, Event, Fix, Identity, PacketId, Profile, Protocol, Readings, StoredFix, Trust,
        },
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn fix(second: i64) -> Fix {
        Fix {
            at: at(second),
            place: LatLon::new(48.85833, 2.29513).expect("on the globe"),
            valid: true,
            altitude_m: Some(35.4),
            speed_kmh: Some(0.0),
            course_deg: None,
            satellites: None,
            accuracy_m: Some(12.6),
        }
    }

    fn phone(id: i64, name: &str, tid: &str) -> DeviceOverview {
        let mut readings = Readings::new();
        readings.set("tid", tid);
        let fix = fix(1_700_000_000 + id);
        let stored = StoredFix {
            id,
            device: DeviceId(id),
            received: fix.at,
            trust: Trust::Good,
            readings: Readings::new(),
            packet: PacketId(id),
            fix,
        };
        DeviceOverview {
            device: Device {
                id: DeviceId(id),
                identity: Identity::new(format!("owntracks/{name}/phone")).expect("a name"),
                protocol: Protocol::OwnTracks,
                name: Some(name.to_owned()),
                state: DeviceState::Adopted,
                profile: Profile::default(),
                first_seen: at(0),
                last_heard: None,
            },
            last_fix: Some(stored),
            readings,
            packets: 1,
            positions: 1,
            lost_frames: 0,
        }
    }

    #[test]
    fn friends_have_distinct_tids_and_what_android_insists_on() {
        let seen: Vec<_> = [("ann", "aa"), ("abe", "aa"), ("una", "na"), ("eve", "")]
            .iter()
            .zip(1..)
            .map(|((name, tid), id)| (phone(id, name, tid), None))
            .collect();
        let told = friends(DeviceId(9), &seen, &SentCards::default(), at(1_700_000_100));
        let mut tids = BTreeSet::new();
        for message in &told.messages {
            assert!(message.as_object().expect("an object").values().all(|v| !v.is_null()), "{message}");
            match message["_type"].as_str() {
                Some("location") => {
                    assert!(message["tst"].as_i64().is_some_and(|t| t > 0) && message["lat"].is_number(), "{message}");
                    assert!(tids.insert(message["tid"].as_str().expect("a tid").to_owned()), "{message}");
                }
                Some("card") => assert!(message["tid"].is_string()),
                other => panic!("{other:?} voids the answer on Android"),
            }
        }
        assert_eq!(tids.len(), 4, "{tids:?}");
        assert_eq!(told.messages[1]["acc"], 13, "{}", told.messages[1]);
    }

    #[test]
    fn a_card_is_sent_again_only_when_it_changed_or_after_a_while() {
        let sent = SentCards::default();
        let card = |name: &str| {
            let card = Card { name: Some(name.to_owned()), face: Some("aGk=".to_owned()) };
            Some(StoredCard { card, packet: PacketId(1) })
        };
        let mut nameless = phone(1, "ann", "aa");
        nameless.device.name = None;
        let count = |name: &str, now: i64| {
            let told = friends(DeviceId(9), &[(nameless.clone(), card(name))], &sent, at(now));
            sent.remember(DeviceId(9), &told.cards, at(now));
            told.cards.len()
        };
        assert_eq!(
            [count("Ann", 1000), count("Ann", 1001), count("Anna", 1002), count("Anna", 1002 + 13 * 3600)],
            [1, 0, 1, 1]
        );
    }

    #[test]
    fn who_has_no_position_is_not_told_about() {
        let mut lost = phone(1, "ann", "aa");
        lost.last_fix = None;
        assert!(friends(DeviceId(9), &[(lost, None)], &SentCards::default(), at(1)).messages.is_empty());
    }

    fn sent(text: &str) -> Command {
        Command {
            id: CommandId(1),
            device: DeviceId(1),
            text: text.to_owned(),
            state: CommandState::Sent,
            created: at(1000),
            expires: at(9000),
            sent: Some(at(2000)),
            answered: None,
            answer: None,
            guessed: false,
            waits: None,
            sent_packet: None,
            answer_packet: None,
        }
    }

    #[test]
    fn android_is_not_sent_what_it_does_not_know() {
        let waiting = [sent("dump"), sent("status")];
        let (messages, unfit) = commands(&waiting, App::Android);
        assert_eq!((messages.len(), unfit.len()), (1, 1));
        assert_eq!(commands(&waiting, App::IPhone).0.len(), 2);
    }

    #[test]
    fn an_effect_is_seen_in_the_message_that_shows_it() {
        let report = |t: &str, mode: i64, second: i64| {
            let mut report = Report { fix: Some(fix(second)), ..Report::default() };
            report.readings.set("t", t);
            report.readings.set("m", mode);
            report
        };
        let status = Report {
            events: vec![Event { at: at(1), kind: "status".into(), attributes: Readings::new() }],
            ..Report::default()
        };
        let outcome = |text: &str, report: &Report| {
            let command = sent(text);
            let known = PhoneCommand::parse(text).expect("a command");
            effect(&known, &command, report).map(|seen| match seen {
                Seen::Done { guessed: false, .. } => "done",
                Seen::Done { guessed: true, .. } => "guessed",
                Seen::Refused { .. } => "refused",
            })
        };
        let yes = Some("done");
        assert_eq!(outcome("reportLocation", &report("p", 1, 3000)), None);
        assert_eq!(outcome("reportLocation", &report("r", 1, 3000)), yes);
        assert_eq!(outcome("status", &report("r", 1, 3000)), None);
        assert_eq!(outcome("status", &status), yes);
        let faster = r#"setConfiguration {"monitoring":2}"#;
        assert_eq!(outcome(faster, &report("p", 1, 1500)), None, "measured before it was sent");
        assert_eq!(outcome(faster, &report("p", 1, 3000)), Some("refused"));
        assert_eq!(outcome(faster, &report("p", 2, 3000)), yes);
        assert_eq!(outcome("clearWaypoints", &status), Some("guessed"));
    }
}

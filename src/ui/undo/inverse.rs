//! The opposite of an action, by what is so before it is carried out.

use std::collections::HashSet;

use super::{Step, Told};
use crate::{
    backend::{ListenAt, ReceiverLine, Tap},
    model::{DeviceId, DeviceState, HideReason, Identity, Look, Policy, Profile, Protocol},
    track::Aside,
    ui::{Action, Data, View, format, view::Settings},
};

/// How this action is taken back; `None` where it changes nothing, or nothing that there is an opposite of.
pub fn of(action: &Action, data: &Data, view: &View) -> Option<Step> {
    match action {
        Action::Adopt(device) => decide(data, *device, DeviceState::Adopted, action),
        Action::Ignore(device) => decide(data, *device, DeviceState::Ignored, action),
        Action::Rename(device, name) => rename(data, *device, name, action),
        Action::SetProfile(device, profile) => set_profile(data, *device, profile, action),
        Action::SetLook(device, look) => set_look(data, *device, look, action),
        Action::ApplyClock(device, offset_s) => {
            let before = &data.devices.get(device)?.device.profile;
            let profile = Profile { clock_offset_s: Some(*offset_s), ..before.clone() };
            set_profile(data, *device, &profile, action)
        }
        Action::Alias(device, name, attached) => alias(data, *device, name, *attached, action),
        Action::Part(device, name) => {
            let undoing = format!("{name} is {} again", data.label(*device));
            let undo = Action::Alias(*device, name.clone(), true);
            Some(step(format!("Parted {name}"), undoing, undo, action).about(*device))
        }
        Action::SameAs { from, to } => {
            let other = data.devices.get(from)?;
            let (name, label) = (other.device.identity.clone(), data.label(*to));
            let did = format!("{} is {label} from now on", data.label(*from));
            let undoing = format!("{name} is a device of its own again");
            Some(step(did, undoing, Action::Part(*to, name), action).about(*to).once())
        }
        Action::SetFriend { viewer, seen, told } => {
            let (who, whom) = (data.label(*viewer), data.label(*seen));
            let sees = |told| if told { "is told where" } else { "is not told where" };
            let undo = Action::SetFriend { viewer: *viewer, seen: *seen, told: !told };
            let did = format!("{who} {} {whom} is", sees(*told));
            Some(step(did, format!("{who} {} {whom} is", sees(!told)), undo, action).silent(None).about(*viewer))
        }
        Action::RemoveUserCommand(id) => {
            let mine = data.remote.mine.iter().find(|mine| mine.id == *id)?;
            let undo = Action::AddUserCommand { title: mine.title.clone(), text: mine.text.clone() };
            let did = format!("Removed your command {}", mine.title);
            Some(step(did, format!("{} is in the library again", mine.title), undo, action).once())
        }
        Action::SetPolicy(policy) => {
            let before = data.station.policy;
            let (did, undoing) = (policy_sentence(*policy), policy_sentence(before));
            (before != *policy).then(|| step(did, undoing, Action::SetPolicy(before), action))
        }
        Action::SetKeep(keep) => {
            let before = data.station.keep;
            let undoing = "Kept as before; what was removed meanwhile stays removed".to_owned();
            let did = "Changed what is kept".to_owned();
            (before != *keep).then(|| step(did, undoing, Action::SetKeep(before), action).silent(Some("keep")))
        }
        Action::Listen(protocol, at) => {
            let line = data.station.receivers.iter().find(|line| line.protocol == *protocol)?;
            listen(line, *at, |at| Action::Listen(*protocol, at), action)
        }
        Action::SetTap(tap) => set_tap(data, tap, action),
        Action::RemoveTap(name) => {
            let before = tap_of(data, name)?;
            let (did, undoing) = (format!("Removed the tap {name}"), format!("The tap {name} is there again"));
            Some(step(did, undoing, Action::SetTap(before.clone()), action))
        }
        Action::ListenHttps(at) => listen(data.phones.https.as_ref()?, *at, Action::ListenHttps, action),
        Action::Hide { device, fixes, reason } => hide(data, *device, fixes, *reason, action),
        Action::SetNote(packet, note) => {
            let before = data.notes.of(*packet).cloned().unwrap_or_default();
            if before == *note {
                return None;
            }
            let did = match (before.marked, note.marked) {
                (false, true) if before.comment == note.comment => "Marked the packet",
                (true, false) if before.comment == note.comment => "Took the mark away",
                _ if note.comment.is_empty() => "Took the comment away",
                _ => "Wrote about the packet",
            };
            let undo = Action::SetNote(*packet, before);
            Some(step(did.to_owned(), "The packet's note is as before".to_owned(), undo, action))
        }
        Action::SetSettings(settings) => set_settings(&view.settings, settings, action),
        Action::Watch(action) => action.inverse(data),
        _ => None,
    }
}

/// Hidden positions come back with the reason that they were hidden for.
fn hide(data: &Data, device: DeviceId, fixes: &[i64], reason: Option<HideReason>, action: &Action) -> Option<Step> {
    let name = data.label(device);
    let points = format::counted(fixes.len() as u64, "point", "points");
    let hide = |fixes, reason| Action::Hide { device, fixes, reason };
    if reason.is_some() {
        let (did, undoing) = (format!("Hid {points} of {name}"), format!("{points} of {name} can be seen again"));
        return Some(step(did, undoing, hide(fixes.to_vec(), None), action).about(device));
    }
    let past = data.history.past(device)?;
    let wanted: HashSet<i64> = fixes.iter().copied().collect();
    let undo: Vec<Action> = HideReason::ALL
        .into_iter()
        .filter_map(|reason| {
            let ours = past.points.iter().filter(|point| point.aside == Some(Aside::Hidden(reason)));
            let ours: Vec<i64> = ours.map(|point| point.fix).filter(|fix| wanted.contains(fix)).collect();
            (!ours.is_empty()).then(|| hide(ours, Some(reason)))
        })
        .collect();
    let first = undo.first()?.clone();
    let (did, undoing) = (format!("{points} of {name} can be seen again"), format!("{points} of {name} hidden again"));
    Some(Step { undo, ..step(did, undoing, first, action).about(device) })
}

fn step(did: String, undoing: String, undo: Action, redo: &Action) -> Step {
    Step { did, undoing, undo: vec![undo], redo: vec![redo.clone()], about: None, told: Told::AtOnce }
}

impl Step {
    fn about(self, device: DeviceId) -> Self {
        Self { about: Some(device), ..self }
    }

    /// What comes back has another number, so the same cannot be done to it again.
    fn once(self) -> Self {
        Self { redo: Vec::new(), ..self }
    }

    fn silent(self, key: Option<&'static str>) -> Self {
        Self { told: Told::Silently(key), ..self }
    }
}

fn decide(data: &Data, device: DeviceId, state: DeviceState, action: &Action) -> Option<Step> {
    let before = data.devices.get(&device)?.device.state;
    if before == state {
        return None;
    }
    let name = data.label(device);
    let (undo, undoing) = match before {
        DeviceState::Adopted => (Action::Adopt(device), format!("{name} is a device again")),
        DeviceState::New => (Action::Reconsider(device), format!("{name} is among the new senders again")),
        DeviceState::Ignored => (Action::Ignore(device), format!("{name} is ignored again")),
    };
    let (did, told) = match state {
        DeviceState::Adopted => (format!("Adopted {name}"), Told::WhenAnswered),
        DeviceState::New | DeviceState::Ignored => (format!("Ignored {name}"), Told::AtOnce),
    };
    Some(Step { told, ..step(did, undoing, undo, action).about(device) })
}

fn rename(data: &Data, device: DeviceId, name: &str, action: &Action) -> Option<Step> {
    let before = data.devices.get(&device)?;
    let (old, new) = (before.device.name.as_deref().unwrap_or_default(), name.trim());
    if old == new {
        return None;
    }
    let shown = data.label(device);
    let did = if new.is_empty() { format!("Took the name of {shown} away") } else { format!("{shown} is {new} now") };
    let undo = Action::Rename(device, old.to_owned());
    Some(step(did, format!("It is called {shown} again"), undo, action).about(device))
}

fn set_profile(data: &Data, device: DeviceId, profile: &Profile, action: &Action) -> Option<Step> {
    let before = &data.devices.get(&device)?.device.profile;
    let name = data.label(device);
    let reread = if before.reads_like(profile) { "" } else { ", its packets are read again" };
    let undoing = format!("The profile of {name} is as before{reread}");
    let undo = Action::SetProfile(device, before.clone());
    (before != profile).then(|| step(format!("Changed the profile of {name}"), undoing, undo, action).about(device))
}

/// The editor shows it at once, so nothing is said.
fn set_look(data: &Data, device: DeviceId, look: &Look, action: &Action) -> Option<Step> {
    let before = &data.devices.get(&device)?.device.profile.look;
    let name = data.label(device);
    let (what, key) = match before {
        _ if before == look => return None,
        // Another colour comes in many small steps.
        _ if before.color != look.color => ("colour", Some("colour")),
        _ if before.icon != look.icon => ("icon", None),
        _ if before.notes != look.notes => ("notes", None),
        _ => ("groups", None),
    };
    let are = if key.is_none() && what != "icon" { "are" } else { "is" };
    let undoing = format!("The {what} of {name} {are} as before");
    let undo = Action::SetLook(device, before.clone());
    Some(step(format!("Changed the {what} of {name}"), undoing, undo, action).silent(key).about(device))
}

fn alias(data: &Data, device: DeviceId, name: &Identity, attached: bool, action: &Action) -> Option<Step> {
    let this = data.devices.get(&device)?;
    let label = data.label(device);
    if !attached {
        let undo = Action::Alias(device, name.clone(), true);
        let did = format!("{name} is not {label} any more");
        return Some(step(did, format!("{name} is {label} again"), undo, action).about(device));
    }
    // Whoever came under this name is a device by now, whose history comes over.
    let of_name = |d: &&crate::model::DeviceOverview| d.device.protocol == this.device.protocol;
    let known = data.devices.values().filter(of_name).any(|d| d.device.identity == *name);
    let undo = if known { Action::Part(device, name.clone()) } else { Action::Alias(device, name.clone(), false) };
    Some(step(format!("{name} is {label}, too"), format!("{name} is not {label} any more"), undo, action).about(device))
}

fn policy_sentence(policy: Policy) -> String {
    match policy {
        Policy::Ask => "New senders wait until you decide".to_owned(),
        Policy::Adopt => "New senders become devices at once".to_owned(),
        Policy::Strict => "New senders are refused".to_owned(),
    }
}

fn listen(line: &ReceiverLine, at: ListenAt, ask: impl Fn(ListenAt) -> Action, action: &Action) -> Option<Step> {
    let sentence = |protocol: Protocol, at: ListenAt| match at {
        ListenAt::Off => format!("{} does not listen", protocol.title()),
        ListenAt::Address(address) => format!("{} listens at {address}", protocol.title()),
    };
    let (did, undoing) = (sentence(line.protocol, at), format!("{} again", sentence(line.protocol, line.wanted)));
    (line.wanted != at).then(|| step(did, undoing, ask(line.wanted), action))
}

fn tap_of<'a>(data: &'a Data, name: &str) -> Option<&'a Tap> {
    data.station.taps.iter().map(|line| &line.tap).find(|tap| tap.name == name)
}

fn set_tap(data: &Data, tap: &Tap, action: &Action) -> Option<Step> {
    let name = &tap.name;
    if let Some(before) = tap_of(data, name) {
        let undoing = format!("The tap {name} is as before");
        let undo = Action::SetTap(before.clone());
        return (before != tap).then(|| step(format!("Changed the tap {name}"), undoing, undo, action));
    }
    let undo = Action::RemoveTap(name.clone());
    Some(step(format!("Added the tap {name}"), format!("The tap {name} is gone again"), undo, action))
}

fn set_settings(before: &Settings, settings: &Settings, action: &Action) -> Option<Step> {
    if before == settings {
        return None;
    }
    let map = before.online_map != settings.online_map;
    let did = if map { "Changed the online map" } else { "Changed the settings" };
    // Letters and steps of a slider are no steps of their own.
    let key = match (map, before.ui_scale.total_cmp(&settings.ui_scale).is_ne()) {
        (true, _) => Some("map"),
        (_, true) => Some("scale"),
        _ => None,
    };
    let undo = Action::SetSettings(before.clone());
    Some(step(did.to_owned(), "The settings are as before".to_owned(), undo, action).silent(key))
}

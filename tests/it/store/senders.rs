//! Who becomes a device, and what is decided about it.

use wayglass::{
    model::{DeviceId, DeviceState, Fact, NewPacket, NewReply, Policy, Profile, Protocol, Report, Sender, Verdict},
    store::{Error, query},
};

use super::{Shelf, after, alarm, committed, fix, from, name, packet};

#[test]
fn the_policy_says_what_becomes_of_an_unknown_sender() {
    for (policy, state) in [(Policy::Ask, DeviceState::New), (Policy::Adopt, DeviceState::Adopted)] {
        let shelf = Shelf::new(policy);
        let device = shelf.admit("A").unwrap();
        assert_eq!(device.state, state);
        assert_eq!(shelf.admit("A").unwrap().id, device.id, "found again");
        let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
        assert_eq!((stored.device, stored.refused, stored.new_fixes), (Some(device.id), false, 1));
    }
}

#[test]
fn strict_keeps_the_bytes_and_nothing_else() {
    let shelf = Shelf::new(Policy::Strict);
    assert_eq!(shelf.admit("A"), None);
    let stored = shelf.append(NewPacket {
        replies: vec![NewReply { kind: "ack".into(), bytes: vec![1] }],
        ..packet(from("A"), after(0), vec![fix(after(0))])
    });
    assert_eq!((stored.device, stored.refused, stored.new_fixes), (None, true, 0));
    let rows = shelf.read(|db| query::packets(db, None, None, 9));
    assert_eq!((rows.len(), rows[0].verdict), (1, Verdict::Error));
    assert_eq!(shelf.count("SELECT count(*) FROM positions") + shelf.count("SELECT count(*) FROM devices"), 0);

    // Added by hand it is known, and so is one that was adopted before.
    let added = shelf.store().writer().add_device(Protocol::Gt06, name("A"), Some(" Van 7 ".into())).wait().unwrap();
    assert_eq!(added.name.as_deref(), Some("Van 7"));
    assert_eq!(shelf.admit("A").map(|device| device.id), Some(added.id));
}

#[test]
fn the_policy_can_change_while_running() {
    let shelf = Shelf::new(Policy::Ask);
    let device = shelf.admit("A").unwrap();
    shelf.store().set_policy(Policy::Strict);
    assert_eq!(shelf.admit("A"), None, "nobody decided about it");
    shelf.store().writer().ignore(device.id).wait().unwrap();
    assert_eq!(shelf.admit("A").unwrap().state, DeviceState::Ignored, "an ignored one is answered");
    shelf.store().set_policy(Policy::Ask);
    shelf.admit("B").unwrap();
    shelf.store().set_policy(Policy::Adopt);
    assert_eq!(shelf.admit("B").unwrap().state, DeviceState::Adopted);
}

#[test]
fn a_report_may_be_about_another_device() {
    let shelf = Shelf::new(Policy::Adopt);
    let about = |who, at| Report { sender: from(who), ..fix(after(at)) };
    let stored = shelf.append(packet(None, after(9), vec![about("A", 1), about("B", 2), about("A", 3)]));
    assert_eq!((stored.device, stored.new_fixes), (None, 3));
    let one = shelf.append(packet(None, after(9), vec![about("B", 4), about("B", 5)]));
    assert_eq!(one.device, Some(shelf.device("B").id), "all about one device");
    let positions: Vec<_> = shelf.read(query::device_overviews).iter().map(|device| device.positions).collect();
    assert_eq!(positions, [2, 3]);
}

#[test]
fn one_name_under_two_protocols_is_two_devices() {
    let shelf = Shelf::new(Policy::Adopt);
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.append(NewPacket { protocol: Protocol::OwnTracks, ..packet(from("A"), after(0), vec![fix(after(0))]) });
    assert_eq!(shelf.read(query::devices).len(), 2);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 2);
}

#[test]
fn adopting_turns_all_that_was_kept_into_history() {
    let shelf = Shelf::new(Policy::Ask);
    for at in 0..3 {
        shelf.append(packet(from("A"), after(at), vec![fix(after(at))]));
    }
    let mut facts = shelf.facts();
    let device = shelf.device("A");
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 3);
    let writer = shelf.store().writer();
    assert_eq!(writer.try_adopt(device.id, Some("Van".into())).wait().unwrap(), 3);
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 0);
    let said = committed(&mut facts).devices.remove(0);
    assert_eq!((said.state, said.label()), (DeviceState::Adopted, "Van"));
    assert_eq!(shelf.device("van").id, device.id, "found by its name");

    writer.rename(device.id, None).wait().unwrap();
    let profile = Profile { clock_offset_s: Some(3600), ..Profile::default() };
    writer.set_profile(device.id, profile.clone()).wait().unwrap();
    let now = shelf.device("A");
    assert_eq!((now.name, now.profile), (None, profile));
    assert!(matches!(writer.try_adopt(DeviceId(99), None).wait(), Err(Error::NoSuchDevice(_))));
}

#[test]
fn a_decision_can_be_taken_back() {
    let shelf = Shelf::new(Policy::Ask);
    shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    let device = shelf.device("A");
    let writer = shelf.store().writer();
    writer.try_adopt(device.id, None).wait().unwrap();
    writer.reconsider(device.id).wait().unwrap();
    assert_eq!(shelf.device("A").state, DeviceState::New);
    shelf.append(packet(from("A"), after(1), vec![fix(after(1))]));
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 1, "what comes now is held again");
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 2);
    writer.ignore(device.id).wait().unwrap();
    writer.reconsider(device.id).wait().unwrap();
    assert_eq!(writer.try_adopt(device.id, None).wait().unwrap(), 2);
    assert!(matches!(writer.reconsider(DeviceId(99)).wait(), Err(Error::NoSuchDevice(_))));
}

#[test]
fn ignoring_keeps_the_history_out_of_the_quarantine() {
    let shelf = Shelf::new(Policy::Adopt);
    let stored = shelf.append(packet(from("A"), after(0), vec![fix(after(0))]));
    shelf.store().writer().ignore(stored.device.unwrap()).wait().unwrap();
    shelf.append(packet(from("A"), after(1), vec![fix(after(1))]));
    assert_eq!(shelf.count("SELECT count(*) FROM packets WHERE held IS NOT NULL"), 1);
    assert_eq!(shelf.count("SELECT count(*) FROM positions"), 2);
}

#[test]
fn forgetting_leaves_nothing_and_gives_no_id_twice() {
    let shelf = Shelf::new(Policy::Adopt);
    let kept = shelf.append(packet(from("B"), after(0), vec![fix(after(0))]));
    let report = Report { events: vec![alarm()], ..fix(after(0)) };
    let gone = shelf.append(packet(from("A"), after(0), vec![report.clone()]));
    let gone_device = gone.device.unwrap();
    let mut facts = shelf.facts();
    shelf.store().writer().forget(gone_device).wait().unwrap();
    assert!(matches!(facts.wait(), Some(Fact::Missed)));
    for sql in ["packets", "positions", "devices"] {
        let sql: &str = Box::leak(format!("SELECT count(*) FROM {sql}").into_boxed_str());
        assert_eq!(shelf.count(sql), 1, "{sql}");
    }
    assert_eq!(shelf.count("SELECT count(*) FROM events"), 0);
    assert_eq!(shelf.read(query::device_overviews).len(), 1);

    // A connection that still goes by the old id is refused, not mistaken for whoever comes next.
    let late = shelf.append(packet(Some(Sender::Device(gone_device)), after(1), vec![fix(after(1))]));
    assert!(late.refused && late.packet > gone.packet && kept.packet < gone.packet);
    assert_ne!(shelf.admit("A").unwrap().id, gone_device);
}

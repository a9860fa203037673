//! Commands as the store keeps them: which are taken, how far each comes, and the user's own.

use wayglass::{
    model::{CommandId, CommandState, DeviceId, NewCommand, PacketId, Policy},
    store::{Progress, query},
};

use super::{Shelf, after, committed};

/// A command of noon that expires so many seconds later.
pub fn command(device: DeviceId, text: &str, expires_s: i64) -> NewCommand {
    NewCommand { device, text: text.to_owned(), created: after(0), expires: after(expires_s), forced: false }
}

#[test]
fn a_command_comes_as_far_as_it_is_told() {
    let shelf = Shelf::new(Policy::Adopt);
    let device = shelf.admit("A").unwrap().id;
    let writer = shelf.store().writer();
    let queued = writer.queue_command(command(device, "WHERE#", 60)).wait().unwrap();
    assert_eq!((queued.state, queued.id), (CommandState::Queued, CommandId(1)));
    assert_eq!(shelf.store().next_command(), CommandId(2));
    let waiting = |at| shelf.read(move |db| query::queued_commands(db, device, after(at))).len();
    assert_eq!((waiting(60), waiting(61)), (1, 0), "it expires");
    let mut facts = shelf.facts();
    let note = |progress| writer.note_command(queued.id, progress).wait().unwrap();
    let answer = |by| Progress::Answered { by, at: after(2), text: "OK".into(), guessed: true, packet: None };
    assert_eq!(note(answer(device)), None, "it was not sent yet");
    assert_eq!(note(Progress::Sent { at: after(61) }), None, "too late");
    assert!(note(Progress::Sent { at: after(1) }).is_some());
    assert_eq!(committed(&mut facts).commands[0].state, CommandState::Sent);
    assert_eq!(note(Progress::Sent { at: after(1) }), None, "once only");
    writer.cancel_command(queued.id).wait().unwrap_err();
    assert_eq!(note(Progress::Returned).unwrap().state, CommandState::Queued);
    assert!(note(Progress::Sent { at: after(1) }).is_some());
    assert_eq!(note(Progress::Written { packet: PacketId(5) }).unwrap().sent_packet, Some(PacketId(5)));
    assert_eq!(note(Progress::Returned), None, "it is out");
    assert_eq!(note(answer(DeviceId(99))), None, "another one's answer");
    let done = note(answer(device)).unwrap();
    assert_eq!((done.sent, done.delay_ms(), done.answer.as_deref()), (Some(after(1)), Some(1000), Some("OK")));
    assert!(done.guessed && note(answer(device)).is_none());
    assert_eq!(shelf.read(move |db| query::commands(db, Some(device), 9)), [done]);
}

#[test]
fn commands_are_refused_that_cannot_be_sent_and_others_taken_back() {
    let shelf = Shelf::new(Policy::Adopt);
    let tracker = shelf.admit("A").unwrap().id;
    let writer = shelf.store().writer();
    for (device, text, why) in
        [(DeviceId(99), "WHERE#", "no device"), (tracker, "", "empty"), (tracker, "gr\u{fc}n#", "ASCII")]
    {
        let refused = writer.queue_command(command(device, text, 60)).wait().unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    let queued = writer.queue_command(command(tracker, "WHERE#", 60)).wait().unwrap();
    writer.cancel_command(queued.id).wait().unwrap();
    let kept = shelf.read(move |db| query::command(db, queued.id)).unwrap();
    assert_eq!((kept.state, kept.answer.as_deref()), (CommandState::Failed, Some("cancelled before it was sent")));
    writer.cancel_command(queued.id).wait().unwrap_err();

    let late = writer.queue_command(command(tracker, "WHERE#", 60)).wait().unwrap();
    writer.expire_commands(after(61)).wait().unwrap();
    assert_eq!(shelf.read(move |db| query::command(db, late.id)).unwrap().state, CommandState::Expired);
}

#[test]
fn the_users_own_commands_are_kept_once_each() {
    let shelf = Shelf::new(Policy::Adopt);
    let writer = shelf.store().writer();
    let add = |title: &str, text: &str| writer.add_user_command(title.into(), text.into()).wait();
    let mine = add(" Beep ", "BEEP,1#").unwrap();
    assert_eq!((mine.title.as_str(), mine.text.as_str()), ("Beep", "BEEP,1#"));
    assert_eq!(add("Beep", "BEEP,1#").unwrap(), mine);
    add("", "BEEP#").unwrap_err();
    add("Beep", "\n").unwrap_err();
    let other = add("alarm off", "ALM,0#").unwrap();
    assert_eq!(shelf.read(query::user_commands), [other.clone(), mine.clone()]);
    writer.remove_user_command(mine.id).wait().unwrap();
    assert_eq!(shelf.read(query::user_commands), [other]);
}

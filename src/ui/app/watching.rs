//! Places, rules and events: carries out what was asked for, and calls the user.

use egui::Context;

use super::App;
use crate::ui::{
    Action,
    undo::{Step, Told},
    view::Sheet,
    watch::WatchAction,
};

impl App {
    /// Takes over what came, asks for what is out of date, and calls the user for what is new.
    pub(super) fn look_at_watch(&mut self, ctx: &Context) {
        let now = self.now();
        let Self { watch, data, view, toasts, backend: Some(backend), .. } = self else { return };
        let made = watch.take(data, toasts);
        let later = [watch.ask(backend, data, view), watch.call(backend, data, view, now)];
        later.into_iter().flatten().for_each(|later| ctx.request_repaint_after(later));
        for (id, name) in made {
            self.data.watch.read_again();
            let did = format!("{name} is a place now");
            self.undo.push(Step {
                did: did.clone(),
                undoing: format!("{name} is no place any more"),
                undo: vec![Action::Watch(WatchAction::Remove(id))],
                redo: Vec::new(),
                about: None,
                told: Told::WhenAnswered,
            });
            self.tell_undo();
            self.say_done(did, None);
        }
    }

    pub(super) fn apply_watch(&mut self, action: WatchAction) {
        match action {
            WatchAction::Put { id, since, spec } => {
                let made = id.is_none().then(|| spec.name.trim().to_owned());
                let pending = self.backend().put_place(id, since, spec);
                self.watch.change("save the place", made, pending);
            }
            WatchAction::Remove(id) => {
                self.panels.map.places.put_pen_down();
                let pending = self.backend().remove_place(id);
                self.watch.change("remove the place", None, pending);
            }
            WatchAction::Rules(device, rules) => {
                let pending = self.backend().set_rules(device, rules);
                self.watch.change("save the rules", None, pending);
            }
            WatchAction::Mute(device, mute) => {
                let pending = self.backend().set_mute(device, mute);
                self.watch.change("mute", None, pending);
            }
            WatchAction::Read { events, unread } => {
                let pending = self.backend().read_events(events, unread);
                self.watch.change("mark the events", None, pending);
            }
            WatchAction::List(open) => {
                self.view.events.open = open;
                self.view.open.dock = true;
                self.view.open.sheet = None;
            }
            WatchAction::Filter(filter) => self.view.events.filter = filter,
            WatchAction::Open { event, device, packet } => {
                if packet.0 > 0 {
                    self.select_packet(packet, None);
                } else {
                    self.close_packet();
                }
                self.view.selection.device = Some(device);
                self.view.events.selected = Some(event);
                self.apply_watch(WatchAction::Read { events: Some(vec![event]), unread: false });
            }
            WatchAction::Draw(draw) => {
                self.view.open.sheet = None;
                self.panels.map.places.draw(draw);
            }
            WatchAction::Reshape(id) => {
                if let Some(place) = self.data.watch.place(id) {
                    self.view.open.sheet = None;
                    self.panels.map.fit_shape(&place.spec.shape);
                    self.panels.map.places.reshape(place);
                    self.panels.places.close();
                }
            }
            WatchAction::Drawn(shape) => {
                self.panels.map.places.put_pen_down();
                self.panels.places.begin(shape, &self.data);
                self.view.open.sheet = Some(Sheet::Places);
            }
            WatchAction::PutPenDown => drop(self.panels.map.places.put_pen_down()),
            WatchAction::Fit(id) => {
                if let Some(place) = self.data.watch.place(id) {
                    self.view.open.sheet = None;
                    self.panels.map.fit_shape(&place.spec.shape);
                }
            }
            WatchAction::Edit(id) => {
                if let Some(place) = self.data.watch.place(id) {
                    self.panels.places.edit(place);
                    self.view.open.sheet = Some(Sheet::Places);
                }
            }
            WatchAction::AskWaypoints => {
                if let Some(backend) = &self.backend {
                    self.watch.ask_waypoints(backend);
                }
            }
        }
    }
}

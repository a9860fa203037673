//! What a packet is read as instead: the menu that chooses it, the chip that takes it back, and the fields that it changes.

use egui::{Button, CollapsingHeader, Id, Label, Popup, PopupCloseBehavior, RichText, Ui};

use super::push;
use crate::{
    model::{Direction, PacketRow, Profile, Protocol},
    ui::{
        Action, Cx, View,
        data::Opened,
        format,
        icons::Icon,
        read_as::{Otherwise, Scope},
        summary::{Summary, summary_of},
        theme, widgets,
    },
    wire::{
        gt06::{KNOWN_MODELS, State, variants::other_layouts},
        read_as::ReadAs,
    },
};

/// Changes that are listed.
const MOST_CHANGES: usize = 40;

/// Opens the menu of the opened packet.
pub fn button(ui: &mut Ui, cx: &mut Cx<'_>, row: &PacketRow) {
    let button = widgets::icon_button(ui, Icon::Layers, "Read as…");
    Popup::menu(&button).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| menu(ui, cx, row));
}

/// What a packet may be read as, and how far the choice reaches.
pub fn menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &PacketRow) {
    let scope = reach(ui, row);
    let now = cx.view.read_as.of(row).map(|(_, read_as)| read_as.clone());
    if ui.add_enabled(now.is_some(), Button::new("As usual").selected(now.is_none())).clicked() {
        if let Some((scope, _)) = cx.view.read_as.of(row) {
            push(ui, cx, Action::ReadAs(scope.clone(), None));
        }
        ui.close();
    }
    let mut chosen = None;
    let mut offer = |ui: &mut Ui, read_as: ReadAs| {
        if ui.add(Button::new(read_as.to_string()).selected(now.as_ref() == Some(&read_as))).clicked() {
            chosen = Some(read_as);
            ui.close();
        }
    };
    for read_as in ReadAs::PROTOCOLS {
        offer(ui, read_as);
    }
    let layouts = layouts(cx, row);
    if !layouts.is_empty() {
        ui.menu_button("Another layout", |ui| {
            for title in layouts {
                offer(ui, ReadAs::Layout(title.into()));
            }
        });
    }
    ui.menu_button("A model", |ui| {
        for model in KNOWN_MODELS {
            offer(ui, ReadAs::Model((*model).into()));
        }
    });
    if let Some(read_as) = chosen {
        if cx.view.selection.packet != Some(row.id) {
            push(ui, cx, Action::SelectPacket(row.id));
        }
        push(ui, cx, Action::ReadAs(scope, Some(read_as)));
    }
}

/// The line of a packet that is read as something else, which it says; `None`: it is read as usual.
pub fn summary(view: &View, row: &PacketRow, profile: &Profile) -> Option<Summary> {
    let (_, read_as) = view.read_as.of(row)?;
    let summary = summary_of(row, &read_as.dissect_kept(row, profile), view.settings.units, None);
    Some(Summary { title: format!("As {read_as}: {}", summary.title).into(), ..summary })
}

/// Everything that a packet may be read as; without one, what any may be.
pub fn choices(cx: &Cx<'_>, row: Option<&PacketRow>) -> Vec<ReadAs> {
    let layouts = row.map(|row| layouts(cx, row)).unwrap_or_default();
    let models = KNOWN_MODELS.iter().map(|model| ReadAs::Model((*model).into()));
    let layouts = layouts.into_iter().map(|title| ReadAs::Layout(title.into()));
    ReadAs::PROTOCOLS.into_iter().chain(layouts).chain(models).collect()
}

/// How far the choice is to reach; kept while the window is open.
fn reach(ui: &mut Ui, row: &PacketRow) -> Scope {
    let id = Id::unique("read as, how far");
    let mut at: usize = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    for (n, scope) in Scope::around(row).iter().enumerate() {
        ui.radio_value(&mut at, n, format!("For {}", scope.title()));
    }
    ui.separator();
    ui.data_mut(|data| data.insert_temp(id, at));
    Scope::around(row).into_iter().nth(at).unwrap_or(Scope::Packet(row.id))
}

/// Other layouts of the packet's type, as far as they are for its length.
fn layouts(cx: &Cx<'_>, row: &PacketRow) -> Vec<&'static str> {
    if row.protocol != Protocol::Gt06 || row.direction != Direction::In {
        return Vec::new();
    }
    let plain = Profile::default();
    let device = row.device.and_then(|id| cx.data.devices.get(&id));
    let profile = device.map_or(&plain, |overview| &overview.device.profile);
    let state = State::from_context(row.context.as_deref());
    other_layouts(&row.bytes, profile, &state, row.received)
}

/// What the packet is read as, where that is not the usual: a click takes it back.
pub fn chip(ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened) {
    let Some(Otherwise { read_as, scope, .. }) = &opened.otherwise else { return };
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.add_space(2.0);
        let text = RichText::new(format!("Read as {read_as}  ×")).color(p.late);
        let chip = ui.add(Button::new(text).truncate().corner_radius(9.0));
        let hint =
            format!("It holds for {}. Click to read as usual again; nothing that is stored changes", scope.title());
        if chip.on_hover_text(hint).clicked() {
            push(ui, cx, Action::ReadAs(scope.clone(), None));
        }
    });
}

/// The fields that are others than they are else.
pub fn changes(ui: &mut Ui, opened: &Opened) {
    let Some(Otherwise { changes, .. }) = &opened.otherwise else { return };
    let p = theme::palette(ui);
    if changes.is_empty() {
        ui.weak("It reads the same as usual");
        return;
    }
    let fields = format::counted(changes.len() as u64, "field", "fields");
    let differ = if changes.len() == 1 { "differs" } else { "differ" };
    let title = format!("{fields} {differ} from the usual reading");
    CollapsingHeader::new(title).id_salt("read otherwise").default_open(true).show(ui, |ui| {
        for change in changes.iter().take(MOST_CHANGES) {
            let empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
            let value = |text: &Option<String>| text.clone().unwrap_or_default();
            let (name, now, then) = (&change.name, value(&change.now), value(&change.then));
            let text = match (change.now.is_some(), change.then.is_some()) {
                (true, true) => format!("≠ {name}: {then}, else {now}"),
                (true, false) if empty(&change.now) => format!("− {name}"),
                (true, false) => format!("− {name}: {now}"),
                (false, _) if empty(&change.then) => format!("+ {name}"),
                (false, _) => format!("+ {name}: {then}"),
            };
            ui.add(Label::new(RichText::new(text).color(p.late)).wrap());
        }
        if changes.len() > MOST_CHANGES {
            ui.weak(format!("and {} more", changes.len() - MOST_CHANGES));
        }
    });
}

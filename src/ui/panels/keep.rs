//! What is kept for how long: its part of the settings, and what is said of a packet that went.

use egui::{ComboBox, Role, Ui, WidgetInfo};

use crate::{
    backend::{Error, Reason, Removal, Repaired},
    model::{Forever, Keep, age_text, bytes_text},
    ui::{Action, Cx, Data, View, format, icons::Icon, theme, view::Sheet, widgets},
};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Unused bytes that are worth a word.
const NOTABLE: u64 = 1_000_000;
const WIDTH: f32 = 110.0;

/// What to choose from: ages in seconds, sizes in bytes.
const PACKET_AGES: [u64; 6] = [DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY, 5 * 365 * DAY];
const PACKET_BYTES: [u64; 6] =
    [500_000_000, 2_000_000_000, 10_000_000_000, 50_000_000_000, 200_000_000_000, 1_000_000_000_000];
const HELD_AGES: [u64; 4] = [DAY, 7 * DAY, 30 * DAY, 90 * DAY];
const HELD_BYTES: [u64; 4] = [16_000_000, 64_000_000, 256_000_000, 1_000_000_000];
const SENDERS: [u64; 4] = [50, 200, 1_000, 10_000];

/// The rows of the settings sheet.
pub(super) fn rows(ui: &mut Ui, cx: &mut Cx<'_>) {
    let before = cx.data.station.keep;
    let mut keep = before;
    let usual = Keep::default();
    let bounds = format!("{} or {}", usual.packet_age, usual.packet_bytes);
    super::settings::usual_row(ui, "Packets", &bounds, |ui| {
        choose_or_forever(ui, "Age of packets kept", &mut keep.packet_age, &PACKET_AGES, age, seconds);
        ui.label("or");
        choose_or_forever(ui, "Size of packets kept", &mut keep.packet_bytes, &PACKET_BYTES, |n| n, |n| n);
        ui.label(widgets::weak(ui, "whichever is less"));
    });
    let (bytes, held) = (bytes_text(usual.quarantine_bytes), age_text(usual.quarantine_age));
    let bounds = format!("{}, {bytes}, {held}", usual.new_devices);
    super::settings::usual_row(ui, "New senders", &bounds, |ui| {
        let mut senders = keep.new_devices as u64;
        let many = |n| format!("{} senders", format::count(n));
        choose(ui, "New senders kept", &mut senders, &SENDERS, many);
        keep.new_devices = usize::try_from(senders).unwrap_or(keep.new_devices);
        choose(ui, "Size of new senders' packets", &mut keep.quarantine_bytes, &HELD_BYTES, bytes_text);
        let mut held = keep.quarantine_age.as_secs();
        choose(ui, "Age of new senders' packets", &mut held, &HELD_AGES, |s| age_text(age(s)));
        keep.quarantine_age = age(held);
    });
    if keep != before {
        cx.ask(Action::SetKeep(keep));
    }
    if !cx.data.station.viewer {
        super::settings::row(ui, "", |ui| {
            ui.label(widgets::weak(ui, now(cx)));
        });
        super::settings::row(ui, "Database", |ui| file(ui, cx));
    }
}

/// The size of the file, and what can be given back.
fn file(ui: &mut Ui, cx: &mut Cx<'_>) {
    let store = &cx.data.station.store;
    ui.label(bytes_text(store.file_bytes + store.log_bytes));
    if ui.button("Save a copy…").clicked() {
        cx.ask(Action::Sheet(Some(Sheet::SaveCopy)));
    }
    if store.compacting {
        ui.label(widgets::weak(ui, format!("giving back {} …", bytes_text(store.free_bytes))));
        ui.request_repaint_after(std::time::Duration::from_millis(500));
    } else if !store.shrinks {
        ui.label(widgets::weak(ui, "cannot shrink while it is in use: stop Wayglass, then run `wayglass compact`"));
    } else if store.free_bytes >= NOTABLE {
        ui.label(widgets::weak(ui, format!("{} of it unused", bytes_text(store.free_bytes))));
        let button = ui.button("Compact");
        if button.on_hover_text("Gives it back to the disk, in small steps; what arrives does not wait").clicked() {
            cx.ask(Action::Compact);
        }
    }
}

/// How full it is, and what went.
fn now(cx: &Cx<'_>) -> String {
    let store = &cx.data.station.store;
    let gone = match (store.removed_packets, store.last_removal) {
        (0, _) | (_, None) => "none removed so far".to_owned(),
        (n, Some(at)) => {
            let ago = format::age(format::age_s(cx.now, at));
            format!("{} removed so far, last {ago} ago", format::count(n))
        }
    };
    let kept = format!("Packets: {} kept now, {gone}", bytes_text(store.kept_bytes));
    if store.dropped_packets == 0 {
        return kept;
    }
    let senders = format::counted(store.dropped_devices, "sender", "senders");
    format!("{kept}; of new senders {} removed with {senders}", format::count(store.dropped_packets))
}

fn choose_or_forever<T: Copy>(
    ui: &mut Ui,
    name: &str,
    value: &mut Forever<T>,
    from: &[u64],
    of: fn(u64) -> T,
    number: fn(T) -> u64,
) where
    Forever<T>: std::fmt::Display,
{
    let combo = ComboBox::from_id_salt(name).width(WIDTH).selected_text(value.to_string()).show_ui(ui, |ui| {
        for choice in from.iter().map(|n| Forever::Until(of(*n))).chain([Forever::Forever]) {
            let is = value.bound().map(number) == choice.bound().map(number);
            if ui.selectable_label(is, choice.to_string()).clicked() {
                *value = choice;
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}

fn choose(ui: &mut Ui, name: &str, value: &mut u64, from: &[u64], text: fn(u64) -> String) {
    let combo = ComboBox::from_id_salt(name).width(WIDTH).selected_text(text(*value)).show_ui(ui, |ui| {
        for choice in from {
            ui.selectable_value(value, *choice, text(*choice));
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}

fn age(seconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(seconds)
}

fn seconds(age: std::time::Duration) -> u64 {
    age.as_secs()
}

/// Why a packet cannot be opened, in a sentence.
pub(in crate::ui) fn gone(removal: Option<Removal>, view: &View) -> String {
    let Some(Removal { at, reason }) = removal else { return "Its packet is no longer kept".to_owned() };
    let day = at.to_zoned(view.zone()).strftime("%Y-%m-%d");
    match reason {
        Reason::Age => format!("Its packet was removed on {day}: it had become too old"),
        Reason::Size => format!("Its packet was removed on {day}, to make room for newer ones"),
        Reason::Damage => format!("Its packet was lost when the database was damaged, by {day}"),
    }
}

/// True where [`banners`] has something to say.
pub(super) fn any_banner(data: &Data) -> bool {
    let store = &data.station.store;
    store.damaged.is_some() || store.repaired.is_some() && !data.repair_read
}

/// Damage that was noticed, and what was saved of a damaged file.
pub(super) fn banners(ui: &mut Ui, cx: &mut Cx<'_>) {
    let p = theme::palette(ui);
    let store = &cx.data.station.store;
    if let (Some(why), None) = (&store.damaged, &cx.data.station.store_trouble) {
        // Noticed by a question; the next packet is refused for it.
        super::trouble::banner(ui, cx, &Error::Damaged(why.clone()));
    }
    let Some(Repaired { aside, devices, positions, packets, refused, gaps, why }) = store.repaired.clone() else {
        return;
    };
    if cx.data.repair_read {
        return;
    }
    widgets::banner(ui, Icon::Warning, p.fault, p.alarm, |ui| {
        let positions = format::counted(positions, "position", "positions");
        let (devices, packets) = (format::counted(devices, "device", "devices"), format::count(packets));
        ui.label(widgets::strong(
            ui,
            format!("The database was damaged; {devices}, {positions} and {packets} packets were saved."),
        ))
        .on_hover_text(why);
        let lost = match refused + gaps {
            0 => "Everything could be read.".to_owned(),
            n => format!("{} could not be read.", format::counted(n, "place", "places")),
        };
        let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ui.label(format!("{lost} The damaged file is kept as {name}."));
        let aside = aside.display().to_string();
        if ui.button("Copy its path").on_hover_text(&aside).clicked() {
            cx.ask(Action::Copy(aside, "the path"));
        }
        if ui.button("Dismiss").clicked() {
            cx.ask(Action::DismissRepair);
        }
    });
}

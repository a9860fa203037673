//! What stands in the device list while there is nothing to list: how to connect a phone, a tracker, or just look around.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use egui::{RichText, ScrollArea, TextStyle, Ui};

use super::receivers::reachable_at;
use crate::{
    backend::{ListenAt, ReceiverStatus},
    model::Protocol,
    ui::{
        Action, Cx,
        icons::{self, Icon},
        theme,
        view::{PhonesTab, Sheet},
        widgets,
    },
};

/// The three cards; one is open.
#[derive(Default)]
pub(super) struct Cards {
    open: Card,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Card {
    #[default]
    Phone,
    Tracker,
}

/// Where a receiver can be reached.
enum Reach {
    /// Addresses to type, and the port.
    Network(Vec<IpAddr>, u16),
    ThisComputer(u16),
    Nowhere,
}

impl Cards {
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ScrollArea::vertical().id_salt("first run").auto_shrink(false).show(ui, |ui| {
            egui::Frame::new().inner_margin(theme::MARGIN).show(ui, |ui| {
                let p = theme::palette(ui);
                ui.label(RichText::new("Connect something").text_style(theme::title()).color(p.strong));
                ui.label(widgets::weak(ui, "Whatever arrives shows up here at once, known or not."));
                ui.add_space(theme::GAP);
                self.card(ui, cx, Card::Phone);
                ui.add_space(theme::GAP);
                self.card(ui, cx, Card::Tracker);
                ui.add_space(theme::GAP);
                widgets::card(ui, |ui| demo(ui, cx));
            });
        });
    }

    fn card(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, card: Card) {
        let (icon, title) = match card {
            Card::Phone => (Icon::Phone, "Phone with OwnTracks"),
            Card::Tracker => (Icon::Tracker, "GT06 tracker"),
        };
        widgets::card(ui, |ui| {
            let open = self.open == card;
            if head(ui, icon, title, Some(open)).clicked() {
                self.open = card;
            }
            if open {
                ui.add_space(theme::GAP);
                match card {
                    Card::Phone => phone(ui, cx),
                    Card::Tracker => tracker(ui, cx),
                }
            }
        });
    }
}

fn head(ui: &mut Ui, icon: Icon, title: &str, open: Option<bool>) -> egui::Response {
    let p = theme::palette(ui);
    let row = ui.horizontal(|ui| {
        icons::show(ui, icon, p.accent);
        ui.label(RichText::new(title).color(p.strong));
        if let Some(open) = open {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                icons::show(ui, if open { Icon::Down } else { Icon::Right }, p.weak);
            });
        }
    });
    let response = ui.interact(row.response.rect, ui.scope_id().with(title), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, open == Some(true), title));
    response
}

fn reach(cx: &Cx<'_>, protocol: Protocol) -> Reach {
    let line = cx.data.station.receivers.iter().find(|line| line.protocol == protocol);
    let Some(ReceiverStatus::Listening(address)) = line.map(|line| &line.status) else { return Reach::Nowhere };
    if address.ip().is_loopback() {
        Reach::ThisComputer(address.port())
    } else if address.ip().is_unspecified() {
        let lan = cx.data.station.lan.iter().copied().filter(IpAddr::is_ipv4).collect();
        Reach::Network(lan, address.port())
    } else {
        Reach::Network(vec![address.ip()], address.port())
    }
}

/// Says where the receiver can be reached; gives the address to type.
fn address(ui: &mut Ui, cx: &mut Cx<'_>, protocol: Protocol) -> Option<(IpAddr, u16)> {
    let p = theme::palette(ui);
    match reach(cx, protocol) {
        Reach::Network(addresses, port) => addresses.first().map(|ip| (*ip, port)),
        Reach::ThisComputer(port) => {
            ui.label(RichText::new("Only this computer can reach the receiver yet.").color(p.late));
            if ui.add(widgets::primary(ui, Some(Icon::Globe), "Listen to the whole network")).clicked() {
                let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
                cx.ask(Action::Listen(protocol, ListenAt::Address(everywhere)));
            }
            ui.add_space(theme::GAP);
            // What it will be, so that it can be typed already.
            let lan = cx.data.station.lan.iter().copied().find(IpAddr::is_ipv4);
            Some((lan.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port))
        }
        Reach::Nowhere => {
            ui.label(RichText::new("The receiver is not listening: see the line at the top.").color(p.late));
            None
        }
    }
}

fn phone(ui: &mut Ui, cx: &mut Cx<'_>) {
    ui.label(small(ui, "Makes a QR code that sets the app up, and shows what has arrived."));
    if ui.add(widgets::primary(ui, Some(Icon::Phone), "Add a phone…")).clicked() {
        cx.ask(Action::Sheet(Some(Sheet::AddPhone)));
    }
    ui.add_space(theme::GAP);
    ui.label(small(ui, "Or by hand:"));
    let secure = https(cx);
    let plain = if secure.is_some() { None } else { address(ui, cx, Protocol::OwnTracks) };
    let Some((ip, port)) = secure.or(plain) else { return };
    ui.label("In the app, under Preferences, Connection: mode HTTP, and as URL");
    let scheme = if secure.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", SocketAddr::new(ip, port));
    if widgets::copyable(ui, &url, "URL") {
        cx.ask(Action::Copy(url, "the URL"));
    }
    if secure.is_some() {
        ui.label(small(ui, "The phone must trust this computer's certificate once."));
        if ui.link("How to install it").clicked() {
            cx.ask(Action::Sheet(Some(Sheet::Phones(PhonesTab::Https))));
        }
    }
    ui.label(small(
        ui,
        if cx.data.phones.users.is_empty() {
            "Choose a user name and a device name there; they become the name here. No password is needed."
        } else {
            "Choose a user name and a device name there; they become the name here. Users with a password need it."
        },
    ));
    if secure.is_none() {
        others(ui, cx, Protocol::OwnTracks, ip, port);
    }
}

/// Where HTTPS can be reached from other machines: a phone that can have it is offered nothing less.
fn https(cx: &Cx<'_>) -> Option<(IpAddr, u16)> {
    let line = cx.data.phones.https.as_ref()?;
    let ReceiverStatus::Listening(at) = &line.status else { return None };
    let lan = || cx.data.station.lan.iter().copied().find(IpAddr::is_ipv4);
    let ip = match at.ip() {
        ip if ip.is_loopback() => return None,
        ip if ip.is_unspecified() => lan()?,
        ip => ip,
    };
    Some((ip, at.port()))
}

fn tracker(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some((ip, port)) = address(ui, cx, Protocol::Gt06) else { return };
    ui.label("By SMS to the tracker's number");
    // 0: an address follows, not a name; the last 0: TCP.
    for line in [format!("SERVER,0,{ip},{port},0#"), "GMT,E,0,0#".to_owned(), "TIMER,10,300#".to_owned()] {
        if widgets::copyable(ui, &line, &line) {
            cx.ask(Action::Copy(line, "the SMS"));
        }
    }
    ui.label(small(
        ui,
        "Common Concox syntax; your model's manual has the last word. First APN,…# if the SIM card needs one.",
    ));
    ui.label(small(
        ui,
        &format!(
            "That address is for trackers in this network. One on the mobile network needs your address on the internet \
             instead, and TCP {port} forwarded by your router to {ip}; with a name for it: SERVER,1,<name>,{port},0#."
        ),
    ));
    others(ui, cx, Protocol::Gt06, ip, port);
}

/// Further addresses of this machine.
fn others(ui: &mut Ui, cx: &mut Cx<'_>, protocol: Protocol, shown: IpAddr, port: u16) {
    let more: Vec<_> = cx.data.station.lan.iter().copied().filter(|ip| ip.is_ipv4() && *ip != shown).collect();
    if more.is_empty() {
        return;
    }
    ui.label(small(ui, "This computer has other addresses, too:"));
    for ip in more.into_iter().take(3) {
        let text = reachable_at(protocol, ip, port);
        if widgets::copyable(ui, &text, &text) {
            cx.ask(Action::Copy(text, "the address"));
        }
    }
}

fn demo(ui: &mut Ui, cx: &mut Cx<'_>) {
    head(ui, Icon::Play, "Just look around", None);
    ui.label(widgets::weak(ui, "Three simulated vehicles, over the real receivers. One click removes them."));
    ui.add_space(2.0);
    if cx.data.station.demo {
        ui.label(widgets::weak(ui, "The demo is starting …"));
    } else if ui.add(widgets::labelled(Icon::Play, "Start demo")).clicked() {
        cx.ask(Action::StartDemo);
    }
}

fn small(ui: &Ui, text: &str) -> RichText {
    widgets::weak(ui, text).text_style(TextStyle::Small)
}

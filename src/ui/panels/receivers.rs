//! Where a receiver listens, in words, and the switches that change it: for the line at the top and for the settings.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use egui::{DragValue, Ui};

use crate::{
    backend::{ListenAt, ReceiverLine, ReceiverStatus},
    model::Protocol,
    ui::{Action, Cx, widgets},
};

/// Ports that are being typed, one a receiver.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<Protocol, u16>);

/// How far a receiver is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    ThisComputer,
    Network,
    Off,
}

impl Reach {
    pub(super) const ALL: [Self; 3] = [Self::ThisComputer, Self::Network, Self::Off];

    pub(super) fn of(wanted: Option<SocketAddr>) -> Self {
        match wanted {
            None => Self::Off,
            Some(address) if address.ip().is_loopback() => Self::ThisComputer,
            Some(_) => Self::Network,
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::ThisComputer => "This computer only",
            Self::Network => "Whole network",
            Self::Off => "Off",
        }
    }

    pub(super) fn at(self, port: u16) -> ListenAt {
        let address = |ip: Ipv4Addr| ListenAt::Address(SocketAddr::new(IpAddr::V4(ip), port));
        match self {
            Self::ThisComputer => address(Ipv4Addr::LOCALHOST),
            Self::Network => address(Ipv4Addr::UNSPECIFIED),
            Self::Off => ListenAt::Off,
        }
    }
}

/// Offers how far the receiver is to be reached.
pub(super) fn reach(ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine) {
    let wanted = wanted(line);
    let is = Reach::of(wanted);
    let port = wanted.map_or(line.protocol.default_port(), |address| address.port());
    for reach in Reach::ALL {
        if ui.radio(is == reach, reach.title()).clicked() && is != reach {
            cx.ask(Action::Listen(line.protocol, reach.at(port)));
        }
    }
}

impl Ports {
    /// Offers another port.
    pub(super) fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &ReceiverLine) {
        let wanted = wanted(line);
        let port = wanted.map_or(line.protocol.default_port(), |address| address.port());
        ui.horizontal(|ui| {
            let typed = self.0.entry(line.protocol).or_insert(port);
            let label = ui.label(widgets::weak(ui, "Port"));
            let field = ui.add(DragValue::new(typed).range(1..=u16::MAX).speed(0.2)).labelled_by(label.id);
            let typing = field.has_focus() || field.dragged();
            if !typing && *typed != port && ui.button(format!("Use {typed}")).clicked() {
                let ip = wanted.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
                cx.ask(Action::Listen(line.protocol, ListenAt::Address(SocketAddr::new(ip, *typed))));
            }
        });
    }
}

/// Where the receiver is to listen.
pub(super) fn wanted(line: &ReceiverLine) -> Option<SocketAddr> {
    match (line.wanted, &line.status) {
        // Port 0 was asked for; the one that was given is the one to speak of.
        (ListenAt::Address(wanted), ReceiverStatus::Listening(bound)) if wanted.port() == 0 => Some(*bound),
        (ListenAt::Address(wanted), _) => Some(wanted),
        (ListenAt::Off, _) => None,
    }
}

/// The next port that no receiver of ours wants.
pub(super) fn other_port(taken: SocketAddr, receivers: &[ReceiverLine]) -> Option<u16> {
    let wants = |port: u16| receivers.iter().filter_map(wanted).any(|address| address.port() == port);
    (taken.port()..u16::MAX).map(|port| port + 1).find(|port| !wants(*port))
}

/// What to type into a device in this network.
pub(super) fn reachable_at(protocol: Protocol, ip: IpAddr, port: u16) -> String {
    let address = SocketAddr::new(ip, port);
    match protocol {
        Protocol::Gt06 => address.to_string(),
        Protocol::OwnTracks => format!("http://{address}"),
    }
}

fn who(address: SocketAddr) -> &'static str {
    if address.ip().is_loopback() {
        "this computer only"
    } else if address.ip().is_unspecified() {
        "whole network"
    } else {
        "this address only"
    }
}

/// How much is said of where a receiver listens, by the room that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Address and who reaches it.
    Full,
    /// Port and who reaches it.
    Port,
    /// The port alone.
    Least,
}

impl Detail {
    /// From the most to the least.
    pub(super) const ALL: [Self; 3] = [Self::Full, Self::Port, Self::Least];
}

/// What stands behind the protocol's name.
pub(super) fn detail(line: &ReceiverLine, detail: Detail) -> String {
    match &line.status {
        ReceiverStatus::Off => "off".to_owned(),
        ReceiverStatus::Starting => "starting".to_owned(),
        ReceiverStatus::Listening(address) => match detail {
            Detail::Full => format!("{address} · {}", who(*address)),
            Detail::Port => format!(":{} · {}", address.port(), who(*address)),
            Detail::Least => format!(":{}", address.port()),
        },
        ReceiverStatus::Waiting { wanted, holder: Some(_), .. } => format!(":{} in use", wanted.port()),
        ReceiverStatus::Waiting { wanted, holder: None, .. } => format!(":{} not listening", wanted.port()),
    }
}

/// The same as a sentence.
pub(super) fn sentence(line: &ReceiverLine) -> String {
    match &line.status {
        ReceiverStatus::Off => "It is off: nothing is received.".to_owned(),
        ReceiverStatus::Starting => "It is starting.".to_owned(),
        ReceiverStatus::Listening(address) if address.ip().is_loopback() => {
            format!("It listens on {address}. Devices outside this computer cannot reach it.")
        }
        ReceiverStatus::Listening(address) => format!("It listens on {address}."),
        ReceiverStatus::Waiting { wanted, error, holder, .. } => match holder {
            Some(holder) => format!("It waits for {wanted}: port in use by {holder}."),
            None => format!("It waits for {wanted}: {error}."),
        },
    }
}

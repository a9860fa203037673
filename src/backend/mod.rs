//! The façade that window and command line see: the list of its methods is the list of what the app can do.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::model::{
    Clock, DeviceId, DeviceOverview, Fact, PacketId, PacketRow, Policy, Protocol, StoredEvent, StoredFix, TimeWindow,
    Timestamp,
};
pub use crate::store::{Error, Pending};

/// Called after a commit so that a window draws again. Any thread may call it.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Where one receiver should listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListenAt {
    Off,
    /// Port 0 picks a free one.
    Address(SocketAddr),
}

/// How a receiver fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiverStatus {
    Off,
    Starting,
    Listening(SocketAddr),
    /// It could not bind; it tries again at `retry_at`. `holder` is the process that has the port, where the system tells.
    Waiting {
        wanted: SocketAddr,
        error: String,
        holder: Option<String>,
        retry_at: Timestamp,
    },
}

/// One receiver, as the listener line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverLine {
    pub protocol: Protocol,
    pub wanted: ListenAt,
    pub status: ReceiverStatus,
    /// Connections open now.
    pub connections: usize,
}

/// Which packets to list: the newest `limit` ones that match, newest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketQuery {
    pub device: Option<DeviceId>,
    /// Only packets with a smaller id.
    pub before: Option<PacketId>,
    /// 0 means 1.
    pub limit: usize,
}

/// What to export, and whereto.
#[derive(Debug, Clone)]
pub struct ExportJob {
    pub devices: Vec<DeviceId>,
    pub window: TimeWindow,
    pub format: crate::export::Format,
    pub to: PathBuf,
    /// Positions under a wrong checksum go along.
    pub with_suspect: bool,
}

/// What an export wrote: "1,204 points, 3 hidden, 2 gaps".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportReport {
    pub points: u64,
    pub segments: u64,
    /// Left out: suspect positions.
    pub hidden: u64,
    pub to: PathBuf,
}

/// The stream of facts for one subscriber.
pub struct Feed(());

impl Feed {
    /// The next fact, if there is one; never waits.
    pub fn next(&mut self) -> Option<Fact> {
        None
    }
}

/// Receivers, store and runtime, started and stopped in order.
pub struct Backend(());

#[expect(unused_variables, clippy::unused_self, reason = "signatures first")]
impl Backend {
    pub fn feed(&self) -> Feed {
        Feed(())
    }
    /// True where another instance receives into this folder and this one only looks on.
    pub fn viewer(&self) -> bool {
        false
    }
    pub fn data_dir(&self) -> PathBuf {
        PathBuf::new()
    }
    pub fn clock(&self) -> Clock {
        unimplemented!()
    }
    pub fn receivers(&self) -> Vec<ReceiverLine> {
        Vec::new()
    }
    /// Listens elsewhere from now on, and remembers it.
    pub fn listen(&self, protocol: Protocol, at: ListenAt) {}
    /// Tries a waiting receiver again at once.
    pub fn retry(&self, protocol: Protocol) {}
    pub fn policy(&self) -> Policy {
        Policy::Ask
    }
    pub fn set_policy(&self, policy: Policy) {}
    /// Addresses under which a phone in this network reaches this machine.
    pub fn lan_addresses(&self) -> Vec<IpAddr> {
        Vec::new()
    }
    /// Every device, in any state.
    pub fn devices(&self) -> Pending<Vec<DeviceOverview>> {
        Pending::pair().1
    }
    /// Fixes of a device ordered by time; the newest `limit`.
    pub fn track(&self, device: DeviceId, window: TimeWindow, limit: usize) -> Pending<Vec<StoredFix>> {
        Pending::pair().1
    }
    pub fn packets(&self, query: PacketQuery) -> Pending<Vec<PacketRow>> {
        Pending::pair().1
    }
    pub fn packet(&self, id: PacketId) -> Pending<Option<PacketRow>> {
        Pending::pair().1
    }
    /// The fixes that a packet told.
    pub fn fixes_of_packet(&self, id: PacketId) -> Pending<Vec<StoredFix>> {
        Pending::pair().1
    }
    pub fn events(&self, device: Option<DeviceId>, limit: usize) -> Pending<Vec<StoredEvent>> {
        Pending::pair().1
    }
    /// Makes a new sender a device; everything kept of it becomes its history. Answers how many positions that is.
    pub fn adopt(&self, device: DeviceId, name: Option<String>) -> Pending<u64> {
        Pending::pair().1
    }
    pub fn ignore(&self, device: DeviceId) -> Pending<()> {
        Pending::pair().1
    }
    /// `None` takes the name away.
    pub fn rename(&self, device: DeviceId, name: Option<String>) -> Pending<()> {
        Pending::pair().1
    }
    pub fn export(&self, job: ExportJob) -> Pending<ExportReport> {
        Pending::pair().1
    }
    /// Starts `vehicles` simulated devices that speak to the real receivers. Their identities begin with `demo`.
    pub fn start_demo(&self, vehicles: usize) {}
    /// Stops the demo; `forget` also removes its devices and their history.
    pub fn stop_demo(&self, forget: bool) {}
    pub fn demo_running(&self) -> bool {
        false
    }
    /// Stops receivers, commits what was read, closes the store.
    pub fn stop(self, patience: Duration) {}
}

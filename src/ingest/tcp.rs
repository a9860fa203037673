//! Accepts byte-stream connections, no more at once than the limit, one task each.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{
    Counted, Site, converse,
    crowd::{Crowd, Place},
};
use crate::{
    model::{Mishap, Protocol},
    wire::{self, Line},
};

/// Pause after a failed accept: file handles run out for everybody at once, and a busy loop would not bring them back.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts for ever.
pub(super) async fn accept_all(listener: TcpListener, protocol: Protocol, site: &Site, connections: &Arc<AtomicUsize>) {
    accept_each(listener, site, connections, move |stream, peer, held, site| {
        let connection = site.new_connection();
        let line = Line { peer: peer.to_string().into(), connection };
        let Some(talk) = wire::conversation(protocol, line, site.addresses.clone()) else { return };
        let tasks = site.tasks.clone();
        tasks.spawn(async move {
            let end = converse(stream, talk, connection, &site).await;
            tracing::debug!(%peer, %end, "connection ended");
            drop(held);
            match end.mishap() {
                Some(mishap) => site.tally.count(mishap),
                None => site.tally.stir(),
            }
        });
    })
    .await;
}

/// What a connection holds while it lives: its places under the limits, and its count.
pub(super) type Held = (OwnedSemaphorePermit, Counted, Place);

/// Accepts for ever, waits while the limit is reached, and hands each connection to `begin`.
pub(super) async fn accept_each(
    listener: TcpListener,
    site: &Site,
    connections: &Arc<AtomicUsize>,
    begin: impl Fn(TcpStream, SocketAddr, Held, Site),
) {
    let room = Arc::new(Semaphore::new(site.limits.connections));
    let crowd = Crowd::new(site.limits.connections_per_address);
    loop {
        if room.available_permits() == 0 {
            site.tally.count(Mishap::ConnectionsFull);
        }
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(among) = crowd.enter(peer.ip()) else {
                    site.tally.count(Mishap::AddressFull);
                    continue;
                };
                // Answers are small and awaited; Nagle would hold them back.
                stream.set_nodelay(true).ok();
                begin(stream, peer, (place, Counted::new(connections), among), site.clone());
                site.tally.stir();
            }
            Err(error) => {
                tracing::debug!(%error, "accept failed");
                site.tally.count(Mishap::AcceptFailed);
                sleep(BREATH).await;
            }
        }
    }
}

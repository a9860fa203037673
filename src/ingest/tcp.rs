//! Accepts byte-stream connections, no more at once than the limit, one task each.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{
    Counted, Counts, Site, converse,
    strangers::{Guest, Strangers},
};
use crate::{
    model::Protocol,
    wire::{self, Line},
};

/// Pause after a failed accept: file handles run out for everybody at once, and a busy loop would not bring them back.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts for ever.
pub(super) async fn accept_all(listener: TcpListener, protocol: Protocol, site: &Site, counts: &Counts) {
    accept_each(listener, site, counts, move |stream, peer, held, guest, site| {
        let connection = site.new_connection();
        let line = Line { peer: peer.to_string().into(), connection };
        let Some(talk) = wire::conversation(protocol, line, site.addresses.clone()) else { return };
        let tasks = site.tasks.clone();
        tasks.spawn(async move {
            let end = converse(stream, talk, connection, &guest, &site).await;
            tracing::debug!(%peer, %end, "connection ended");
            drop(held);
        });
    })
    .await;
}

/// What a connection holds while it lives: its place under the limit, and its count.
pub(super) type Held = (OwnedSemaphorePermit, Counted);

/// Accepts for ever, and hands each connection to `begin`. Where the limit is reached, strangers make room; where there are none, it waits.
pub(super) async fn accept_each(
    listener: TcpListener,
    site: &Site,
    counts: &Counts,
    begin: impl Fn(TcpStream, SocketAddr, Held, Guest, Site),
) {
    let room = Arc::new(Semaphore::new(site.limits.connections));
    let strangers = Strangers::new(&counts.shown_out);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if room.available_permits() == 0 {
                    strangers.make_room();
                }
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                // Answers are small and awaited; Nagle would hold them back.
                stream.set_nodelay(true).ok();
                let held = (place, Counted::new(&counts.connections));
                begin(stream, peer, held, strangers.enter(peer.ip()), site.clone());
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(BREATH).await;
            }
        }
    }
}

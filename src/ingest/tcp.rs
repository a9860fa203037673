//! Accepts byte-stream connections, no more at once than the limit, one task each.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{Counted, Counts, LastPacket, Site, converse, strangers::Guest};
use crate::{
    model::{Mishap, Protocol},
    wire::{self, Line},
};

/// Pause after a failed accept: file handles run out for everybody at once, and a busy loop would not bring them back.
const BREATH: Duration = Duration::from_millis(100);
/// The longest pause, where it fails again and again.
const LONGEST_BREATH: Duration = Duration::from_secs(2);

/// Accepts for ever.
pub(super) async fn accept_all(listener: TcpListener, protocol: Protocol, site: &Site, counts: &Counts) {
    accept_each(listener, site, counts, move |stream, peer, held, guest, site| {
        let connection = site.new_connection();
        let line = Line { peer: peer.to_string().into(), connection };
        site.ends.made(connection, &line.peer, Some((site.clock)()));
        let talk = wire::conversation(protocol, line, site.addresses.clone(), site.limits.junk_bytes);
        let Some(talk) = talk else { return };
        let tasks = site.tasks.clone();
        tasks.spawn(async move {
            let last = LastPacket::default();
            let end = converse(stream, talk, connection, &guest, &site, &last).await;
            tracing::debug!(%peer, %end, "connection ended");
            site.ends.ended(connection, end.told((site.clock)()));
            site.write_end(connection, &last);
            drop(held);
            (site.wake)();
            match end.mishap() {
                Some(mishap) => site.tally.count(mishap),
                None => site.tally.stir(),
            }
        });
    })
    .await;
}

/// What a connection holds while it lives: its places under the limits of its receiver and of all, and its count.
pub(super) type Held = ([OwnedSemaphorePermit; 2], Counted);

/// Accepts for ever, and hands each connection to `begin`. Where the limit is reached, strangers make room; where there are none, it waits.
pub(super) async fn accept_each(
    listener: TcpListener,
    site: &Site,
    counts: &Counts,
    begin: impl Fn(TcpStream, SocketAddr, Held, Guest, Site),
) {
    let room = Arc::new(Semaphore::new(site.limits.connections));
    let mut breath = BREATH;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if room.available_permits() == 0 {
                    site.tally.count(made_room(site.strangers.make_room(Some(&counts.shown_out))));
                } else if site.sockets.available_permits() == 0 {
                    site.tally.count(made_room(site.strangers.make_room(None)));
                }
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                let Ok(socket) = Arc::clone(&site.sockets).acquire_owned().await else { return };
                // Answers are small and awaited; Nagle would hold them back.
                stream.set_nodelay(true).ok();
                let held = ([place, socket], Counted::new(&counts.connections));
                begin(stream, peer, held, site.strangers.enter(peer.ip(), &counts.shown_out), site.clone());
                site.tally.stir();
                breath = BREATH;
            }
            Err(error) => {
                site.tally.count(Mishap::AcceptFailed);
                // Most likely there are no more file handles: who says nothing of use gives one back.
                site.strangers.make_room(None);
                // Once, until it works again: it may last, and a log that fills the disk helps nobody.
                if breath == BREATH {
                    tracing::warn!(%error, "accept failed; new connections wait");
                }
                sleep(breath).await;
                breath = (breath * 2).min(LONGEST_BREATH);
            }
        }
    }
}

/// Under what it is counted that all places are taken.
fn made_room(somebody: bool) -> Mishap {
    if somebody { Mishap::MadeRoom } else { Mishap::ConnectionsFull }
}

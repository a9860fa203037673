//! The beginning of an HTTPS connection, and why it fails.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{AlertDescription as Alert, Error};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Site,
    prelude::{Noise, Ration, keep_noise},
    visits::{App, NoHandshake, Outcome, Visit},
};
use crate::{
    model::{Mishap, PacketId},
    wire::Line,
};

/// How much of what a client says first is looked at and kept, in bytes.
const FIRST_WORDS: usize = 4096;
/// The first byte of every TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// Why there is no secret connection, and what the client had said by then.
pub(super) struct Failed {
    pub(super) why: NoHandshake,
    first_words: Vec<u8>,
}

/// Makes a connection secret, in the time that a head may take.
pub(super) async fn shake_hands(stream: TcpStream, site: &Site) -> Result<TlsStream<TcpStream>, Failed> {
    let tls = Arc::clone(&site.tls);
    let config = tokio::task::spawn_blocking(move || tls.config().map_err(|e| e.to_string()));
    let config = config.await.map_err(|e| e.to_string()).flatten();
    let config = config.map_err(|why| Failed { why: NoHandshake::NoCertificate(why), first_words: Vec::new() })?;
    let mut first_words = vec![0; FIRST_WORDS];
    // Only looked at: what is there stays for the handshake.
    let seen = in_time(site, async { Ok(stream.peek(&mut first_words).await.unwrap_or(0)) }).await;
    first_words.truncate(seen.as_ref().copied().unwrap_or(0));
    let shaken = match (seen, first_words.first()) {
        (Err(why), _) => Err(why),
        (Ok(_), None) => Err(NoHandshake::Silent),
        (Ok(_), first) => {
            let is_tls = first == Some(&HANDSHAKE);
            let other = if is_http(&first_words) { NoHandshake::PlainHttp } else { NoHandshake::NotTls };
            // Whatever it is, rustls answers it, with an alert where it is none of its kind.
            let accept = async { TlsAcceptor::from(config).accept(stream).await.map_err(|error| because(&error)) };
            in_time(site, accept).await.map_err(|why| if is_tls { why } else { other })
        }
    };
    shaken.map_err(|why| Failed { why, first_words })
}

/// Does something in the time that a head may take, unless we stop.
async fn in_time<T>(site: &Site, work: impl Future<Output = Result<T, NoHandshake>>) -> Result<T, NoHandshake> {
    tokio::select! {
        done = timeout(site.limits.http_head, work) => done.unwrap_or(Err(NoHandshake::Silent)),
        () = site.stop.cancelled() => Err(NoHandshake::Stopping),
    }
}

/// A word in capitals and a blank, as in `POST /`.
fn is_http(bytes: &[u8]) -> bool {
    let word = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    (3..=16).contains(&word) && bytes.get(word) == Some(&b' ')
}

/// Why a handshake failed, for whoever pairs a phone.
fn because(error: &io::Error) -> NoHandshake {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::AlertReceived(Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown)) => {
            NoHandshake::NotTrusted
        }
        Some(Error::AlertReceived(Alert::CertificateExpired)) => NoHandshake::Expired,
        Some(other) => NoHandshake::Other(other.to_string()),
        None => NoHandshake::BrokeOff,
    }
}

/// Keeps what a client said that never got as far as a request, with the reason, and remembers that it came. Answers under which number.
pub(super) async fn no_handshake(
    peer: SocketAddr,
    line: &Line,
    failed: Failed,
    ration: &Ration,
    site: &Site,
) -> Option<PacketId> {
    let Failed { why, first_words } = failed;
    tracing::debug!(%peer, %why, "no handshake");
    if why == NoHandshake::Stopping {
        return None;
    }
    let mut kept = None;
    if !first_words.is_empty() {
        let why = format!("{why}: {}", why.cure());
        let noise = Noise { read: first_words, written: Vec::new(), why, at_https: true };
        kept = keep_noise(noise, peer, line, ration, site).await;
    }
    visited(peer, why, site);
    kept
}

/// Remembers that somebody came to the port of HTTPS and made no request.
pub(super) fn visited(peer: SocketAddr, why: NoHandshake, site: &Site) {
    site.tally.count(Mishap::NoHandshake);
    site.visits.note(Visit {
        at: (site.clock)(),
        peer: peer.ip(),
        secure: true,
        app: App::Other,
        user: None,
        names: Vec::new(),
        device: None,
        outcome: Outcome::NoHandshake(why),
    });
}

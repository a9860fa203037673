//! The beginning of an HTTPS connection, and why it fails.

use std::{net::SocketAddr, sync::Arc};

use rustls::{AlertDescription as Alert, Error};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Site,
    visits::{App, Outcome, Visit},
};
use crate::model::Mishap;

/// Makes a connection secret, in the time that a head may take.
pub(super) async fn shake_hands(stream: TcpStream, site: &Site) -> Result<TlsStream<TcpStream>, String> {
    let tls = Arc::clone(&site.tls);
    let config = tokio::task::spawn_blocking(move || tls.config()).await.map_err(|e| e.to_string())?;
    let config = config.map_err(|e| e.to_string())?;
    let shaken = timeout(site.limits.http_head, TlsAcceptor::from(config).accept(stream));
    tokio::select! {
        shaken = shaken => shaken.map_err(|_| "it said nothing".to_owned())?.map_err(|error| handshake_failed(&error)),
        () = site.stop.cancelled() => Err("stopping".to_owned()),
    }
}

/// Why a handshake failed, for whoever pairs a phone.
fn handshake_failed(error: &std::io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::AlertReceived(Alert::UnknownCA | Alert::BadCertificate | Alert::CertificateUnknown)) => {
            "it does not trust the certificate".to_owned()
        }
        Some(Error::InvalidMessage(_)) => "it does not speak HTTPS".to_owned(),
        Some(other) => format!("the handshake failed: {other}"),
        None => format!("it broke off: {error}"),
    }
}

/// Remembers that somebody came and went.
pub(super) fn no_handshake(peer: SocketAddr, why: String, site: &Site) {
    tracing::debug!(%peer, why, "no handshake");
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

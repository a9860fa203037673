//! Dials the other server.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use super::Running;

/// A server that does not answer the call by then is not there: trackers give up soon after.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the system holds of bytes that either has not read, in bytes a connection.
const UNREAD: u32 = 256 << 10;

/// A connection to `host:port`, or why there is none.
pub(super) async fn dial(to: &str, running: &Running) -> Result<TcpStream, String> {
    let dialled = timeout(PATIENCE, reach(to)).await;
    let stream = match dialled {
        Ok(stream) => stream.map_err(|error| why(&error))?,
        Err(_) => return Err(format!("it does not answer within {} s", PATIENCE.as_secs())),
    };
    if leads_back(&stream, running) {
        return Err("it leads back to a tap of this program".to_owned());
    }
    // Frames are small and awaited; Nagle would hold them back.
    stream.set_nodelay(true).ok();
    Ok(stream)
}

async fn reach(to: &str) -> io::Result<TcpStream> {
    let mut last = None;
    for address in lookup_host(to).await? {
        match connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "nobody knows this name")))
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_send_buffer_size(UNREAD)?;
    socket.set_recv_buffer_size(UNREAD)?;
    socket.connect(address).await
}

/// A tap that passes on to itself would dial for ever.
fn leads_back(stream: &TcpStream, running: &Running) -> bool {
    let (Ok(here), Ok(there)) = (stream.local_addr(), stream.peer_addr()) else { return false };
    here.ip() == there.ip() && running.is_one_of_ours(there.port())
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "it refuses connections".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "no way leads to it".to_owned(),
        _ => error.to_string(),
    }
}

//! Connections on loopback.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::{TcpListener, TcpStream};

/// Both ends of a TCP connection: of whoever connects, and of whoever is connected to.
pub(crate) async fn pair() -> io::Result<[TcpStream; 2]> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let own_address = near.local_addr()?;
    loop {
        // Any program of this machine can connect to the port as well.
        let (far, peer) = listener.accept().await?;
        if peer == own_address {
            return Ok([near, far]);
        }
    }
}

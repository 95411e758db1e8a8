//! Sockets for thousands of short connections.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};
use tokio::net::TcpSocket;

/// A non-blocking socket for one connection to `destination`: without Nagle's delay, and
/// closed by a reset, so that no port is left in TIME_WAIT.
pub(crate) fn for_one_connection(destination: SocketAddr) -> io::Result<Socket> {
    let socket = non_blocking(Domain::for_address(destination))?;
    socket.set_tcp_nodelay(true)?;
    socket.set_linger(Some(std::time::Duration::ZERO))?;
    spread(&socket, destination)?;
    Ok(socket)
}

/// The same for tokio.
pub(crate) fn for_tokio(destination: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpStream::from(for_one_connection(destination)?);
    Ok(TcpSocket::from_std_stream(socket))
}

#[cfg(target_os = "linux")]
fn non_blocking(domain: Domain) -> io::Result<Socket> {
    Socket::new(domain, Type::STREAM.nonblocking(), None)
}

#[cfg(not(target_os = "linux"))]
fn non_blocking(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Binds to the next of 254 loopback addresses: each has ephemeral ports of its own.
#[cfg(target_os = "linux")]
fn spread(socket: &Socket, destination: SocketAddr) -> io::Result<()> {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU8, Ordering};

    use nix::sys::socket::{setsockopt, sockopt};

    static NEXT: AtomicU8 = AtomicU8::new(0);

    let IpAddr::V4(address) = destination.ip() else {
        return Ok(());
    };
    if !address.is_loopback() {
        return Ok(());
    }
    // Without this the port is chosen now, and must be free for every destination. Old
    // kernels lack it: they only run out of ports earlier.
    let _ = setsockopt(socket, sockopt::IpBindAddressNoPort, &true);
    let host = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % 254;
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 1, host), 0)).into())
}

/// Other systems have one loopback address unless told otherwise.
#[cfg(not(target_os = "linux"))]
fn spread(_: &Socket, _: SocketAddr) -> io::Result<()> {
    Ok(())
}

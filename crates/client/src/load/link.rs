//! The socket of one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as StdStream};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::tools::Tools;
use crate::ClientError;
use crate::socket::for_one_connection;

/// A socket that does not block, and what it was given and the kernel did not take yet.
pub(super) struct Link {
    socket: TcpStream,
    token: Token,
    unsent: Vec<u8>,
}

impl Link {
    /// Begins to connect. Over loopback TCP is established on return.
    pub(super) fn connect(tools: &Tools, token: Token) -> Result<Self, ClientError> {
        let socket = for_one_connection(tools.address).map_err(ClientError::Socket)?;
        match socket.connect(&tools.socket_address) {
            Err(error) if !is_in_progress(&error) => return Err(ClientError::Connect(error)),
            _ => {}
        }
        Ok(Self {
            socket: TcpStream::from_std(StdStream::from(socket)),
            token,
            unsent: Vec::new(),
        })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.socket.peer_addr().is_ok()
    }

    /// Why it did not connect, if that is known.
    pub(super) fn fault(&self) -> Option<io::Error> {
        match self.socket.take_error() {
            Ok(fault) => fault,
            Err(error) => Some(error),
        }
    }

    /// Has the poll tell when there is something to read; and when there is room to write,
    /// if that is waited for, as it is while connecting.
    pub(super) fn register(&mut self, registry: &Registry, is_connecting: bool) -> io::Result<()> {
        let interest = match is_connecting || !self.is_flushed() {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        registry.register(&mut self.socket, self.token, interest)
    }

    /// Whether the kernel has all that was to be sent.
    pub(super) const fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends what the kernel takes now; the rest stays for [`Link::resend`].
    pub(super) fn send(&mut self, registry: &Registry, bytes: &[u8]) -> io::Result<()> {
        if !self.is_flushed() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let taken = self.write(bytes)?;
        if taken < bytes.len() {
            self.unsent.extend_from_slice(&bytes[taken..]);
            // It may not have been registered yet, or be registered for both already.
            let both = Interest::READABLE | Interest::WRITABLE;
            let _ = registry.reregister(&mut self.socket, self.token, both);
        }
        Ok(())
    }

    pub(super) fn resend(&mut self) -> io::Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        let taken = self.write(&unsent)?;
        self.unsent = unsent;
        self.unsent.drain(..taken);
        Ok(())
    }

    /// Reads what there is: no bytes at the end, `None` if there is nothing now.
    pub(super) fn read(&mut self, input: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            return match self.socket.read(input) {
                Ok(count) => Ok(Some(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Sends the last words and closes this side. Whether that could be done at once.
    pub(super) fn finish(&mut self, last: &[u8]) -> bool {
        self.is_flushed()
            && self.write(last).is_ok_and(|count| count == last.len())
            && self.socket.shutdown(Shutdown::Write).is_ok()
    }

    /// Has the kernel deliver what was sent last when this is dropped: a reset may overtake
    /// it.
    pub(super) fn linger(&self) {
        // Where that fails, the server is told nothing.
        let _ = SockRef::from(&self.socket).set_linger(None);
    }

    /// Writes until the kernel takes no more.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.socket.write(&bytes[taken..]) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
}

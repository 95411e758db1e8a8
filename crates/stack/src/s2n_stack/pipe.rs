//! A connection of s2n-tls and the memory that it reads from and writes to.
//!
//! s2n-tls does its I/O through C callbacks with an untyped context. All that is unsafe
//! about it is in this file: the context is a [`Pipe`] on the heap that only an
//! [`OwnedPipe`] frees, and [`PipedConnection`] drops its connection before that. The pipe
//! is reached by its raw pointer alone, and by one party at a time: Rust code borrows the
//! whole [`PipedConnection`] for it, and so can't at the same time be inside a call of
//! s2n-tls, which is where the callbacks run.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use s2n_tls::connection::Connection;
use s2n_tls::error::Error;

/// What a read that has nothing to give sets `errno` to.
const WOULD_BLOCK: i32 = libc::EWOULDBLOCK;

/// What the peer sent, and what is to be sent.
#[derive(Debug, Default)]
struct Pipe {
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
}

/// A pipe whose address does not change until it is dropped.
struct OwnedPipe(NonNull<Pipe>);

// SAFETY: a pipe is plain bytes, and this is its only owner.
unsafe impl Send for OwnedPipe {}

impl Drop for OwnedPipe {
    fn drop(&mut self) {
        // SAFETY: the pointer is of a box that was given up in `PipedConnection::new`, and
        // nothing else frees it. The connection that knows it is dropped already.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Fields are dropped in this order: the connection first, which refers to the pipe.
pub(super) struct PipedConnection {
    connection: Connection,
    pipe: OwnedPipe,
}

impl PipedConnection {
    pub(super) fn new(connection: Connection) -> Result<Self, Error> {
        let pipe = OwnedPipe(NonNull::from(Box::leak(Box::new(Pipe::default()))));
        let context = pipe.0.as_ptr().cast::<c_void>();
        // Put together before anything can fail, so that the order of dropping holds.
        let mut piped = Self { connection, pipe };
        let connection = &mut piped.connection;
        connection.set_receive_callback(Some(receive))?;
        connection.set_send_callback(Some(send))?;
        // SAFETY: the pipe lives until after the connection is dropped, see above.
        unsafe {
            connection.set_receive_context(context)?;
            connection.set_send_context(context)?;
        }
        Ok(piped)
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let pipe = self.pipe();
        if pipe.read == pipe.input.len() {
            pipe.input.clear();
            pipe.read = 0;
        }
        pipe.input.extend_from_slice(bytes);
    }

    pub(super) fn drain(&mut self, output: &mut Vec<u8>) {
        output.append(&mut self.pipe().output);
    }

    fn pipe(&mut self) -> &mut Pipe {
        // SAFETY: the pointer is valid as long as `self.pipe` is. The borrow is of all of
        // `self`: no call of s2n-tls, and so no callback, is under way.
        unsafe { self.pipe.0.as_mut() }
    }
}

/// Gives s2n-tls up to `capacity` bytes, or says that it would block.
///
/// # Safety
/// `context` is the pipe of a [`PipedConnection`] that is inside a call of s2n-tls, and
/// `buffer` has room for `capacity` bytes.
unsafe extern "C" fn receive(context: *mut c_void, buffer: *mut u8, capacity: u32) -> c_int {
    // SAFETY: by this function's own contract; nobody else uses the pipe meanwhile.
    let pipe = unsafe { &mut *context.cast::<Pipe>() };
    let rest = pipe.input.get(pipe.read..).unwrap_or_default();
    // What one call gives must be expressible in the result.
    let count = rest.len().min(capacity as usize).min(c_int::MAX as usize);
    if count == 0 {
        errno::set_errno(errno::Errno(WOULD_BLOCK));
        return -1;
    }
    // SAFETY: `rest` has `count` bytes at least, `buffer` has room for them by contract,
    // and s2n-tls' buffer can't overlap the pipe's.
    unsafe { buffer.copy_from_nonoverlapping(rest.as_ptr(), count) };
    pipe.read += count;
    count as c_int
}

/// Takes all bytes from s2n-tls.
///
/// # Safety
/// `context` is the pipe of a [`PipedConnection`] that is inside a call of s2n-tls, and
/// `bytes` points to `count` readable ones.
unsafe extern "C" fn send(context: *mut c_void, bytes: *const u8, count: u32) -> c_int {
    // SAFETY: by this function's own contract; nobody else uses the pipe meanwhile.
    let pipe = unsafe { &mut *context.cast::<Pipe>() };
    let count = (count as usize).min(c_int::MAX as usize);
    if count > 0 {
        // SAFETY: by this function's own contract.
        let bytes = unsafe { std::slice::from_raw_parts(bytes, count) };
        pipe.output.extend_from_slice(bytes);
    }
    count as c_int
}

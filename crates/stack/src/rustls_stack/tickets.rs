//! A client's tickets.

use std::fmt;
use std::sync::Mutex;

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// Keeps tickets of the one server there is, in the order of their coming.
///
/// It gives no hint of the server's group, so that a client always begins with the key
/// share that its scenario asks for.
#[derive(Default)]
pub(super) struct TicketWallet {
    forgets: bool,
    tls13: Mutex<Vec<Tls13ClientSessionValue>>,
    tls12: Mutex<Option<Tls12ClientSessionValue>>,
}

/// TLS 1.3 tickets kept; a server that sends two for each one used would fill any memory.
const CAPACITY: usize = 1024;

impl TicketWallet {
    /// One that takes tickets and drops them.
    pub(super) fn that_forgets() -> Self {
        Self {
            forgets: true,
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        let tls12 = usize::from(lock(&self.tls12).is_some());
        lock(&self.tls13).len() + tls12
    }
}

/// A panic in another thread can't leave a list of tickets half changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl ClientSessionStore for TicketWallet {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        if !self.forgets {
            *lock(&self.tls12) = Some(value);
        }
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        lock(&self.tls12).clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        *lock(&self.tls12) = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut tickets = lock(&self.tls13);
        if !self.forgets && tickets.len() < CAPACITY {
            tickets.push(value);
        }
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        lock(&self.tls13).pop()
    }
}

impl fmt::Debug for TicketWallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketWallet")
            .field("len", &self.len())
            .finish()
    }
}

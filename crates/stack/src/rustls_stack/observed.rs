//! What rustls tells its callbacks and keeps from its connections: the schemes of
//! signatures, and how a chain was judged.
//!
//! Verifiers and keys belong to a configuration that many connections share. They are
//! called within a step of one connection, on its thread: what they note there is its own.

use std::cell::RefCell;

use wire::SignatureScheme;

use crate::Verdict;

/// What one connection's callbacks have noted so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    /// The scheme of the peer's signature.
    pub(super) peer_scheme: Option<SignatureScheme>,
    /// The scheme that this side signed with.
    pub(super) own_scheme: Option<SignatureScheme>,
    /// How the peer's chain was judged.
    pub(super) verdict: Option<Verdict>,
}

thread_local! {
    static CURRENT: RefCell<Observed> = RefCell::default();
}

impl Observed {
    /// Performs a step of the connection that `self` belongs to.
    pub(super) fn during<T>(&mut self, step: impl FnOnce() -> T) -> T {
        CURRENT.set(std::mem::take(self));
        let result = step();
        *self = CURRENT.take();
        result
    }
}

/// Called from within a step.
pub(super) fn note(change: impl FnOnce(&mut Observed)) {
    CURRENT.with_borrow_mut(change);
}

//! The few calls that the `openssl` crate does not wrap, or marks unsafe.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslRef, SslSession};

/// `SSL_CTRL_GET_PEER_SIGNATURE_NAME` of `ssl.h`, since OpenSSL 3.5: what the macro
/// `SSL_get0_peer_signature_name` asks for.
const GET_PEER_SIGNATURE_NAME: c_int = 141;

/// The name of the negotiated group. `None` during the handshake, when asking crashes.
pub(super) fn group_name(ssl: &SslRef) -> Option<String> {
    if !ssl.is_init_finished() {
        return None;
    }
    // SAFETY: the pointer is of a live connection whose handshake is complete. The answer
    // is null or a C string that lives as long as the connection; it is copied at once.
    unsafe { owned(openssl_sys::SSL_get0_group_name(ssl.as_ptr())) }
}

/// The name of the scheme that the peer signed with; `None` before, and in a resumption.
pub(super) fn peer_signature_name(ssl: &SslRef) -> Option<String> {
    if !ssl.is_init_finished() {
        return None;
    }
    let mut name: *const c_char = std::ptr::null();
    // SAFETY: the pointer is of a live connection, and `name` of a variable that outlives
    // the call. On success it is set to a C string of static storage.
    unsafe {
        let place = (&raw mut name).cast();
        match openssl_sys::SSL_ctrl(ssl.as_ptr(), GET_PEER_SIGNATURE_NAME, 0, place) {
            1 => owned(name),
            _ => None,
        }
    }
}

/// Offers a session.
pub(super) fn set_session(ssl: &mut Ssl, session: &SslSession) -> Result<(), ErrorStack> {
    // SAFETY: a session must be used only with the context that it was made with; every
    // caller has one context, and gets its sessions from that context's callback.
    unsafe { ssl.set_session(session) }
}

/// Copies a C string.
///
/// # Safety
/// `text` is null or points to a string that ends in a zero byte.
unsafe fn owned(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: by this function's own contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().ok().map(str::to_owned)
}

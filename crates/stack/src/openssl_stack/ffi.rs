//! The few calls that the `openssl` crate does not wrap, or marks unsafe.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};

use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private};
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslSession};
use openssl::stack::StackRef;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509CrlRef, X509Ref};

/// `SSL_CTRL_GET_SIGNATURE_NAME` of `ssl.h`, since OpenSSL 3.5: what the macro
/// `SSL_get0_signature_name` asks for.
const GET_SIGNATURE_NAME: c_int = 140;
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
    signature_name(ssl, GET_PEER_SIGNATURE_NAME)
}

/// The name of the scheme that this side signed with; `None` where it signed nothing.
pub(super) fn own_signature_name(ssl: &SslRef) -> Option<String> {
    signature_name(ssl, GET_SIGNATURE_NAME)
}

fn signature_name(ssl: &SslRef, which: c_int) -> Option<String> {
    if !ssl.is_init_finished() {
        return None;
    }
    let mut name: *const c_char = std::ptr::null();
    // SAFETY: the pointer is of a live connection, and `name` of a variable that outlives
    // the call. On success it is set to a C string of static storage.
    unsafe {
        let place = (&raw mut name).cast();
        match openssl_sys::SSL_ctrl(ssl.as_ptr(), which, 0, place) {
            1 => owned(name),
            _ => None,
        }
    }
}

unsafe extern "C" {
    fn SSL_CTX_use_cert_and_key(
        context: *mut openssl_sys::SSL_CTX,
        certificate: *mut openssl_sys::X509,
        key: *mut openssl_sys::EVP_PKEY,
        chain: *mut openssl_sys::stack_st_X509,
        replace: c_int,
    ) -> c_int;
    fn X509_STORE_add_crl(
        store: *mut openssl_sys::X509_STORE,
        list: *mut openssl_sys::X509_CRL,
    ) -> c_int;
}

/// Gives a context one more certificate, with its own chain and key: the context has a
/// place for each type of key.
pub(super) fn add_certified_key(
    context: &mut SslContextBuilder,
    certificate: &X509Ref,
    key: &PKeyRef<Private>,
    chain: &StackRef<X509>,
) -> Result<(), ErrorStack> {
    // SAFETY: every pointer is of a live object; the context takes references of its own.
    let done = unsafe {
        SSL_CTX_use_cert_and_key(
            context.as_ptr(),
            certificate.as_ptr(),
            key.as_ptr(),
            chain.as_ptr(),
            1,
        )
    };
    success(done)
}

/// Adds a revocation list to a store of trust anchors.
pub(super) fn add_crl(store: &mut X509StoreBuilder, list: &X509CrlRef) -> Result<(), ErrorStack> {
    // SAFETY: both pointers are of live objects; the store takes a reference of its own.
    success(unsafe { X509_STORE_add_crl(store.as_ptr(), list.as_ptr()) })
}

fn success(done: c_int) -> Result<(), ErrorStack> {
    match done {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

/// Whether close_notify has come.
pub(super) fn has_received_shutdown(ssl: &SslRef) -> bool {
    // SAFETY: the pointer is of a live connection, and the call only reads a field of it.
    let state = unsafe { openssl_sys::SSL_get_shutdown(ssl.as_ptr()) };
    state & openssl_sys::SSL_RECEIVED_SHUTDOWN != 0
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

//! What servers do that lie, stall or send garbage, each with the cause that a scan has to name.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use audit::Cause;
use wire::NamedGroup;

use crate::scripted::{
    HYBRID, Hello, TLS13, X25519, alert, close, finish, message, records, reset, wait_for_end,
};

/// What is done to a connection whose ClientHello has come, and is not read yet.
pub(crate) struct Lie {
    pub(crate) name: &'static str,
    pub(crate) cause: Cause,
    pub(crate) act: fn(TcpStream, &Hello),
}

const fn lie(name: &'static str, cause: Cause, act: fn(TcpStream, &Hello)) -> Lie {
    Lie { name, cause, act }
}

/// No answer of these is a yes or a no.
#[rustfmt::skip]
pub(crate) const LIES: &[Lie] = &[
    lie("says nothing", Cause::Timeout, |socket, _| wait_for_end(socket)),
    lie("a byte a second", Cause::Timeout, trickle),
    lie("half an answer", Cause::Timeout, |socket, hello| {
        let answer = records(&hello.retry_request(X25519));
        finish(socket, &answer[..answer.len() / 2]);
    }),
    lie("resets", Cause::Reset, |socket, _| reset(socket)),
    lie("closes", Cause::Closed, close),
    lie("closes after half an answer", Cause::Closed, |mut socket, hello| {
        let answer = records(&hello.retry_request(X25519));
        let _ = socket.write_all(&answer[..answer.len() / 2]);
        close(socket, hello);
    }),
    lie("a message of 2^24-1 bytes", Cause::Garbage, |socket, _| {
        finish(socket, &[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]);
    }),
    lie("a record of 2^16-1 bytes", Cause::Garbage, |socket, _| {
        finish(socket, &[22, 3, 3, 0xff, 0xff, 2, 0, 0, 9]);
    }),
    lie("a retry request for a group that was not offered", Cause::Garbage, |socket, hello| {
        finish(socket, &records(&hello.retry_request(NamedGroup(0x2a2a))));
    }),
    lie("a share of a group that was not offered", Cause::Garbage, |socket, hello| {
        finish(socket, &records(&hello.with_share(NamedGroup(0x2a2a))));
    }),
    lie("a suite that was not offered", Cause::Garbage, |socket, hello| {
        let answer = hello.server_hello(&[7; 32], 0x0303, 0x13aa, &TLS13);
        finish(socket, &records(&answer));
    }),
    lie("a newer version that was not offered", Cause::Garbage, |socket, hello| {
        let extensions = [0, 43, 0, 2, 3, 5];
        let answer = hello.server_hello(&[7; 32], 0x0303, hello.tls13_suite(), &extensions);
        finish(socket, &records(&answer));
    }),
    lie("a suite of TLS 1.3 in TLS 1.1", Cause::Garbage, |socket, hello| {
        let answer = hello.server_hello(&[7; 32], 0x0302, hello.tls13_suite(), &[]);
        finish(socket, &records(&answer));
    }),
    lie("TLS 1.3 without a share", Cause::Garbage, |socket, hello| {
        let answer = hello.server_hello(&[7; 32], 0x0303, hello.tls13_suite(), &TLS13);
        finish(socket, &records(&answer));
    }),
    lie("a ticket that was not offered", Cause::Garbage, |socket, hello| {
        let extensions = [&TLS13[..], &[0, 41, 0, 2, 0, 0]].concat();
        let answer = hello.server_hello(&[7; 32], 0x0303, hello.tls13_suite(), &extensions);
        finish(socket, &records(&answer));
    }),
    lie("a ServerHello without a version of ours", Cause::Garbage, |socket, hello| {
        let answer = hello.server_hello(&[7; 32], 0x7f1c, hello.tls13_suite(), &[]);
        finish(socket, &records(&answer));
    }),
    lie("a certificate first", Cause::Garbage, |socket, _| {
        finish(socket, &records(&message(11, &[0, 0, 0, 0])));
    }),
    lie("data first", Cause::Garbage, |socket, _| finish(socket, &[23, 3, 3, 0, 1, 0])),
    lie("an alert of one byte", Cause::Garbage, |socket, _| finish(socket, &[21, 3, 3, 0, 1, 2])),
    lie("HTTP", Cause::Garbage, |socket, _| {
        finish(socket, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    }),
    lie("SSH", Cause::Garbage, |socket, _| finish(socket, b"SSH-2.0-OpenSSH_10.0\r\n")),
    lie("SSL 2", Cause::Garbage, |socket, _| {
        finish(socket, &[0x80, 0x0d, 4, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 7, 0]);
    }),
    lie("internal_error", Cause::Alert, |socket, _| finish(socket, &alert(2, 80))),
    lie("unrecognized_name", Cause::Alert, |socket, _| finish(socket, &alert(2, 112))),
    lie("user_canceled as a warning", Cause::Alert, |socket, _| finish(socket, &alert(1, 90))),
];

/// How many kinds of senders without an end there are.
pub(crate) const ENDLESS: usize = 4;

/// What such a sender sends once, and what again and again.
pub(crate) fn endless(hello: &Hello, kind: usize) -> (Vec<u8>, Vec<u8>) {
    match kind {
        // Empty records, warnings, ChangeCipherSpecs, and a message of 2^15 bytes and more.
        0 => (Vec::new(), vec![22, 3, 3, 0, 0]),
        1 => (Vec::new(), alert(1, 112).to_vec()),
        2 => (Vec::new(), vec![20, 3, 3, 0, 1, 1]),
        _ => {
            let begin = [&[2, 0, 0x7f, 0xfc], &hello.retry_request(HYBRID)[..]].concat();
            (records(&begin), records(&[0; 1000]))
        }
    }
}

fn trickle(mut socket: TcpStream, hello: &Hello) {
    for byte in records(&hello.retry_request(X25519)) {
        if socket.write_all(&[byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

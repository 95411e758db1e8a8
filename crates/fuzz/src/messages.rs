//! The codec of `wire`.

use wire::{
    Alert, CertificateMessage, CertificateRequest, CertificateVerify, ClientHello,
    CompressedCertificate, NewSessionTicket, ProtocolVersion, Records, ServerExtensions,
    ServerHello, ServerKeyExchange,
};

pub(crate) fn run(bytes: &[u8]) {
    let mut total = 0;
    for record in Records::new(bytes).flatten() {
        total += record.payload.len() + 5;
        body(record.payload);
    }
    assert!(total <= bytes.len(), "records hold more than there is");
    for message in wire::plaintext_messages(bytes).unwrap_or_default() {
        assert!(message.body.len() < bytes.len(), "a message from nowhere");
        body(&message.body);
    }
    body(bytes);
}

/// Every parser over the same bytes: which one is asked is the peer's choice, too.
fn body(body: &[u8]) {
    if let Ok(hello) = ClientHello::parse(body) {
        let shares: usize = hello.key_shares.iter().map(|share| share.length).sum();
        assert!(shares <= body.len(), "shares longer than their message");
        let _ = format!("{hello:?}");
    }
    let _ = ServerHello::parse(body).map(|hello| format!("{hello:?}"));
    let _ = ServerExtensions::of_server_hello(body);
    let _ = ServerExtensions::of_encrypted_extensions(body);
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        if let Ok(message) = CertificateMessage::parse(body, version) {
            let certificates: usize = message.certificates.iter().map(|c| c.len()).sum();
            assert!(certificates <= body.len());
        }
        let _ = CertificateRequest::parse(body, version);
        let _ = NewSessionTicket::parse(body, version);
    }
    let _ = CertificateVerify::parse(body);
    let _ = CompressedCertificate::parse(body);
    let _ = ServerKeyExchange::parse(body);
    let _ = Alert::parse(body);
    for is_static_rsa in [false, true] {
        let _ = wire::client_key_exchange_length(body, is_static_rsa);
    }
}

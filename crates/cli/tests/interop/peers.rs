//! The third parties: a file for each, beside the folder of its programs or configurations.

mod caddy;
mod chromium;
mod curl_cffi;
mod envoy;
mod go;
pub(crate) mod haproxy;
mod nginx;
mod node;
mod openssl;
mod proxy;
mod pyopenssl;

use crate::party::Peer;

/// Looks for all of them, at the same time. Their order is that of the table.
pub(crate) fn find() -> Vec<Peer> {
    const FIND: [fn() -> Peer; 11] = [
        node::peer,
        go::peer,
        pyopenssl::peer,
        openssl::peer,
        nginx::peer,
        haproxy::peer,
        envoy::peer,
        caddy::peer,
        curl_cffi::chrome,
        curl_cffi::plain,
        chromium::peer,
    ];
    std::thread::scope(|scope| {
        let finding: Vec<_> = FIND.into_iter().map(|find| scope.spawn(find)).collect();
        let found = finding.into_iter().map(|finding| finding.join());
        found
            .map(|peer| peer.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

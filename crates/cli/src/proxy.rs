//! `pqlab proxy`: TLS in front of a backend that has none, or an old one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use http::Uri;
use server::{Backend, Proxy, Site};
use stack::{ClientProfile, Offer, Trust};
use wire::ProtocolVersion;

use crate::arguments::seconds;
use crate::offer_options::trust_anchors;
use crate::serve::OverQuic;
use crate::server_options::ServerOptions;
use crate::{Ending, bad_input, runtime, serve};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The backend: http://HOST:PORT, https://HOST:PORT, or tcp://HOST:PORT for any
    /// protocol, whose bytes go through as they are.
    #[arg(value_name = "URL")]
    backend: Uri,

    #[command(flatten)]
    options: ServerOptions,

    /// Trust anchors for an https backend: a PEM file, `lab` or `system`.
    #[arg(long, default_value = "system", value_name = "FILE|lab|system")]
    backend_ca: String,

    /// The name in the certificate of an https backend, if it is not the host's.
    #[arg(long, value_name = "NAME")]
    backend_name: Option<String>,

    /// Seconds for connecting to the backend.
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = seconds)]
    backend_timeout: Duration,

    /// Seconds until the backend must begin to answer; less than --idle-timeout, after which
    /// the client is cut off.
    #[arg(long, default_value = "20", value_name = "SECONDS", value_parser = seconds)]
    response_timeout: Duration,

    /// One JSON object a line instead of sentences.
    #[arg(long)]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let (backend, is_http) = backend(&arguments).map_err(bad_input)?;
    let limit = arguments.response_timeout;
    if is_http && limit >= arguments.options.limits().idle {
        let what = "--response-timeout must be shorter than --idle-timeout";
        return Err(bad_input(anyhow!(what)));
    }
    // A client of HTTP needs a runtime to keep its connections in.
    let runtime = runtime()?;
    let _context = runtime.enter();
    let site = match is_http {
        true => Site::Proxy(Proxy::new(backend, limit)),
        false => Site::Tunnel(backend),
    };
    let alpn: &[&str] = if is_http { &["h2", "http/1.1"] } else { &[] };
    let alpn: Vec<String> = alpn.iter().map(ToString::to_string).collect();
    let served = serve::run(
        &arguments.options,
        &alpn,
        site,
        OverQuic::Nothing,
        arguments.json,
    );
    runtime.block_on(served)
}

/// The backend, and whether it speaks HTTP.
fn backend(arguments: &Arguments) -> Result<(Backend, bool)> {
    let uri = &arguments.backend;
    let authority = uri.authority().cloned();
    let authority = authority.context("the backend needs a host: http://127.0.0.1:8080")?;
    if uri
        .path_and_query()
        .is_some_and(|path| path.as_str() != "/")
    {
        return Err(anyhow!(
            "the backend is a host and a port; {} has a path",
            uri
        ));
    }
    let limit = arguments.backend_timeout;
    match uri.scheme_str() {
        Some("http") => Ok((Backend::plaintext(authority, limit), true)),
        Some("tcp") if authority.port().is_some() => {
            Ok((Backend::plaintext(authority, limit), false))
        }
        Some("https") => {
            let name = arguments.backend_name.clone();
            let profile = ClientProfile {
                // An old backend has no hybrids: it is the one thing that may lack them.
                offer: Offer {
                    versions: vec![ProtocolVersion::Tls13, ProtocolVersion::Tls12],
                    alpn: vec![b"http/1.1".to_vec()],
                    ..Offer::default()
                },
                server_name: name.unwrap_or_else(|| authority.host().to_owned()),
                trust: Trust::Verify(trust_anchors(&arguments.backend_ca)?),
                certificate: None,
                resumes: true,
            };
            let stack = stack::by_name(&"rustls".parse()?)?;
            let endpoint = Arc::from(stack.client(&profile)?);
            Ok((Backend::tls(authority, endpoint, limit), true))
        }
        _ => Err(anyhow!(
            "the backend is http://HOST:PORT, https://HOST:PORT or tcp://HOST:PORT, not {uri}"
        )),
    }
}

//! `pqlab serve`: an HTTPS server to point other software at.

mod http3;
mod log;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use quic::ServerError;
use server::{Event, HttpsServer, Metrics, MetricsServer, Site, Transport, Trouble};
use stack::{ClientProfile, Endpoint, Offer, ServerProfile, TlsStack, Trust};
use tokio::sync::watch;

use crate::Ending;
use crate::bad_input;
use crate::runtime;
use crate::server_options::ServerOptions;
use log::Log;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: ServerOptions,

    /// Application protocols (ALPN), the most wanted first.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "PROTOCOL,…",
        default_value = "h2,http/1.1"
    )]
    alpn: Vec<String>,

    /// Serve the files of this folder, but for dotfiles and what symbolic links lead to
    /// outside of it. Without it, a page shows visitors what was negotiated with them; /json
    /// has the same for programs.
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// Serve the page over HTTP/3 as well, at the UDP port of the same number. rustls only.
    #[arg(long, conflicts_with = "root")]
    quic: bool,

    /// Have QUIC clients show that they are at their address before the handshake: a round
    /// trip, and no limit to the server's first flight (RFC 9000 section 8.1.2).
    #[arg(long, requires = "quic")]
    retry: bool,

    /// One JSON object a line instead of sentences.
    #[arg(long)]
    json: bool,
}

/// What is served over QUIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverQuic {
    Nothing,
    Page { has_retry: bool },
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let site = match &arguments.root {
        Some(root) => Site::files(root).map_err(bad_input)?,
        None => Site::Echo,
    };
    let over_quic = match arguments.quic {
        true => OverQuic::Page {
            has_retry: arguments.retry,
        },
        false => OverQuic::Nothing,
    };
    runtime()?.block_on(run(
        &arguments.options,
        &arguments.alpn,
        site,
        over_quic,
        arguments.json,
    ))
}

/// Serves until a signal comes, and says what became of its connections.
pub(crate) async fn run(
    options: &ServerOptions,
    alpn: &[String],
    site: Site,
    over_quic: OverQuic,
    is_json: bool,
) -> Result<Ending> {
    let (stack, profile) = options.profile(alpn)?;
    let (mut server, http3) = bind(options, stack, &profile, &site, over_quic).await?;
    let (log, writing) = Log::start(is_json)?;
    let http3_is_served = Arc::new(AtomicBool::new(true));
    if let Some(http3) = &http3 {
        server = server.with_http3(http3.local_addr().port(), http3_is_served.clone());
    }
    let server = server.with_log({
        let log = log.clone();
        move |trouble| log.tell(trouble)
    });
    let metrics = match &options.metrics {
        None => None,
        Some(place) => {
            let address = place.address().map_err(bad_input)?;
            let bound = MetricsServer::bind(address, server.metrics()).await;
            Some(bound.map_err(bad_input)?)
        }
    };
    warm_up(stack, &profile);
    let stop = stop_signal()?;
    let counted = server.metrics();
    let at_metrics = metrics.as_ref().map(MetricsServer::local_addr);
    if is_json {
        let address = server.local_addr().to_string();
        let metrics = at_metrics.map(|address| address.to_string());
        let event = "listening";
        let quic = http3.as_ref().map(|http3| http3.local_addr().to_string());
        let line = serde_json::json!({
            "event": event, "address": address, "metrics": metrics, "quic": quic,
        });
        say!("{line}");
    } else {
        say!("listening on https://{}", server.local_addr());
        if let Some(http3) = &http3 {
            say!("and for HTTP/3 at UDP {}", http3.local_addr());
        }
        if let Some(address) = at_metrics {
            say!("metrics at http://{address}/metrics");
        }
    }
    if let Some(metrics) = metrics {
        tokio::spawn(metrics.serve(stopped(stop.clone())));
    }
    let over_quic = http3.map(|http3| {
        let page = http3::Page {
            address: http3.local_addr(),
            metrics: server.metrics(),
            is_served: http3_is_served.clone(),
            log: move |trouble: &Trouble| log.tell(trouble),
        };
        tokio::spawn(http3.serve(Arc::new(page), stopped(stop.clone()), options.grace()))
    });
    server.serve(stopped(stop), options.grace()).await;
    let mut transports = vec![Transport::Tcp];
    if let Some(over_quic) = over_quic {
        over_quic.await.context("serving HTTP/3")?;
        transports.push(Transport::Quic);
    }
    writing.end(LAST_LINES);
    tell_counts(&counted, &transports, is_json);
    match http3_is_served.load(Ordering::Relaxed) {
        true => Ok(Ending::Good),
        false => Err(anyhow!("the UDP socket failed before the end")),
    }
}

/// How long lines about failures may take to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(1);
/// How often the system is asked for a port that is free for TCP and UDP.
const PORTS: usize = 8;

/// Listens for HTTPS, and for HTTP/3 at the UDP port of the same number.
async fn bind(
    options: &ServerOptions,
    stack: &dyn TlsStack,
    profile: &ServerProfile,
    site: &Site,
    over_quic: OverQuic,
) -> Result<(HttpsServer, Option<quic::Server>)> {
    let endpoint: Arc<dyn Endpoint> = Arc::from(stack.server(profile).map_err(bad_input)?);
    let address = options.listen.address().map_err(bad_input)?;
    let limits = options.limits();
    let https = || HttpsServer::bind(address, endpoint.clone(), site.clone(), limits);
    let has_retry = match over_quic {
        OverQuic::Nothing => return Ok((https().await.map_err(bad_input)?, None)),
        OverQuic::Page { .. } if stack.name().as_str() != "rustls" => {
            return Err(bad_input(anyhow!(
                "QUIC is served with --stack rustls only"
            )));
        }
        OverQuic::Page { has_retry } => has_retry,
    };
    let http3 = http3::binder(profile, has_retry, limits)?;
    let mut ports = if address.port() == 0 { PORTS } else { 1 };
    loop {
        let server = https().await.map_err(bad_input)?;
        ports -= 1;
        match http3(server.local_addr()) {
            Ok(http3) => return Ok((server, Some(http3))),
            // The system chose a port that is free for TCP only.
            Err(ServerError::Bind { .. }) if ports > 0 => {}
            Err(error) => return Err(bad_input(error)),
        }
    }
}

/// Has the library seed its random number generator, which takes tens of milliseconds in
/// some, before the first client waits for it.
fn warm_up(stack: &dyn TlsStack, profile: &ServerProfile) {
    let client = ClientProfile {
        offer: Offer {
            key_log: None,
            ..profile.offer.clone()
        },
        server_name: "localhost".to_owned(),
        trust: Trust::Unverified,
        certificate: None,
        resumes: false,
    };
    // Where it fails, the first client waits.
    let _ = stack
        .client(&client)
        .and_then(|endpoint| endpoint.connection())
        .and_then(|mut connection| connection.advance(&[], &mut Vec::new()));
}

/// Becomes true with the first SIGINT or SIGTERM; the second ends the process at once.
pub(crate) fn stop_signal() -> Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    ctrlc::set_handler(move || {
        if sender.send_replace(true) {
            std::process::exit(130);
        }
    })
    .context("waiting for signals")?;
    Ok(receiver)
}

pub(crate) async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error says that nobody can give the signal any more.
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

/// What became of connections: those over TCP, and of QUIC where that was served.
fn tell_counts(metrics: &Metrics, transports: &[Transport], is_json: bool) {
    let counts = |transport: Transport| {
        let counters = metrics.counters(transport);
        let counts = Event::ALL.map(|event| (event.name(), counters.count(event)));
        counts.into_iter().filter(|(_, count)| *count > 0)
    };
    if is_json {
        let mut line = serde_json::Map::from_iter([("event".to_owned(), "stopped".into())]);
        for transport in transports {
            let field = match transport {
                Transport::Tcp => "connections",
                Transport::Quic => "quic_connections",
            };
            let counts = counts(*transport).map(|(name, n)| (name.to_owned(), n.into()));
            let counts = serde_json::Value::Object(counts.collect());
            line.insert(field.to_owned(), counts);
        }
        say!("{}", serde_json::Value::Object(line));
    } else {
        for transport in transports {
            let counts: Vec<_> = counts(*transport)
                .map(|(event, n)| format!("{event} {n}"))
                .collect();
            let counts = match counts.as_slice() {
                [] => "none".to_owned(),
                counts => counts.join(", "),
            };
            say!("stopped; connections over {}: {counts}", transport.name());
        }
    }
}

//! `pqlab serve`: an HTTPS server to point other software at.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use server::{Counters, Event, HttpsServer, MetricsServer, Site};
use tokio::sync::watch;

use crate::Ending;
use crate::bad_input;
use crate::runtime;
use crate::server_options::ServerOptions;

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

    /// Serve the files of this folder. Without it, a page shows visitors what was
    /// negotiated with them; /json has the same for programs.
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// One JSON object a line instead of sentences.
    #[arg(long)]
    json: bool,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let site = match &arguments.root {
        Some(root) => Site::files(root).map_err(bad_input)?,
        None => Site::Echo,
    };
    runtime()?.block_on(run(
        &arguments.options,
        &arguments.alpn,
        site,
        arguments.json,
    ))
}

/// Serves until a signal comes, and says what became of its connections.
pub(crate) async fn run(
    options: &ServerOptions,
    alpn: &[String],
    site: Site,
    is_json: bool,
) -> Result<Ending> {
    let (stack, profile) = options.profile(alpn)?;
    let endpoint = stack.server(&profile).map_err(bad_input)?;
    let server = HttpsServer::bind(options.listen, Arc::from(endpoint), site, options.limits());
    let server = server.await.map_err(bad_input)?;
    let metrics = match options.metrics {
        None => None,
        Some(address) => {
            let bound = MetricsServer::bind(address, server.metrics()).await;
            Some(bound.map_err(bad_input)?)
        }
    };
    let stop = stop_signal()?;
    let counters = server.counters();
    let at_metrics = metrics.as_ref().map(MetricsServer::local_addr);
    if is_json {
        let address = server.local_addr().to_string();
        let metrics = at_metrics.map(|address| address.to_string());
        let event = "listening";
        let line = serde_json::json!({"event": event, "address": address, "metrics": metrics});
        println!("{line}");
    } else {
        println!("listening on https://{}", server.local_addr());
        if let Some(address) = at_metrics {
            println!("metrics at http://{address}/metrics");
        }
    }
    if let Some(metrics) = metrics {
        tokio::spawn(metrics.serve(stopped(stop.clone())));
    }
    server.serve(stopped(stop), options.grace()).await;
    tell_counts(&counters, is_json);
    Ok(Ending::Good)
}

/// Becomes true with the first SIGINT or SIGTERM; the second ends the process at once.
fn stop_signal() -> Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    ctrlc::set_handler(move || {
        if sender.send_replace(true) {
            std::process::exit(130);
        }
    })
    .context("waiting for signals")?;
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error says that nobody can give the signal any more.
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

fn tell_counts(counters: &Counters, is_json: bool) {
    let counts = Event::ALL.map(|event| (event.name(), counters.count(event)));
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    if is_json {
        let counts: serde_json::Map<_, _> = counts
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect();
        println!(
            "{}",
            serde_json::json!({"event": "stopped", "connections": counts})
        );
    } else {
        let counts: Vec<String> = counts.map(|(name, n)| format!("{name} {n}")).collect();
        println!("stopped; connections: {}", counts.join(", "));
    }
}

//! Cases played out: a server starts, a client connects, both are asked what they saw.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cases::{Anchor, Case, ClientCertificate};
use crate::expected::{Expected, Side};
use crate::lab::Lab;
use crate::party::{Client, Peer, Run, Server};
use crate::pqlab::Pqlab;
use crate::table::Outcome;
use crate::terms::{ClientTerms, SERVER_NAME, Seen, ServerTerms, Shown};

/// For one case.
const LIMIT: Duration = Duration::from_secs(10);
/// A browser takes its time to start.
const BROWSER_LIMIT: Duration = Duration::from_secs(30);

/// Plays all cases, as many at a time as there are processors.
pub(crate) fn all(peers: &[Peer], cases: &[Case], lab: &Arc<Lab>) -> Vec<Outcome> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![None; cases.len()]);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { break };
                    let outcome = one(&peers[case.peer], case, index, lab);
                    let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                    outcomes[index] = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let never = || Outcome::Failed {
        why: "was not played".to_owned(),
        seen: None,
    };
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(never))
        .collect()
}

fn one(peer: &Peer, case: &Case, index: usize, lab: &Arc<Lab>) -> Outcome {
    if let Err(why) = &peer.version {
        return Outcome::Skipped { why: why.clone() };
    }
    let played = catch_unwind(AssertUnwindSafe(|| connect(peer, case, index, lab)));
    let failed = |why: String| Outcome::Failed { why, seen: None };
    let (client, server, by_alert) = match played {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => return failed(format!("{error:#}")),
        Err(_) => return failed("the suite panicked".to_owned()),
    };
    let verdict = case.expected.check(&client, &server, by_alert);
    let (ours, theirs) = match case.role {
        Side::Client => (server, client),
        Side::Server => (client, server),
    };
    match (verdict, &case.expected) {
        (Ok(()), Expected::Agreed(_)) => Outcome::Agreed { ours, theirs },
        (Ok(()), Expected::Refused(_)) => Outcome::RefusedAsExpected { ours, theirs },
        (Err(why), _) => Outcome::Failed {
            why,
            seen: Some((ours, theirs)),
        },
    }
}

/// What the client and the server say, and whether the one that finds fault with the other's
/// certificate says so by an alert.
fn connect(peer: &Peer, case: &Case, index: usize, lab: &Arc<Lab>) -> Result<(Seen, Seen, bool)> {
    let ours = Pqlab {
        lab: lab.clone(),
        verb: case.verb,
        stack: case.stack,
    };
    let limit = if peer.name == "chromium" {
        BROWSER_LIMIT
    } else {
        LIMIT
    };
    let run = Run {
        scratch: lab.scratch(index)?,
        deadline: Instant::now() + limit,
        handshakes: if case.resumes { 2 } else { 1 },
    };
    match case.role {
        Side::Client => {
            let (_, client) = peer.client.as_ref().context("is no client")?;
            play(client.as_ref(), &ours, case, lab, &run)
        }
        Side::Server => {
            let (_, server) = peer.server.as_ref().context("is no server")?;
            play(&ours, server.as_ref(), case, lab, &run)
        }
    }
}

fn play(
    client: &dyn Client,
    server: &dyn Server,
    case: &Case,
    lab: &Lab,
    run: &Run,
) -> Result<(Seen, Seen, bool)> {
    let roots = lab.roots(&case.chains, &run.scratch)?;
    let first = case.chains.first().context("no certificate")?;
    let server_terms = ServerTerms {
        version: Shown(case.version),
        groups: case.server_groups.iter().copied().map(Shown).collect(),
        certificates: case.chains.iter().map(|a| lab.server(*a)).collect(),
        roots: (case.client_certificate != ClientCertificate::NotWanted).then(|| roots.clone()),
        alpn: case.alpn.clone(),
    };
    let mut listening = server.start(&server_terms, run).context("the server")?;
    let client_terms = ClientTerms {
        port: listening.port(),
        server_name: SERVER_NAME,
        path: "/json",
        version: Shown(case.version),
        groups: case.client_groups.iter().copied().map(Shown).collect(),
        certificate: match case.client_certificate {
            ClientCertificate::NotWanted | ClientCertificate::Missing => None,
            ClientCertificate::Right => Some(lab.client(*first)),
            ClientCertificate::Strange => Some(lab.strange_client()),
        },
        roots: match case.anchor {
            Anchor::Right => roots,
            Anchor::Strange => lab.strange_root(),
        },
        alpn: case.alpn.clone(),
        resumes: case.resumes,
    };
    let seen = client.connect(&client_terms, run).context("the client")?;
    let by_server = listening.seen(&seen, run).context("the server")?;
    let by_alert = match case.client_certificate {
        ClientCertificate::NotWanted => client.refuses_by_alert(),
        _ => server.refuses_by_alert(),
    };
    Ok((seen, by_server, by_alert))
}

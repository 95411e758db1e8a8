//! `pqlab ca verify`

use std::path::{Path, PathBuf};

use ::ca::Kind;
use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{Table, presets};
use rustls_pki_types::CertificateDer;
use serde_json::json;
use stack::{PeerName, Purpose, Question, judge};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Options, date, fault, now, stamp};
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input};

#[derive(Args)]
pub(super) struct Verify {
    /// A chain in PEM, the end entity first, or a certificate of the store by its serial
    /// number or a name that it is for.
    #[arg(value_name = "FILE|SERIAL|NAME")]
    what: String,

    /// The name that a client wants of the server; the first name of the certificate, if
    /// none is given.
    #[arg(long, value_name = "NAME", conflicts_with = "client")]
    name: Option<String>,

    /// Judge it as the certificate of a client.
    #[arg(long)]
    client: bool,

    /// Trust anchors (PEM); the roots of the store, if none is given.
    #[arg(long, value_name = "FILE")]
    root: Vec<PathBuf>,

    /// Revocation lists (PEM). With any, the end entity must be on a fresh list of its
    /// issuer, and not revoked.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// When, such as 2030-01-01T00:00:00Z; now, if nothing is said.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<OffsetDateTime>,
}

fn moment(text: &str) -> Result<OffsetDateTime, String> {
    // A day alone is its beginning.
    let whole = if text.contains('T') {
        text.to_owned()
    } else {
        format!("{text}T00:00:00Z")
    };
    OffsetDateTime::parse(&whole, &Rfc3339)
        .map_err(|_| "a time such as 2030-01-01T00:00:00Z, or a day".to_owned())
}

pub(super) fn verify(options: &Options, arguments: &Verify) -> Result<Ending> {
    let path = Path::new(&arguments.what);
    let (mut is_client, mut revoked) = (arguments.client, None);
    let chain = if path.is_file() {
        pki::certificates_from_pem(&read(path)?)
            .with_context(|| path.display().to_string())
            .map_err(bad_input)?
    } else {
        let store = options.open()?;
        let issued = store.find(&arguments.what, now()).map_err(fault)?;
        is_client |= issued.kind == Kind::Client && arguments.name.is_none();
        let chain = store.chain(&issued).map_err(fault)?;
        // Verifiers look up the end entity alone; the store knows of its issuers, too.
        for one in store.issued().map_err(fault)? {
            let der = store.certificate(&one.fingerprint).map_err(fault)?;
            if revoked.is_none() && chain.contains(&der) {
                revoked = one.revocation.map(|revocation| (one.subject, revocation));
            }
        }
        chain
    };
    let roots = roots(options, &arguments.root)?;
    let mut crls = Vec::new();
    for path in &arguments.crl {
        crls.extend(pki::crls_from_pem(&read(path)?).map_err(bad_input)?);
    }
    let leaf = pki::Certificate::from_der(&chain[0]).map_err(bad_input)?;
    let name = arguments.name.clone().or(leaf.names.first().cloned());
    // What a wildcard is for is any name of one label more.
    let name = name.unwrap_or_default().replace('*', "any");
    let peer = PeerName::from(name.as_str());
    let at = arguments.at.unwrap_or_else(now);
    let judgements = judge(&Question {
        chain: &chain,
        roots: &roots,
        crls: &crls,
        purpose: match is_client {
            true => Purpose::Client,
            false => Purpose::Server(&peer),
        },
        at: at.into(),
    });
    let is_good = judgements.iter().all(|j| j.refusal.is_none()) && revoked.is_none();
    if options.json {
        let verdicts: Vec<_> = judgements
            .iter()
            .map(|j| {
                let refusal = j.refusal.as_ref();
                json!({
                    "library": j.library,
                    "accepts": refusal.is_none(),
                    "code": refusal.map(|r| &r.code),
                    "text": refusal.map(|r| &r.text),
                })
            })
            .collect();
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "subject": leaf.subject,
            "name": (!is_client).then_some(&name),
            "at": stamp(at),
            "revoked_in_store": revoked.as_ref().map(|(subject, r)| {
                json!({"subject": subject, "at": stamp(r.at), "reason": r.reason.name()})
            }),
            "verdicts": verdicts,
        });
        say!("{json:#}");
    } else {
        let what = match is_client {
            true => "as a client".to_owned(),
            false => format!("as the server {name}"),
        };
        say!("{} {what}, at {}", leaf.subject, date(at));
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        for judgement in &judgements {
            let library = judgement.library;
            match &judgement.refusal {
                None => table.add_row([library, "accepts", "", ""]),
                Some(refusal) => table.add_row([library, "refuses", &refusal.code, &refusal.text]),
            };
        }
        say!("{table}");
        if let Some((subject, revocation)) = &revoked {
            let at = date(revocation.at);
            say!(
                "The store knows {subject} as revoked since {at}: {}.",
                revocation.reason
            );
        }
    }
    Ok(if is_good { Ending::Good } else { Ending::Bad })
}

fn roots(options: &Options, files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>> {
    if files.is_empty() {
        return options.open()?.roots().map_err(fault);
    }
    let mut roots = Vec::new();
    for path in files {
        let text = read(path)?;
        let found = pki::certificates_from_pem(&text)
            .with_context(|| path.display().to_string())
            .map_err(bad_input)?;
        roots.extend(found);
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)
}

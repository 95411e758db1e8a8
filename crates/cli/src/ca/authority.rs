//! `pqlab ca init`

use ::ca::{Authority, CaError, NewAuthority, Store, Subject};
use anyhow::Result;
use clap::Args;
use comfy_table::{Table, presets};
use serde_json::json;
use time::Duration;
use wire::SignatureAlgorithm;

use super::{Options, date, days, fault, now};
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input};

#[derive(Args)]
pub(super) struct Init {
    /// The algorithm of a hierarchy: see `pqlab list auth`. Several make one each; two, one
    /// classical and one ML-DSA, if none is named, so that old and new clients can be served.
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Vec<SignatureAlgorithm>,

    /// What the authorities are called; their level and algorithm are added.
    #[arg(long, default_value = "pqlab", value_name = "NAME")]
    name: String,

    /// The organization that stands in their names.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,

    /// How many intermediates stand below each root; the last one issues. With 0, the root
    /// does.
    #[arg(long, default_value = "1", value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=4))]
    intermediates: u8,

    /// Certificates may be issued for this domain and what is below it, and for no other:
    /// a name constraint (RFC 5280 section 4.2.1.10).
    #[arg(long, value_name = "DOMAIN")]
    permit_dns: Vec<String>,

    /// Where the revocation lists will be published; `{id}` stands for the authority. They
    /// are not put there.
    #[arg(long, value_name = "URL")]
    crl_url: Option<String>,

    /// How long the roots are valid.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    root_days: Option<Duration>,

    /// How long the intermediates are valid, never beyond their root.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    days: Option<Duration>,

    /// Add hierarchies to a store that exists.
    #[arg(long)]
    add: bool,
}

/// The two that a migration needs beside each other.
const BOTH: [SignatureAlgorithm; 2] = [SignatureAlgorithm::EcdsaP256, SignatureAlgorithm::MlDsa65];

pub(super) fn init(options: &Options, arguments: Init) -> Result<Ending> {
    for domain in &arguments.permit_dns {
        let name: Result<::ca::Name, _> = format!("dns:{domain}").parse();
        if let Err(error) = name {
            return Err(bad_input(error));
        }
    }
    let passphrase = options.passphrase()?;
    let is_encrypted = passphrase.is_some();
    let store = match arguments.add {
        true => options.open()?,
        false => Store::create(&options.store, passphrase).map_err(fault)?,
    };
    let mut algorithms = arguments.algorithm.clone();
    if algorithms.is_empty() {
        algorithms = BOTH.to_vec();
    }
    let mut made = Vec::new();
    for algorithm in algorithms {
        made.extend(hierarchy(&store, &arguments, algorithm).map_err(fault)?);
    }
    if options.json {
        let authorities: Vec<_> = made.iter().map(|a| json(&store, a)).collect();
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "store": options.store,
            "keys_encrypted": is_encrypted,
            "authorities": authorities,
        });
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    say!("{}", table(&store, &made));
    let keys = if is_encrypted {
        "encrypted"
    } else {
        "not encrypted, mode 0600"
    };
    say!("\nIn {}; keys are {keys}.", options.store.display());
    let dual = if made.iter().any(|a| a.algorithm.facts().post_quantum)
        && made.iter().any(|a| !a.algorithm.facts().post_quantum)
    {
        " --dual"
    } else {
        ""
    };
    say!("Next: pqlab ca issue{dual} server.example.test");
    Ok(Ending::Good)
}

fn hierarchy(
    store: &Store,
    arguments: &Init,
    algorithm: SignatureAlgorithm,
) -> Result<Vec<Authority>, CaError> {
    let count = arguments.intermediates;
    let mut made: Vec<Authority> = Vec::new();
    for level in 0..=count {
        let (title, id) = match level {
            0 => ("Root CA".to_owned(), format!("root-{algorithm}")),
            1 if count == 1 => ("Issuing CA".to_owned(), format!("issuing-{algorithm}")),
            n => (
                format!("Issuing CA {n}"),
                format!("issuing-{n}-{algorithm}"),
            ),
        };
        let common_name = format!("{} {title} {algorithm}", arguments.name);
        let mut subject = format!("CN={}", escape(&common_name));
        if let Some(organization) = &arguments.organization {
            subject.push_str(&format!(",O={}", escape(organization)));
        }
        let subject: Subject = subject.parse()?;
        let url = arguments.crl_url.as_ref();
        let new = NewAuthority {
            subject,
            algorithm,
            issuer: made.last().map(|above| above.id.clone()),
            path_length: Some(count - level),
            // The root bears it too: what is under no constraint can't be constrained later.
            permitted_dns: arguments.permit_dns.clone(),
            crl_url: url.map(|url| url.replace("{id}", &id)),
            lifetime: if level == 0 {
                arguments.root_days
            } else {
                arguments.days
            },
            id,
        };
        made.push(store.create_authority(&new, now())?);
    }
    Ok(made)
}

/// RFC 4514: a comma belongs to a value where a backslash stands before it.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,")
}

pub(super) fn table(store: &Store, authorities: &[Authority]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "authority",
        "state",
        "algorithm",
        "issuer",
        "bytes",
        "until",
        "subject",
    ]);
    for authority in authorities {
        let certificate = parsed(store, authority);
        let (bytes, until) = certificate.map_or_else(
            || ("–".to_owned(), "–".to_owned()),
            |c| (c.length.to_string(), date(c.not_after)),
        );
        let outside = if authority.is_subordinate {
            "outside"
        } else {
            "itself"
        };
        table.add_row([
            authority.id.as_str(),
            authority.state.label(),
            &authority.algorithm.to_string(),
            authority.issuer.as_deref().unwrap_or(outside),
            &bytes,
            &until,
            &authority.subject.to_string(),
        ]);
    }
    table
}

fn parsed(store: &Store, authority: &Authority) -> Option<pki::Certificate> {
    let fingerprint = authority.fingerprint.as_ref()?;
    let der = store.certificate(fingerprint).ok()?;
    pki::Certificate::from_der(&der).ok()
}

pub(super) fn json(store: &Store, authority: &Authority) -> serde_json::Value {
    let certificate = parsed(store, authority);
    json!({
        "id": authority.id,
        "state": authority.state.label(),
        "subject": authority.subject,
        "algorithm": authority.algorithm.to_string(),
        "post_quantum": authority.algorithm.facts().post_quantum,
        "issuer": authority.issuer,
        "path_length": authority.path_length,
        "permitted_dns": authority.permitted_dns,
        "crl_url": authority.crl_url,
        "crl_number": authority.crl_number,
        "grants": authority.grants,
        "fingerprint_sha256": authority.fingerprint,
        "serial": certificate.as_ref().map(|c| &c.serial),
        "certificate_bytes": certificate.as_ref().map(|c| c.length),
        "not_before": certificate.as_ref().map(|c| date(c.not_before)),
        "not_after": certificate.as_ref().map(|c| date(c.not_after)),
    })
}

//! `pqlab ca init`

use ::ca::{Authority, CaError, Name, NewAuthority, Store, Subject};
use anyhow::Result;
use clap::Args;
use comfy_table::{Table, presets};
use serde_json::json;
use time::Duration;
use wire::SignatureAlgorithm;

use super::{Options, date, days, fault, now, stamp};
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
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    permit_dns: Vec<String>,

    /// Where the revocation lists will be published; `{id}` stands for the authority. They
    /// are not put there: `pqlab ca crl --der` writes them.
    #[arg(long, value_name = "URL", value_parser = url)]
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

    /// An end for the names of the authorities, where there are such already.
    #[arg(long, value_name = "END")]
    id_suffix: Option<String>,
}

/// The two that a migration needs beside each other.
const BOTH: [SignatureAlgorithm; 2] = [SignatureAlgorithm::EcdsaP256, SignatureAlgorithm::MlDsa65];

pub(super) fn init(options: &Options, arguments: Init) -> Result<Ending> {
    let mut algorithms = arguments.algorithm.clone();
    if algorithms.is_empty() {
        algorithms = BOTH.to_vec();
    }
    let tag = tag();
    let mut wanted = Vec::new();
    for algorithm in algorithms {
        wanted.extend(hierarchy(&arguments, algorithm, &tag)?);
    }
    let store = match arguments.add {
        true => options.open()?,
        false => empty_store(options)?,
    };
    let is_encrypted = store.is_encrypted();
    let made = store.create_authorities(&wanted, now()).map_err(fault)?;
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
        "keys of authorities are encrypted, those of certificates with --encrypt-key"
    } else {
        "keys are not encrypted, mode 0600"
    };
    say!("\nIn {}; {keys}.", options.store.display());
    let dual = if made.iter().any(|a| a.algorithm.facts().post_quantum)
        && made.iter().any(|a| !a.algorithm.facts().post_quantum)
    {
        " --dual"
    } else {
        ""
    };
    let next = options.command(&format!("issue{dual} server.example.test"));
    say!("Next: {next}");
    Ok(Ending::Good)
}

/// A new store, or one whose making was cut off before it held anything.
fn empty_store(options: &Options) -> Result<Store> {
    match Store::create(&options.store, options.passphrase()?) {
        Err(CaError::StoreExists { folder }) => {
            let store = options.open()?;
            match store.authorities().map_err(fault)?.is_empty() {
                true => Ok(store),
                false => Err(fault(CaError::StoreExists { folder })),
            }
        }
        created => created.map_err(fault),
    }
}

/// What tells the authorities of one store from those of another: programs look them up by
/// name.
fn tag() -> String {
    format!("{:08x}", rand::random::<u32>())
}

/// A domain for a name constraint.
fn domain(text: &str) -> Result<String, String> {
    match text.parse() {
        Ok(Name::Dns(name)) if !name.starts_with('*') => Ok(name),
        Ok(_) => {
            Err("a domain, such as example.test; what is below it is meant as well".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// A place that lists are fetched from.
fn url(text: &str) -> Result<String, String> {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    match is_web && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("an address that begins with http:// and has no blanks".to_owned()),
    }
}

fn hierarchy(
    arguments: &Init,
    algorithm: SignatureAlgorithm,
    tag: &str,
) -> Result<Vec<NewAuthority>> {
    let count = arguments.intermediates;
    let end = arguments.id_suffix.as_ref();
    let end = end.map_or_else(|| algorithm.to_string(), |end| format!("{algorithm}-{end}"));
    let mut made: Vec<NewAuthority> = Vec::new();
    for level in 0..=count {
        let (title, id) = match level {
            0 => ("Root CA".to_owned(), format!("root-{end}")),
            1 if count == 1 => ("Issuing CA".to_owned(), format!("issuing-{end}")),
            n => (format!("Issuing CA {n}"), format!("issuing-{n}-{end}")),
        };
        let common_name = format!("{} {title} {algorithm} {tag}", arguments.name);
        let mut subject = format!("CN={}", pki::escape(&common_name));
        if let Some(organization) = &arguments.organization {
            subject.push_str(&format!(",O={}", pki::escape(organization)));
        }
        let subject: Subject = subject.parse().map_err(bad_input)?;
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
        made.push(new);
    }
    Ok(made)
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
        "not_before": certificate.as_ref().map(|c| stamp(c.not_before)),
        "not_after": certificate.as_ref().map(|c| stamp(c.not_after)),
    })
}

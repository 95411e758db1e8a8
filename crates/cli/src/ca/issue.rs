//! `pqlab ca issue`, `csr`, `sign`

use std::path::PathBuf;

use ::ca::{
    AuthorityState, Issued, Kind, Name, Order, Request, SignOrder, Store, Subject, new_request,
};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use pki::Role;
use serde_json::json;
use time::Duration;
use wire::SignatureAlgorithm;

use super::export::{Files, Folder, chain_pem, check_absent};
use super::{Options, date, days, fault, now, show};
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input};

/// What a certificate is for.
#[derive(Args)]
struct Purpose {
    /// For a client in mutual TLS, rather than for a server.
    #[arg(long)]
    client: bool,

    /// The authority that issues it; the one that fits, if there is one only.
    #[arg(long, value_name = "ID")]
    authority: Option<String>,

    /// Its subject, such as `CN=billing,O=Example`; the first name as common name, if none
    /// is given.
    #[arg(long, value_name = "NAME")]
    subject: Option<Subject>,

    /// How long it is valid, never beyond its issuer; 90 days if nothing is said.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    days: Option<Duration>,
}

impl Purpose {
    const fn role(&self) -> Role {
        if self.client {
            Role::Client
        } else {
            Role::Server
        }
    }
}

#[derive(Args)]
pub(super) struct Issue {
    /// Whom it speaks for: hosts, `*.host`, addresses, `email:…`, `uri:…`. They all become
    /// subject alternative names.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Name>,

    #[command(flatten)]
    purpose: Purpose,

    /// The algorithm of its key: see `pqlab list auth`. If nothing is said, that of the
    /// authority named, or of the only one; else ecdsa-p256.
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "dual")]
    algorithm: Option<SignatureAlgorithm>,

    /// Two certificates for the same names, ECDSA P-256 and ML-DSA-65: a server that has
    /// both shows ML-DSA to clients that know it, and ECDSA to all others.
    #[arg(long, conflicts_with = "authority")]
    dual: bool,

    /// Encrypt the key with the passphrase of the store.
    #[arg(long)]
    encrypt_key: bool,

    #[command(flatten)]
    folder: Folder,
}

pub(super) fn issue(options: &Options, arguments: Issue) -> Result<Ending> {
    if arguments.encrypt_key && options.passphrase()?.is_none() {
        return Err(bad_input(anyhow!("--encrypt-key needs a passphrase")));
    }
    let mut names: Vec<Name> = Vec::new();
    for name in &arguments.names {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let store = options.open()?;
    let order = |algorithm| Order {
        authority: arguments.purpose.authority.clone(),
        role: arguments.purpose.role(),
        algorithm,
        names: names.clone(),
        subject: arguments.purpose.subject.clone(),
        lifetime: arguments.purpose.days,
        encrypts_key: arguments.encrypt_key,
    };
    arguments
        .folder
        .check(&arguments.names[0], arguments.dual)?;
    let issued = match arguments.dual {
        true => {
            let pair = [SignatureAlgorithm::MlDsa65, SignatureAlgorithm::EcdsaP256].map(order);
            store.issue_pair(&pair, now()).map_err(fault)?.to_vec()
        }
        false => {
            let algorithm = match arguments.algorithm {
                Some(algorithm) => algorithm,
                None => usual(&store, arguments.purpose.authority.as_deref())?,
            };
            vec![store.issue(&order(algorithm), now()).map_err(fault)?]
        }
    };
    for one in &issued {
        warn(&store, one, arguments.purpose.days)?;
    }
    let files = arguments.folder.write_all(&store, &issued)?;
    tell(options, &issued, &files)
}

/// What a user may not have meant.
fn warn(store: &Store, issued: &Issued, wanted: Option<Duration>) -> Result<()> {
    let authority = store.authority(&issued.authority).map_err(fault)?;
    let is_strong = |algorithm: SignatureAlgorithm| algorithm.facts().post_quantum;
    if is_strong(authority.algorithm) != is_strong(issued.algorithm) {
        eprintln!(
            "The key is {}, and {} signs with {}: who needs the one must know the other.",
            issued.algorithm, authority.id, authority.algorithm
        );
    }
    if wanted.is_some_and(|wanted| issued.not_after + Duration::days(1) < issued.issued_at + wanted)
    {
        let until = date(issued.not_after);
        eprintln!("Shortened to the end of {}: {until}.", authority.id);
    }
    Ok(())
}

/// The algorithm of the authority that would issue, where there is no choice: a chain is as
/// strong as its weakest link.
fn usual(store: &Store, authority: Option<&str>) -> Result<SignatureAlgorithm> {
    if let Some(id) = authority {
        return Ok(store.authority(id).map_err(fault)?.algorithm);
    }
    let mut all = store.authorities().map_err(fault)?;
    all.retain(|a| a.state == AuthorityState::Active && a.path_length == Some(0));
    Ok(match all.as_slice() {
        [one] => one.algorithm,
        _ => SignatureAlgorithm::EcdsaP256,
    })
}

/// Says what there is now and how it is used.
pub(super) fn tell(options: &Options, issued: &[Issued], files: &[Files]) -> Result<Ending> {
    if options.json {
        let all: Vec<_> = issued
            .iter()
            .zip(files)
            .map(|(issued, files)| {
                let mut json = show::json(issued);
                json["chain_file"] = json!(files.chain);
                json["key_file"] = json!(files.key);
                json
            })
            .collect();
        let json = json!({"schema": SCHEMA, "tool_version": TOOL_VERSION, "issued": all});
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    for (issued, files) in issued.iter().zip(files) {
        say!(
            "{} {} by {}, {} bytes of chain, until {}",
            issued.serial,
            issued.algorithm,
            issued.authority,
            files.chain_bytes,
            date(issued.not_after)
        );
        say!("  {}", files.chain.display());
        if let Some(key) = &files.key {
            say!("  {}", key.display());
        }
    }
    let arguments: Vec<_> = files
        .iter()
        .filter_map(|files| {
            let key = files.key.as_ref()?;
            Some(format!(
                "--cert {} --key {}",
                files.chain.display(),
                key.display()
            ))
        })
        .collect();
    let is_usable = issued.iter().all(|issued| !issued.is_key_encrypted);
    if !arguments.is_empty() && issued[0].kind == Kind::Server && is_usable {
        let name = issued[0].names[0].to_string();
        say!("Next: pqlab serve {}", arguments.join(" "));
        say!("      {}", options.command("bundle --for curl"));
        say!("      pqlab connect localhost:8443 --server-name {name} --ca trust/roots.pem");
    }
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct Csr {
    /// Whom the certificate is to speak for.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Name>,

    /// The algorithm of the key.
    #[arg(long, default_value = "ml-dsa-65", value_name = "ALGORITHM")]
    algorithm: SignatureAlgorithm,

    /// The subject; the first name as common name, if none is given.
    #[arg(long, value_name = "NAME")]
    subject: Option<Subject>,

    /// Where the request goes; the key goes beside it, with `-key` in its name.
    #[arg(long, default_value = "request.pem", value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn csr(options: &Options, arguments: Csr) -> Result<Ending> {
    let stem = arguments
        .out
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let key = arguments.out.with_file_name(format!("{stem}-key.pem"));
    check_absent(&key)?;
    check_absent(&arguments.out)?;
    let passphrase = options.passphrase()?;
    let made = new_request(
        arguments.algorithm,
        arguments.subject.as_ref(),
        &arguments.names,
        passphrase.as_ref(),
    );
    let made = made.map_err(fault)?;
    super::export::write_secret(&key, made.key.as_bytes())?;
    super::export::write_new(&arguments.out, made.request.as_bytes())?;
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "request_file": arguments.out,
            "key_file": key,
        });
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    say!("{}", arguments.out.display());
    say!("{}", key.display());
    let next = options.command(&format!("sign {}", arguments.out.display()));
    say!("The key stays here. Next: {next}");
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct Sign {
    /// The request (PEM or DER).
    #[arg(value_name = "FILE")]
    request: PathBuf,

    #[command(flatten)]
    purpose: Purpose,

    /// Whom it speaks for, in the place of what the request asks for.
    #[arg(long, value_name = "NAME")]
    name: Vec<Name>,

    /// Where the chain goes; to stdout, if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn sign(options: &Options, arguments: Sign) -> Result<Ending> {
    let request = read_request(&arguments.request)?;
    if request.asks_to_be_authority {
        eprintln!("The request asks to become an authority; that is not granted.");
    }
    if !request.ignored.is_empty() {
        eprintln!(
            "Not taken over from the request: {}.",
            request.ignored.join(", ")
        );
    }
    let order = SignOrder {
        authority: arguments.purpose.authority.clone(),
        role: arguments.purpose.role(),
        names: (!arguments.name.is_empty()).then(|| arguments.name.clone()),
        subject: arguments.purpose.subject.clone(),
        lifetime: arguments.purpose.days,
    };
    if let Some(path) = &arguments.out {
        check_absent(path)?;
    }
    let store = options.open()?;
    let issued = store.sign(&request, &order, now()).map_err(fault)?;
    let names: Vec<_> = issued.names.iter().map(ToString::to_string).collect();
    eprintln!("Certified: {} for {}.", issued.subject, names.join(", "));
    let chain = chain_pem(&store, &issued)?;
    if let Some(path) = &arguments.out {
        super::export::write_new(path, chain.as_bytes())?;
    }
    if options.json {
        let mut one = show::json(&issued);
        one["chain_pem"] = json!(chain);
        one["ignored"] = json!(request.ignored);
        let json = json!({"schema": SCHEMA, "tool_version": TOOL_VERSION, "issued": [one]});
        say!("{json:#}");
    } else if let Some(path) = &arguments.out {
        let until = date(issued.not_after);
        say!("{} by {}, until {until}", issued.serial, issued.authority);
        say!("  {}", path.display());
    } else {
        say!("{}", chain.trim_end());
    }
    Ok(Ending::Good)
}

fn read_request(path: &PathBuf) -> Result<Request> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)?;
    Request::read(&bytes)
        .with_context(|| path.display().to_string())
        .map_err(bad_input)
}

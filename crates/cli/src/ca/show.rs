//! `pqlab ca list`, `show`, `check`

use ::ca::{CaError, Issued, Store};
use anyhow::Result;
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::export::chain_pem;
use super::{Options, authority, date, days, fault, now, stamp};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

#[derive(Args)]
pub(super) struct List {
    /// What to list.
    #[arg(default_value = "certificates")]
    what: What,

    /// Only certificates that end within so many days and are not revoked.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiring: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Certificates of servers, clients and authorities.
    Certificates,
    /// Roots and intermediates.
    Authorities,
    /// Everything that happened.
    Log,
}

pub(super) fn list(options: &Options, arguments: List) -> Result<Ending> {
    let store = options.open()?;
    let (table, json) = match arguments.what {
        What::Certificates => certificates(&store, arguments.expiring),
        What::Authorities => authorities(&store),
        What::Log => log(&store),
    }
    .map_err(fault)?;
    if options.json {
        let name = match arguments.what {
            What::Certificates => "certificates",
            What::Authorities => "authorities",
            What::Log => "log",
        };
        let json = json!({"schema": SCHEMA, "tool_version": TOOL_VERSION, name: json});
        say!("{json:#}");
    } else {
        say!("{table}");
    }
    Ok(Ending::Good)
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table
}

fn certificates(store: &Store, expiring: Option<Duration>) -> Result<(Table, Value), CaError> {
    let limit = expiring.map(|days| now() + days);
    let mut all = store.issued()?;
    let renewed: Vec<String> = all.iter().filter_map(|i| i.renews.clone()).collect();
    all.retain(|issued| {
        limit.is_none_or(|limit| {
            let is_over = issued.revocation.is_some() || issued.not_after < now();
            issued.not_after < limit && !is_over && !renewed.contains(&issued.serial)
        })
    });
    let mut table = new_table(&["serial", "for", "algorithm", "names", "until", "state"]);
    for issued in &all {
        let mut names: Vec<_> = issued.names.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            names.push(issued.subject.to_string());
        }
        table.add_row([
            issued.serial.as_str(),
            issued.kind.name(),
            &issued.algorithm.to_string(),
            &names.join(" "),
            &date(issued.not_after),
            &state(issued, renewed.contains(&issued.serial), now()),
        ]);
    }
    Ok((table, all.iter().map(json).collect()))
}

fn authorities(store: &Store) -> Result<(Table, Value), CaError> {
    let all = store.authorities()?;
    let json = all.iter().map(|a| authority::json(store, a)).collect();
    Ok((authority::table(store, &all), json))
}

fn log(store: &Store) -> Result<(Table, Value), CaError> {
    let all = store.log()?;
    let mut table = new_table(&["", "at", "what"]);
    for entry in &all {
        let mut event = json!(entry.event);
        let what = event["what"].take();
        let fields = event.as_object().into_iter().flatten();
        let fields: Vec<_> = fields
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| format!("{name} {}", value.to_string().replace('"', "")))
            .collect();
        table.add_row([
            entry.sequence.to_string(),
            date(entry.at),
            format!(
                "{}: {}",
                what.as_str().unwrap_or_default(),
                fields.join(", ")
            ),
        ]);
    }
    Ok((table, json!(all)))
}

fn state(issued: &Issued, is_renewed: bool, now: OffsetDateTime) -> String {
    match &issued.revocation {
        Some(revocation) => format!("revoked {}: {}", date(revocation.at), revocation.reason),
        None if issued.not_after < now => "expired".to_owned(),
        None if is_renewed => "renewed".to_owned(),
        None => "valid".to_owned(),
    }
}

pub(super) fn json(issued: &Issued) -> Value {
    let mut json = json!(issued);
    json["state"] = json!(state(issued, false, now()).split(' ').next());
    for (field, time) in [
        ("not_before", issued.not_before),
        ("not_after", issued.not_after),
        ("issued_at", issued.issued_at),
    ] {
        json[field] = json!(stamp(time));
    }
    json["fingerprint_sha256"] = json["fingerprint"].take();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("fingerprint");
    }
    json["post_quantum"] = json!(issued.algorithm.facts().post_quantum);
    json
}

#[derive(Args)]
pub(super) struct Show {
    /// A certificate by its serial number or a name that it is for, or an authority by its
    /// id.
    #[arg(value_name = "SERIAL|NAME|ID")]
    what: String,

    /// The certificate in PEM.
    #[arg(long)]
    pem: bool,

    /// The certificate and those above it without the root, in PEM.
    #[arg(long, conflicts_with = "pem")]
    chain: bool,
}

pub(super) fn show(options: &Options, arguments: &Show) -> Result<Ending> {
    let store = options.open()?;
    let authorities = store.authorities().map_err(fault)?;
    let found = authorities.iter().find(|a| a.id == arguments.what);
    let (fingerprint, json, chain) = match found {
        Some(authority) => {
            let chain = match arguments.chain {
                true => store.chain_of_authority(&authority.id).map_err(fault)?,
                false => Vec::new(),
            };
            let chain = chain.iter().map(pki::certificate_pem).collect();
            (
                authority.fingerprint.clone(),
                authority::json(&store, authority),
                chain,
            )
        }
        None => {
            let issued = store.find(&arguments.what, now()).map_err(fault)?;
            let chain = chain_pem(&store, &issued)?;
            (Some(issued.fingerprint.clone()), json(&issued), chain)
        }
    };
    let certificate = fingerprint.map(|f| store.certificate(&f)).transpose();
    let certificate = certificate.map_err(fault)?;
    if options.json {
        let mut json = json;
        json["schema"] = json!(SCHEMA);
        json["tool_version"] = json!(TOOL_VERSION);
        json["pem"] = json!(certificate.as_ref().map(pki::certificate_pem));
        if arguments.chain {
            json["chain_pem"] = json!(chain);
        }
        say!("{json:#}");
    } else if arguments.chain {
        say!("{}", chain.trim_end());
    } else if arguments.pem {
        let pem = certificate.as_ref().map(pki::certificate_pem);
        say!("{}", pem.unwrap_or_default().trim_end());
    } else {
        tell(
            &json,
            certificate
                .as_ref()
                .and_then(|der| pki::Certificate::from_der(der).ok()),
        );
    }
    Ok(Ending::Good)
}

/// What stands in the certificate, and then what the store knows beside it.
fn tell(json: &Value, certificate: Option<pki::Certificate>) {
    let row = |name: &str, text: &str| say!("{name:<18} {text}");
    if let Some(certificate) = certificate {
        row("subject", &certificate.subject);
        row("issuer", &certificate.issuer);
        row("serial number", &certificate.serial);
        row("valid from", &date(certificate.not_before));
        row("valid until", &date(certificate.not_after));
        if !certificate.names.is_empty() {
            row("names", &certificate.names.join(", "));
        }
        row("key", &certificate.key.name);
        row("signed with", &certificate.signature.name);
        row("length", &format!("{} bytes", certificate.length));
    } else {
        row("subject", json["subject"].as_str().unwrap_or_default());
    }
    for (name, field) in [
        ("state", "state"),
        ("for a", "kind"),
        ("authority", "authority"),
        ("issued at", "issued_at"),
        ("twin", "twin"),
        ("renews", "renews"),
        ("path length", "path_length"),
        ("limited to", "permitted_dns"),
        ("list at", "crl_url"),
        ("last list", "crl_number"),
        ("grants", "grants"),
        ("SHA-256", "fingerprint_sha256"),
    ] {
        match &json[field] {
            Value::Null => {}
            Value::Array(empty) if empty.is_empty() => {}
            Value::String(text) => row(name, text),
            other => row(name, &other.to_string()),
        }
    }
    if json["has_key"] == false && json["kind"] != "authority" {
        row("private key", "not here: it was issued for a request");
    }
}

#[derive(Args)]
#[command(
    after_help = "Exit code 1 where something is wrong, and where a key could not be looked at, \
                  since it is encrypted and its passphrase was not given."
)]
pub(super) struct Check {
    /// Remove keys that nothing refers to, and files that never became whole. Not in a store
    /// that was restored from an older backup than its keys.
    #[arg(long)]
    tidy: bool,
}

pub(super) fn check(options: &Options, arguments: &Check) -> Result<Ending> {
    let store = options.open()?;
    if arguments.tidy {
        for path in store.tidy().map_err(fault)? {
            eprintln!("Removed {}.", path.display());
        }
    }
    let faults = store.check().map_err(fault)?;
    let is_serious = faults.iter().any(|fault| fault.is_serious);
    let unseen = faults.iter().filter(|fault| fault.is_unseen).count();
    if options.json {
        let faults: Vec<_> = faults
            .iter()
            .map(|f| {
                json!({
                    "what": f.what,
                    "why": f.why,
                    "serious": f.is_serious,
                    "not_looked_at": f.is_unseen,
                })
            })
            .collect();
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "is_whole": !is_serious && unseen == 0,
            "faults": faults,
        });
        say!("{json:#}");
    } else {
        for fault in &faults {
            let weight = match (fault.is_serious, fault.is_unseen) {
                (true, _) => "wrong",
                (false, true) => "not looked at",
                (false, false) => "untidy",
            };
            say!("{weight}: {}: {}", fault.what, fault.why);
        }
        match (is_serious, unseen) {
            (true, _) => {}
            (false, 0) => say!("Log, certificates and keys fit together."),
            (false, count) => say!(
                "Log and certificates fit together; whether {} do is not known without their \
                 passphrase (--passphrase-file).",
                if count == 1 {
                    "1 key".to_owned()
                } else {
                    format!("{count} keys")
                }
            ),
        }
    }
    Ok(if is_serious || unseen > 0 {
        Ending::Bad
    } else {
        Ending::Good
    })
}

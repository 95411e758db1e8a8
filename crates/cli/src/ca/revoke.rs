//! `pqlab ca revoke`, `crl`

use std::path::PathBuf;

use ::ca::{Authority, CaError, Kind, RevocationReason, Store};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use time::Duration;

use super::export::replace;
use super::{Options, date, days, fault, now, show, stamp};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

#[derive(Args)]
pub(super) struct Revoke {
    /// The certificate: its serial number, or a name that it is for; or an authority by its
    /// id.
    #[arg(value_name = "SERIAL|NAME|ID")]
    what: String,

    /// Why: unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,
    /// cessationOfOperation, privilegeWithdrawn (RFC 5280 section 5.3.1).
    #[arg(long, default_value = "unspecified", value_name = "REASON")]
    reason: RevocationReason,
}

pub(super) fn revoke(options: &Options, arguments: Revoke) -> Result<Ending> {
    let store = options.open()?;
    let serial = match store.authority(&arguments.what) {
        Ok(authority) => serial_of(&store, &authority)?,
        Err(_) => store.find(&arguments.what, now()).map_err(fault)?.serial,
    };
    let revoked = store.revoke(&serial, arguments.reason, now());
    let revoked = revoked.map_err(fault)?;
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "revoked": show::json(&revoked),
        });
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    say!(
        "Revoked {} of {}: {}.",
        revoked.serial,
        revoked.subject,
        arguments.reason
    );
    let next = options.command(&format!("crl --authority {} --out FILE", revoked.authority));
    say!("Nobody knows yet. Next: {next}");
    if revoked.kind == Kind::Authority {
        let authorities = store.authorities().map_err(fault)?;
        let is_of = |a: &&Authority| a.key_sha256 == revoked.key_sha256;
        match authorities.iter().find(is_of) {
            Some(a) if a.fingerprint.as_ref() != Some(&revoked.fingerprint) => {
                say!("{} goes on with the certificate that it has now.", a.id);
            }
            _ => say!(
                "It issues no more, and earlier certificates for its key are revoked with it. Many \
                 verifiers, `pqlab serve` among them, look up end entities alone: revoke what it \
                 issued, too."
            ),
        }
    }
    Ok(Ending::Good)
}

/// Of the certificate that an authority has now.
fn serial_of(store: &Store, authority: &Authority) -> Result<String> {
    let all = store.issued().map_err(fault)?;
    let own = all
        .into_iter()
        .find(|issued| Some(&issued.fingerprint) == authority.fingerprint.as_ref());
    own.map(|issued| issued.serial)
        .ok_or_else(|| fault(CaError::UnknownCertificate(authority.id.clone())))
}

#[derive(Args)]
pub(super) struct Crl {
    /// Whose list; of all that have a certificate, if none is named: a server that checks
    /// needs one of each.
    #[arg(long, value_name = "ID")]
    authority: Vec<String>,

    /// After how many days the next one must be there.
    #[arg(long, default_value = "7", value_name = "DAYS", value_parser = days)]
    days: Duration,

    /// A folder for a file of each list in DER, ID.crl, as clients fetch it (RFC 5280 section
    /// 4.2.1.13). Files are replaced.
    #[arg(long, value_name = "FOLDER")]
    der: Option<PathBuf>,

    /// Where the lists go (PEM); to stdout, if nothing is said. The file is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn crl(options: &Options, arguments: Crl) -> Result<Ending> {
    let store = options.open()?;
    let mut ids = arguments.authority;
    if ids.is_empty() {
        for authority in store.authorities().map_err(fault)? {
            let end = store.authority_end(&authority).map_err(fault)?;
            match end {
                None => {}
                Some(end) if end < now() => {
                    eprintln!("Left out {}, which ended on {}.", authority.id, date(end));
                }
                Some(_) => ids.push(authority.id),
            }
        }
    }
    let until = now() + arguments.days;
    let signed = store.crls(&ids, arguments.days, now()).map_err(fault)?;
    let pem: String = signed
        .iter()
        .map(|list| pki::encode_pem("X509 CRL", list))
        .collect();
    let mut files = Vec::new();
    if let Some(folder) = &arguments.der {
        std::fs::create_dir_all(folder)?;
        for (id, list) in ids.iter().zip(&signed) {
            let path = folder.join(format!("{id}.crl"));
            replace(&path, list)?;
            files.push(path);
        }
    }
    if let Some(path) = &arguments.out {
        // A list is made to be replaced by the next one.
        replace(path, pem.as_bytes())?;
        files.push(path.clone());
    }
    if options.json {
        let mut lists = Vec::new();
        for (id, list) in ids.iter().zip(&signed) {
            lists.push(json!({
                "authority": id,
                "number": store.authority(id).map_err(fault)?.crl_number,
                "list_bytes": list.len(),
                "next_update": stamp(until),
            }));
        }
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "lists": lists,
            "files": files,
            "pem": pem,
        });
        say!("{json:#}");
    } else if files.is_empty() {
        say!("{}", pem.trim_end());
    } else {
        for path in &files {
            say!("{}", path.display());
        }
        say!(
            "Of {}; the next are due on {}.",
            ids.join(", "),
            date(until)
        );
    }
    Ok(Ending::Good)
}

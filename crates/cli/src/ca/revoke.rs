//! `pqlab ca revoke`, `crl`

use std::path::PathBuf;

use ::ca::{AuthorityState, RevocationReason};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use time::Duration;

use super::export::replace;
use super::{Options, date, days, fault, now, show};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

#[derive(Args)]
pub(super) struct Revoke {
    /// The certificate: its serial number, or a name that it is for.
    #[arg(value_name = "SERIAL|NAME")]
    what: String,

    /// Why: unspecified, keyCompromise, affiliationChanged, superseded,
    /// cessationOfOperation, privilegeWithdrawn (RFC 5280 section 5.3.1).
    #[arg(long, default_value = "unspecified", value_name = "REASON")]
    reason: RevocationReason,
}

pub(super) fn revoke(options: &Options, arguments: Revoke) -> Result<Ending> {
    let store = options.open()?;
    let found = store.find(&arguments.what).map_err(fault)?;
    let revoked = store.revoke(&found.serial, arguments.reason, now());
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
    let names: Vec<_> = revoked.names.iter().map(ToString::to_string).collect();
    say!(
        "Revoked {} for {}: {}.",
        revoked.serial,
        names.join(", "),
        arguments.reason
    );
    say!(
        "Nobody knows yet. Next: pqlab ca crl --authority {} --out FILE",
        revoked.authority
    );
    Ok(Ending::Good)
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

    /// Where the lists go (PEM); to stdout, if nothing is said. The file is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn crl(options: &Options, arguments: Crl) -> Result<Ending> {
    let store = options.open()?;
    let mut ids = arguments.authority;
    if ids.is_empty() {
        let all = store.authorities().map_err(fault)?;
        let certified = all
            .into_iter()
            .filter(|a| a.state != AuthorityState::PendingCertificate);
        ids = certified.map(|authority| authority.id).collect();
    }
    let (mut text, mut lists) = (String::new(), Vec::new());
    let until = now() + arguments.days;
    for id in &ids {
        let list = store.crl(id, arguments.days, now()).map_err(fault)?;
        text.push_str(&pki::encode_pem("X509 CRL", &list));
        lists.push(json!({
            "authority": id,
            "number": store.authority(id).map_err(fault)?.crl_number,
            "list_bytes": list.len(),
            "next_update": date(until),
        }));
    }
    if let Some(path) = &arguments.out {
        // A list is made to be replaced by the next one.
        replace(path, &text)?;
    }
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "lists": lists,
            "pem": text,
        });
        say!("{json:#}");
    } else if let Some(path) = &arguments.out {
        say!(
            "{}: {}; the next is due on {}",
            path.display(),
            ids.join(", "),
            date(until)
        );
    } else {
        say!("{}", text.trim_end());
    }
    Ok(Ending::Good)
}

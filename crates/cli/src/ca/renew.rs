//! `pqlab ca renew`

use ::ca::{Authority, Issued, Store};
use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::json;
use time::Duration;

use super::export::Folder;
use super::issue::tell;
use super::{Options, date, days, fault, now, show};
use crate::output::{SCHEMA, TOOL_VERSION};
use crate::{Ending, bad_input};

#[derive(Args)]
pub(super) struct Renew {
    /// The certificate: its serial number, or a name that it is for. The name of a pair means
    /// both of it, and `NAME/ALGORITHM` one. The id of an authority: another certificate for
    /// the same key, while the old one stays valid.
    #[arg(value_name = "SERIAL|NAME|ID")]
    what: String,

    /// How long the new one is valid; as long as the old one, if nothing is said.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    days: Option<Duration>,

    #[command(flatten)]
    folder: Folder,
}

pub(super) fn renew(options: &Options, arguments: &Renew) -> Result<Ending> {
    let store = options.open()?;
    let authorities = store.authorities().map_err(fault)?;
    if let Some(authority) = authorities.iter().find(|a| a.id == arguments.what) {
        return renew_authority(options, &store, authority, arguments.days);
    }
    let old = store.find_pair(&arguments.what, now()).map_err(fault)?;
    // There is one at least.
    let names = &old[0].names;
    let Some(name) = names.first() else {
        let own = |a: &&Authority| a.key_sha256 == old[0].key_sha256;
        let id = authorities.iter().find(own).map(|a| a.id.as_str());
        return Err(bad_input(anyhow!(
            "{} is the certificate of an authority: `pqlab ca renew {}`",
            old[0].serial,
            id.unwrap_or("ID")
        )));
    };
    arguments.folder.check(name, old[0].twin.is_some())?;
    let issued = match old.as_slice() {
        [one, other] => {
            let serials = [one.serial.as_str(), other.serial.as_str()];
            let issued = store.renew_pair(serials, arguments.days, now());
            issued.map_err(fault)?.to_vec()
        }
        _ => {
            let issued = store.renew(&old[0].serial, arguments.days, now());
            vec![issued.map_err(fault)?]
        }
    };
    if !options.json {
        let replaced: Vec<String> = old.iter().map(until).collect();
        let stays = if old.len() == 1 { "stays" } else { "stay" };
        let replaced = replaced.join(" and ");
        say!("In the place of {replaced}, which {stays} valid until then:");
    }
    let files = arguments.folder.write_all(&store, &issued)?;
    tell(options, &issued, &files)
}

fn until(issued: &Issued) -> String {
    let (serial, algorithm) = (&issued.serial, issued.algorithm);
    format!("{serial} ({algorithm}, until {})", date(issued.not_after))
}

/// What is shown of an authority from now on is its new certificate.
fn renew_authority(
    options: &Options,
    store: &Store,
    authority: &Authority,
    days: Option<Duration>,
) -> Result<Ending> {
    let id = &authority.id;
    let old_end = store.authority_end(authority).map_err(fault)?;
    let issued = store.renew_authority(id, days, now()).map_err(fault)?;
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "authority": id,
            "issued": [show::json(&issued)],
        });
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    say!(
        "{} for {id}, by {}, until {}: the same key and name.",
        issued.serial,
        issued.authority,
        date(issued.not_after)
    );
    if let Some(end) = old_end {
        say!(
            "The old one stays valid until {}; what {id} issued fits both.",
            date(end)
        );
    }
    let (what, next) = match authority.is_subordinate {
        true => (
            "Servers and clients send the old one until they have their chains anew",
            "export --force NAME",
        ),
        false => (
            "Trust stores have the old one until they are given the new one",
            "bundle",
        ),
    };
    say!("{what}. Next: {}", options.command(next));
    Ok(Ending::Good)
}

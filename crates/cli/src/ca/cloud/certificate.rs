//! Certificates.

use std::path::PathBuf;

use ::ca::{
    AuthorityTemplate, CaError, Issued, Kind, Name, Order, RevocationReason, SignOrder, Store,
};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use pki::Role;
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::answer::Form;
use super::keys::{check_signing, key_algorithm, key_name};
use super::{ARN, CERTIFICATE_ARN, MANAGER, Which as Authority, last, read};
use crate::ca::export::{Folder, replace};
use crate::ca::{fault, now};
use crate::{Ending, bad_input};

#[derive(Args)]
pub(in crate::ca) struct Issue {
    #[command(flatten)]
    which: Authority,

    /// `fileb://` and the request, in PEM or DER.
    #[arg(long, value_name = "FILE")]
    csr: String,

    /// What the authority signs with, such as ML_DSA_65 or SHA256WITHRSA.
    #[arg(long, value_name = "ALGORITHM")]
    signing_algorithm: String,

    /// `Value=3650,Type=DAYS`.
    #[arg(long, value_name = "VALIDITY", value_parser = validity)]
    validity: Duration,

    /// What the certificate is for: RootCACertificate/V1,
    /// SubordinateCACertificate_PathLen0/V1 to 3, EndEntityServerAuthCertificate/V1,
    /// EndEntityClientAuthCertificate/V1 or, for a server here, EndEntityCertificate/V1; alone
    /// or at the end of an ARN.
    #[arg(
        long,
        value_name = "ARN",
        default_value = "EndEntityServerAuthCertificate/V1"
    )]
    template_arn: String,
}

/// `Value=365,Type=DAYS`: AWS' shorthand.
fn validity(text: &str) -> Result<Duration, String> {
    let mut value = None;
    let mut unit = 1;
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("Value", number)) => value = number.parse::<i64>().ok(),
            Some(("Type", "DAYS")) => unit = 1,
            Some(("Type", "MONTHS")) => unit = 30,
            Some(("Type", "YEARS")) => unit = 365,
            _ => return Err("write it as Value=3650,Type=DAYS (or MONTHS, YEARS)".to_owned()),
        }
    }
    match value.and_then(|value| value.checked_mul(unit)) {
        Some(days @ 1..=36_500) => Ok(Duration::days(days)),
        _ => Err("from 1 day to 100 years".to_owned()),
    }
}

pub(super) fn issue(store: &Store, arguments: &Issue) -> Result<Value> {
    let id = arguments.which.id();
    let authority = store.authority(id).map_err(fault)?;
    check_signing(&arguments.signing_algorithm, authority.algorithm)?;
    let request = ::ca::Request::read(&read(&arguments.csr)?).map_err(bad_input)?;
    let template = arguments.template_arn.split("template/").last();
    let template = template.unwrap_or_default();
    let lifetime = Some(arguments.validity);
    let issued = match template {
        "EndEntityServerAuthCertificate/V1" => {
            sign(store, id, &request, Role::Server, arguments.validity)
        }
        "EndEntityCertificate/V1" => {
            eprintln!(
                "A certificate is for one side of TLS here: this one is for a server, and \
                 EndEntityClientAuthCertificate/V1 makes one for a client."
            );
            sign(store, id, &request, Role::Server, arguments.validity)
        }
        "EndEntityClientAuthCertificate/V1" => {
            sign(store, id, &request, Role::Client, arguments.validity)
        }
        _ => {
            let template = authority_template(template)?;
            store.sign_authority(id, &request, template, lifetime, now())
        }
    };
    let serial = issued.map_err(fault)?.serial;
    Ok(json!({"CertificateArn": format!("{ARN}{id}/certificate/{serial}")}))
}

fn sign(
    store: &Store,
    id: &str,
    request: &::ca::Request,
    role: Role,
    lifetime: Duration,
) -> Result<Issued, CaError> {
    let order = SignOrder {
        authority: Some(id.to_owned()),
        role,
        names: None,
        subject: None,
        lifetime: Some(lifetime),
    };
    store.sign(request, &order, now())
}

fn authority_template(name: &str) -> Result<AuthorityTemplate> {
    let length = name
        .strip_prefix("SubordinateCACertificate_PathLen")
        .and_then(|rest| rest.strip_suffix("/V1")?.parse().ok());
    match (name, length) {
        ("RootCACertificate/V1", _) => Ok(AuthorityTemplate::Root),
        (_, Some(path_length @ 0..=3)) => Ok(AuthorityTemplate::Subordinate {
            path_length: Some(path_length),
        }),
        _ => Err(bad_input(anyhow!(
            "{name:?} is no template here; there are RootCACertificate/V1, \
             SubordinateCACertificate_PathLen0/V1 to 3, EndEntityCertificate/V1, \
             EndEntityServerAuthCertificate/V1 and EndEntityClientAuthCertificate/V1"
        ))),
    }
}

#[derive(Args)]
pub(in crate::ca) struct Get {
    #[command(flatten)]
    which: Authority,

    /// The certificate.
    #[arg(long, value_name = "ARN")]
    certificate_arn: String,
}

pub(super) fn get(store: &Store, arguments: &Get, form: Form) -> Result<Value> {
    let id = arguments.which.id();
    store.authority(id).map_err(fault)?;
    let issued = store.find(last(&arguments.certificate_arn), now());
    let issued = issued.map_err(fault)?;
    if issued.authority != id {
        return Err(fault(CaError::UnknownCertificate(issued.serial)));
    }
    let der = store.certificate(&issued.fingerprint).map_err(fault)?;
    let certificate = pki::certificate_pem(&der);
    // Up to the root; a root, which may be pending when it fetches its own, has nothing above.
    let is_root = pki::is_signed_by(&der, &der);
    let mut above = Vec::new();
    if !is_root {
        above = store.chain_of_authority(id).map_err(fault)?;
        above.extend(store.root(id));
    }
    let chain: String = above.iter().map(pki::certificate_pem).collect();
    Ok(match form {
        Form::Json => json!({"Certificate": certificate, "CertificateChain": chain}),
        // As it goes into a file.
        Form::Text => json!(format!("{certificate}{chain}").trim_end()),
    })
}

#[derive(Args)]
pub(in crate::ca) struct Revoke {
    #[command(flatten)]
    which: Authority,

    /// The certificate: its serial number in hexadecimal digits, with colons or without, or
    /// its ARN.
    #[arg(long, value_name = "NUMBER")]
    certificate_serial: String,

    /// UNSPECIFIED, KEY_COMPROMISE, CERTIFICATE_AUTHORITY_COMPROMISE, AFFILIATION_CHANGED,
    /// SUPERSEDED, CESSATION_OF_OPERATION or PRIVILEGE_WITHDRAWN.
    #[arg(long, value_name = "REASON", value_parser = revocation_reason)]
    revocation_reason: RevocationReason,
}

/// AWS' name of a reason.
const fn reason_name(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "UNSPECIFIED",
        RevocationReason::KeyCompromise => "KEY_COMPROMISE",
        RevocationReason::CaCompromise => "CERTIFICATE_AUTHORITY_COMPROMISE",
        RevocationReason::AffiliationChanged => "AFFILIATION_CHANGED",
        RevocationReason::Superseded => "SUPERSEDED",
        RevocationReason::CessationOfOperation => "CESSATION_OF_OPERATION",
        RevocationReason::PrivilegeWithdrawn => "PRIVILEGE_WITHDRAWN",
    }
}

fn revocation_reason(text: &str) -> Result<RevocationReason, String> {
    let mut all = RevocationReason::ALL.into_iter();
    all.find(|reason| reason_name(*reason) == text)
        .ok_or_else(|| {
            let names = RevocationReason::ALL.map(reason_name).join(", ");
            format!("there are {names}")
        })
}

pub(super) fn revoke(store: &Store, arguments: &Revoke) -> Result<()> {
    let id = arguments.which.id();
    store.authority(id).map_err(fault)?;
    let given = last(&arguments.certificate_serial);
    let issued = store.find(given, now()).map_err(fault)?;
    let is_by_serial = given.replace(':', "").eq_ignore_ascii_case(&issued.serial);
    if issued.authority != id || !is_by_serial {
        return Err(fault(CaError::UnknownCertificate(given.to_owned())));
    }
    let revoked = store.revoke(&issued.serial, arguments.revocation_reason, now());
    revoked.map_err(fault)?;
    eprintln!("Nobody knows yet: `pqlab ca crl --authority {id}` signs the list that says so.");
    Ok(())
}

#[derive(Args)]
pub(in crate::ca) struct Request {
    #[command(flatten)]
    which: Authority,

    /// The domain.
    #[arg(long, value_name = "NAME")]
    domain_name: Name,

    /// Further names.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    subject_alternative_names: Vec<Name>,

    /// The key. AWS' Certificate Manager has RSA and EC keys alone here; this one has
    /// ML_DSA_44, ML_DSA_65 and ML_DSA_87 as well.
    #[arg(long, default_value = "EC_prime256v1", value_name = "ALGORITHM")]
    key_algorithm: String,
}

pub(super) fn request(store: &Store, arguments: &Request) -> Result<Value> {
    let id = arguments.which.id();
    let authority = store.authority(id).map_err(fault)?;
    let may = authority.grants.iter().any(|grant| {
        grant.principal == MANAGER && grant.actions.iter().any(|a| a == "IssueCertificate")
    });
    if !may {
        return Err(bad_input(anyhow!(
            "{MANAGER} may not have certificates issued by {id}: `pqlab ca create-permission \
             --certificate-authority-arn {id} --actions IssueCertificate GetCertificate \
             ListPermissions` lets it"
        )));
    }
    let mut names = vec![arguments.domain_name.clone()];
    for name in &arguments.subject_alternative_names {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let order = Order {
        authority: Some(id.to_owned()),
        role: Role::Server,
        algorithm: key_algorithm(&arguments.key_algorithm)?,
        names,
        subject: None,
        lifetime: None,
        encrypts_key: false,
    };
    let issued = store.issue(&order, now()).map_err(fault)?;
    Ok(json!({"CertificateArn": format!("{CERTIFICATE_ARN}{}", issued.serial)}))
}

#[derive(Args)]
pub(in crate::ca) struct Which {
    /// The certificate: its ARN or serial number.
    #[arg(long, value_name = "ARN")]
    certificate_arn: String,
}

/// What a certificate is to Certificate Manager.
fn status(issued: &Issued) -> &'static str {
    match &issued.revocation {
        Some(_) => "REVOKED",
        None if issued.not_after < now() => "EXPIRED",
        None => "ISSUED",
    }
}

pub(super) fn describe(store: &Store, which: &Which) -> Result<Value> {
    let issued = store.find(last(&which.certificate_arn), now());
    let issued = issued.map_err(fault)?;
    let names: Vec<_> = issued.names.iter().map(ToString::to_string).collect();
    let description = json!({
        "CertificateArn": format!("{CERTIFICATE_ARN}{}", issued.serial),
        "DomainName": names.first(),
        "SubjectAlternativeNames": names,
        "Serial": issued.serial,
        "Status": status(&issued),
        "KeyAlgorithm": key_name(issued.algorithm).0,
        "CertificateAuthorityArn": format!("{ARN}{}", issued.authority),
        "NotBefore": issued.not_before.format(&Rfc3339)?,
        "NotAfter": issued.not_after.format(&Rfc3339)?,
    });
    Ok(json!({"Certificate": description}))
}

#[derive(Args)]
pub(in crate::ca) struct List {
    /// Only those that are ISSUED, EXPIRED or REVOKED; all, if nothing is said.
    #[arg(long, num_args = 1.., value_name = "STATUS", value_parser = ["ISSUED", "EXPIRED", "REVOKED"])]
    certificate_statuses: Vec<String>,
}

pub(super) fn list(store: &Store, arguments: &List) -> Result<Value> {
    let wanted = &arguments.certificate_statuses;
    let mut list = Vec::new();
    for issued in store.issued().map_err(fault)? {
        let status = status(&issued);
        let is_wanted = wanted.is_empty() || wanted.iter().any(|wanted| wanted == status);
        if issued.kind == Kind::Authority || !is_wanted {
            continue;
        }
        let names: Vec<_> = issued.names.iter().map(ToString::to_string).collect();
        list.push(json!({
            "CertificateArn": format!("{CERTIFICATE_ARN}{}", issued.serial),
            "DomainName": names.first(),
            "SubjectAlternativeNameSummaries": names,
            "Status": status,
            "Type": "PRIVATE",
            "KeyAlgorithm": key_name(issued.algorithm).0,
            "NotBefore": issued.not_before.format(&Rfc3339)?,
            "NotAfter": issued.not_after.format(&Rfc3339)?,
        }));
    }
    Ok(json!({"CertificateSummaryList": list}))
}

#[derive(Args)]
pub(in crate::ca) struct Export {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    folder: Folder,
}

pub(super) fn export(store: &Store, arguments: &Export) -> Result<Ending> {
    let issued = store.find(last(&arguments.which.certificate_arn), now());
    let issued = issued.map_err(fault)?;
    if !issued.has_key {
        bail!(bad_input(CaError::NoKey(issued.serial)));
    }
    arguments.folder.check(&issued.names[0], false)?;
    let files = arguments.folder.write(store, &issued, false)?;
    let root = store.root(&issued.authority).map_err(fault)?;
    let root_path = files.chain.with_extension("root.pem");
    let root_path: PathBuf = root_path;
    replace(&root_path, pki::certificate_pem(&root).as_bytes())?;
    let key = files.key.unwrap_or_default();
    say!(
        "{}\n{}\n{}",
        files.chain.display(),
        key.display(),
        root_path.display()
    );
    say!(
        "Attach it: pqlab serve --listen 127.0.0.1:8443 --cert {} --key {}",
        files.chain.display(),
        key.display()
    );
    let name = &issued.names[0];
    say!(
        "Verify it: curl --cacert {} --resolve {name}:8443:127.0.0.1 https://{name}:8443/",
        root_path.display()
    );
    Ok(Ending::Good)
}

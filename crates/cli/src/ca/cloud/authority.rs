//! Authorities.

use ::ca::{Authority, Grant, NewAuthority, Store, Subject};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::keys::{check_signing, key_algorithm, key_name};
use super::{ARN, MANAGER, Which, read, read_json};
use crate::bad_input;
use crate::ca::{fault, now};

#[derive(Args)]
pub(in crate::ca) struct Create {
    /// KeyAlgorithm, SigningAlgorithm and Subject as JSON, or `file://` and a file of it.
    #[arg(long, value_name = "JSON|FILE")]
    certificate_authority_configuration: String,

    /// ROOT or SUBORDINATE.
    #[arg(long, value_name = "TYPE", value_parser = ["ROOT", "SUBORDINATE"])]
    certificate_authority_type: String,

    /// The end of its ARN; made of the common name, if nothing is said.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Configuration {
    key_algorithm: String,
    signing_algorithm: String,
    subject: ConfiguredSubject,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConfiguredSubject {
    common_name: String,
    organization: Option<String>,
    organizational_unit: Option<String>,
    locality: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

impl ConfiguredSubject {
    fn parse(&self) -> Result<Subject> {
        let parts = [
            ("CN", Some(&self.common_name)),
            ("O", self.organization.as_ref()),
            ("OU", self.organizational_unit.as_ref()),
            ("L", self.locality.as_ref()),
            ("ST", self.state.as_ref()),
            ("C", self.country.as_ref()),
        ];
        let parts: Vec<_> = parts
            .into_iter()
            .filter_map(|(t, value)| Some(format!("{t}={}", pki::escape(value?))))
            .collect();
        parts.join(",").parse().map_err(bad_input)
    }
}

pub(super) fn create(store: &Store, arguments: &Create) -> Result<Value> {
    let text = read_json(&arguments.certificate_authority_configuration)?;
    let configuration: Configuration = serde_json::from_slice(&text)
        .context("the configuration of the authority")
        .map_err(bad_input)?;
    let algorithm = key_algorithm(&configuration.key_algorithm)?;
    check_signing(&configuration.signing_algorithm, algorithm)?;
    let subject = configuration.subject.parse()?;
    let is_root = arguments.certificate_authority_type == "ROOT";
    let id = match &arguments.id {
        Some(id) => id.clone(),
        None => id_of(&configuration.subject.common_name),
    };
    let new = NewAuthority {
        id,
        subject,
        algorithm,
        issuer: None,
        path_length: if is_root { None } else { Some(0) },
        permitted_dns: Vec::new(),
        crl_url: None,
        lifetime: None,
    };
    let made = store.create_pending_authority(&new, !is_root, now());
    let made = made.map_err(fault)?;
    Ok(json!({"CertificateAuthorityArn": format!("{ARN}{}", made.id)}))
}

/// `Example Root CA` becomes `example-root-ca`.
fn id_of(common_name: &str) -> String {
    let letters = common_name.to_lowercase();
    let words = letters.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[derive(Args)]
pub(in crate::ca) struct Import {
    #[command(flatten)]
    which: Which,

    /// `fileb://` and the certificate.
    #[arg(long, value_name = "FILE")]
    certificate: String,

    /// `fileb://` and the certificates above it, up to the root; not for a root.
    #[arg(long, value_name = "FILE")]
    certificate_chain: Option<String>,
}

pub(super) fn import(store: &Store, arguments: &Import) -> Result<()> {
    let certificates = pki::certificates_from_pem(&read(&arguments.certificate)?);
    let certificates = certificates.map_err(bad_input)?;
    let [certificate] = certificates.as_slice() else {
        let count = certificates.len();
        return Err(bad_input(anyhow!(
            "--certificate has {count} certificates, and not one"
        )));
    };
    let chain = match &arguments.certificate_chain {
        Some(file) => pki::certificates_from_pem(&read(file)?).map_err(bad_input)?,
        None => Vec::new(),
    };
    let id = arguments.which.id();
    let imported = store.import_authority_certificate(id, certificate, &chain, now());
    imported.map_err(fault)?;
    Ok(())
}

pub(super) fn described(store: &Store, authority: &Authority) -> Result<Value> {
    let (key, signing) = key_name(authority.algorithm);
    let mut description = json!({
        "Arn": format!("{ARN}{}", authority.id),
        "Type": kind_of(authority),
        "Status": authority.state.label(),
        "CreatedAt": authority.created_at.format(&Rfc3339)?,
        "CertificateAuthorityConfiguration": {
            "KeyAlgorithm": key,
            "SigningAlgorithm": signing,
            "Subject": authority.subject,
        },
    });
    if let Some(fingerprint) = &authority.fingerprint {
        let der = store.certificate(fingerprint).map_err(fault)?;
        let certificate = pki::Certificate::from_der(&der)?;
        description["Serial"] = json!(certificate.serial);
        description["NotBefore"] = json!(certificate.not_before.format(&Rfc3339)?);
        description["NotAfter"] = json!(certificate.not_after.format(&Rfc3339)?);
    }
    Ok(description)
}

const fn kind_of(authority: &Authority) -> &'static str {
    if authority.is_subordinate {
        "SUBORDINATE"
    } else {
        "ROOT"
    }
}

#[derive(Args)]
pub(in crate::ca) struct CreatePermission {
    #[command(flatten)]
    which: Which,

    /// Who.
    #[arg(long, default_value = MANAGER)]
    principal: String,

    /// What: IssueCertificate, GetCertificate, ListPermissions.
    #[arg(long, required = true, num_args = 1.., value_parser = ["IssueCertificate", "GetCertificate", "ListPermissions"])]
    actions: Vec<String>,
}

pub(super) fn permit(store: &Store, arguments: CreatePermission) -> Result<()> {
    let grant = Grant {
        principal: arguments.principal,
        actions: arguments.actions,
    };
    let granted = store.grant(arguments.which.id(), grant, now());
    granted.map_err(fault)?;
    Ok(())
}

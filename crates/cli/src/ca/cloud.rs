//! The steps of AWS Private CA and Certificate Manager under their own names, on the store
//! of this machine: what a reader of a cloud's manual types works here, with ML-DSA as well.
//!
//! Names, options and the shape of answers follow the AWS CLI's `acm-pca` and `acm`; an
//! authority's ARN ends in its id, a certificate's in its serial number or SHA-256.

use std::path::PathBuf;

use ::ca::{
    Authority, AuthorityTemplate, CaError, Grant, Issued, Kind, Name, NewAuthority, Order, Request,
    SignOrder, Store, Subject,
};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use time::Duration;
use time::format_description::well_known::Rfc3339;
use wire::SignatureAlgorithm;

use super::export::Folder;
use super::{Options, fault, now};
use crate::{Ending, bad_input};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// (AWS) Make an authority that waits for its certificate.
    CreateCertificateAuthority(Create),
    /// (AWS) Print the authority's certificate request.
    GetCertificateAuthorityCsr(GetCsr),
    /// (AWS) Sign a request: an authority's or an end entity's, as the template says.
    IssueCertificate(IssueCertificate),
    /// (AWS) Print a certificate and its chain.
    GetCertificate(GetCertificate),
    /// (AWS) Give the authority its certificate: it becomes ACTIVE.
    ImportCertificateAuthorityCertificate(Import),
    /// (AWS) Tell the authority's state.
    DescribeCertificateAuthority(Which),
    /// (AWS) Let a service have certificates issued.
    CreatePermission(CreatePermission),
    /// (AWS) Have a certificate issued for a domain, as Certificate Manager does.
    RequestCertificate(RequestCertificate),
    /// (AWS) Tell a certificate's state.
    DescribeCertificate(WhichCertificate),
    /// (AWS) Write a certificate and its key, to attach them to a listener.
    ExportCertificate(Export),
}

pub(super) fn main(options: &Options, verb: Verb) -> Result<Ending> {
    let store = options.open()?;
    match verb {
        Verb::CreateCertificateAuthority(verb) => create(&store, &verb),
        Verb::GetCertificateAuthorityCsr(verb) => {
            let request = store.authority_request(verb.which.id()).map_err(fault)?;
            match verb.output {
                Form::Json => say!("{:#}", json!({"Csr": request})),
                Form::Text => say!("{}", request.trim_end()),
            }
            Ok(Ending::Good)
        }
        Verb::IssueCertificate(verb) => issue(&store, &verb),
        Verb::GetCertificate(verb) => get(&store, &verb),
        Verb::ImportCertificateAuthorityCertificate(verb) => import(&store, &verb),
        Verb::DescribeCertificateAuthority(verb) => describe_authority(&store, verb.id()),
        Verb::CreatePermission(verb) => permit(&store, verb),
        Verb::RequestCertificate(verb) => request(&store, &verb),
        Verb::DescribeCertificate(verb) => describe(&store, &verb.certificate_arn),
        Verb::ExportCertificate(verb) => export(&store, &verb),
    }
}

/// What ARNs of this store begin with.
const ARN: &str = "arn:pqlab:acm-pca:::certificate-authority/";
const CERTIFICATE_ARN: &str = "arn:pqlab:acm:::certificate/";
/// Who is asked for by `request-certificate`.
const MANAGER: &str = "acm.amazonaws.com";

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Files are written as the AWS CLI writes them: `file://…` for text, `fileb://…` for
/// bytes; both are read alike.
fn read(argument: &str) -> Result<Vec<u8>> {
    let path = argument
        .strip_prefix("fileb://")
        .or_else(|| argument.strip_prefix("file://"))
        .unwrap_or(argument);
    std::fs::read(path)
        .with_context(|| format!("reading {path}"))
        .map_err(bad_input)
}

#[derive(Args)]
pub(super) struct Which {
    /// The authority: its ARN or its id.
    #[arg(long, value_name = "ARN")]
    certificate_authority_arn: String,
}

impl Which {
    fn id(&self) -> &str {
        last(&self.certificate_authority_arn)
    }
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// An object.
    Json,
    /// What is in it.
    Text,
}

#[derive(Args)]
pub(super) struct GetCsr {
    #[command(flatten)]
    which: Which,

    /// The shape of the answer.
    #[arg(long, default_value = "json")]
    output: Form,
}

#[derive(Args)]
pub(super) struct Create {
    /// `file://` and a JSON file with KeyAlgorithm, SigningAlgorithm and Subject.
    #[arg(long, value_name = "FILE")]
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

/// AWS' names of keys, and of the signatures that go with them.
const KEYS: [(&str, SignatureAlgorithm, &[&str]); 9] = {
    use SignatureAlgorithm as A;
    [
        ("RSA_2048", A::Rsa2048, &["SHA256WITHRSA"]),
        ("RSA_3072", A::Rsa3072, &["SHA256WITHRSA"]),
        ("RSA_4096", A::Rsa4096, &["SHA256WITHRSA"]),
        ("EC_prime256v1", A::EcdsaP256, &["SHA256WITHECDSA"]),
        ("EC_secp384r1", A::EcdsaP384, &["SHA384WITHECDSA"]),
        ("ED25519", A::Ed25519, &["ED25519"]),
        ("ML_DSA_44", A::MlDsa44, &["ML_DSA_44"]),
        ("ML_DSA_65", A::MlDsa65, &["ML_DSA_65"]),
        ("ML_DSA_87", A::MlDsa87, &["ML_DSA_87"]),
    ]
};

fn key_algorithm(name: &str) -> Result<SignatureAlgorithm> {
    match KEYS.iter().find(|(key, ..)| *key == name) {
        Some((_, algorithm, _)) => Ok(*algorithm),
        None => {
            let names: Vec<_> = KEYS.iter().map(|(key, ..)| *key).collect();
            let names = names.join(", ");
            Err(bad_input(anyhow!(
                "{name:?} is no key algorithm; there are {names}"
            )))
        }
    }
}

fn key_name(algorithm: SignatureAlgorithm) -> (&'static str, &'static str) {
    let found = KEYS.iter().find(|(_, known, _)| *known == algorithm);
    found.map_or(("", ""), |(name, _, signatures)| (*name, signatures[0]))
}

/// The key decides what it signs with: another wish is an error, not overheard.
fn check_signing(wanted: &str, algorithm: SignatureAlgorithm) -> Result<()> {
    let (key, signing) = key_name(algorithm);
    if wanted == signing {
        return Ok(());
    }
    Err(bad_input(anyhow!(
        "a key {key} signs with {signing} here, not with {wanted}"
    )))
}

fn create(store: &Store, arguments: &Create) -> Result<Ending> {
    let text = read(&arguments.certificate_authority_configuration)?;
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
    say!(
        "{:#}",
        json!({"CertificateAuthorityArn": format!("{ARN}{}", made.id)})
    );
    Ok(Ending::Good)
}

/// `Example Root CA` becomes `example-root-ca`.
fn id_of(common_name: &str) -> String {
    let letters = common_name.to_lowercase();
    let words = letters.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[derive(Args)]
pub(super) struct IssueCertificate {
    #[command(flatten)]
    which: Which,

    /// `fileb://` and the request.
    #[arg(long, value_name = "FILE")]
    csr: String,

    /// What the authority signs with, such as ML_DSA_65 or SHA256WITHRSA.
    #[arg(long, value_name = "ALGORITHM")]
    signing_algorithm: String,

    /// `Value=3650,Type=DAYS`.
    #[arg(long, value_name = "VALIDITY", value_parser = validity)]
    validity: Duration,

    /// What the certificate is for: RootCACertificate/V1,
    /// SubordinateCACertificate_PathLen0/V1 to 3, EndEntityServerAuthCertificate/V1 or
    /// EndEntityClientAuthCertificate/V1, alone or at the end of an ARN.
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

fn issue(store: &Store, arguments: &IssueCertificate) -> Result<Ending> {
    let id = arguments.which.id();
    let authority = store.authority(id).map_err(fault)?;
    check_signing(&arguments.signing_algorithm, authority.algorithm)?;
    let request = Request::from_pem(&read(&arguments.csr)?).map_err(bad_input)?;
    let template = arguments.template_arn.split("template/").last();
    let template = template.unwrap_or_default();
    let lifetime = Some(arguments.validity);
    let issued = match template {
        "EndEntityServerAuthCertificate/V1" => {
            sign(store, id, &request, Kind::Server, arguments.validity)
        }
        "EndEntityClientAuthCertificate/V1" => {
            sign(store, id, &request, Kind::Client, arguments.validity)
        }
        _ => {
            let template = authority_template(template)?;
            store.sign_authority(id, &request, template, lifetime, now())
        }
    };
    let serial = issued.map_err(fault)?.serial;
    say!(
        "{:#}",
        json!({"CertificateArn": format!("{ARN}{id}/certificate/{serial}")})
    );
    Ok(Ending::Good)
}

fn sign(
    store: &Store,
    id: &str,
    request: &Request,
    kind: Kind,
    lifetime: Duration,
) -> Result<Issued, CaError> {
    let order = SignOrder {
        authority: Some(id.to_owned()),
        kind,
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
        (_, Some(path_length @ 0..=3)) => Ok(AuthorityTemplate::Subordinate { path_length }),
        _ => Err(bad_input(anyhow!(
            "{name:?} is no template; see `pqlab ca issue-certificate --help`"
        ))),
    }
}

#[derive(Args)]
pub(super) struct GetCertificate {
    #[command(flatten)]
    which: Which,

    /// The certificate.
    #[arg(long, value_name = "ARN")]
    certificate_arn: String,

    /// The shape of the answer.
    #[arg(long, default_value = "json")]
    output: Form,
}

fn get(store: &Store, arguments: &GetCertificate) -> Result<Ending> {
    let id = arguments.which.id();
    store.authority(id).map_err(fault)?;
    let issued = store.find(last(&arguments.certificate_arn), now());
    let issued = issued.map_err(fault)?;
    if issued.authority != id {
        return Err(fault(CaError::UnknownCertificate(issued.serial)));
    }
    let der = store.certificate(&issued.fingerprint).map_err(fault)?;
    let certificate = pki::certificate_pem(&der);
    // A root has nothing above it, and is pending when it fetches its own.
    let above = match issued.kind {
        Kind::Authority => Vec::new(),
        Kind::Server | Kind::Client => store.chain_of_authority(id).map_err(fault)?,
    };
    let chain: String = above.iter().map(pki::certificate_pem).collect();
    match arguments.output {
        Form::Json => say!(
            "{:#}",
            json!({"Certificate": certificate, "CertificateChain": chain})
        ),
        Form::Text => say!("{}", format!("{certificate}{chain}").trim_end()),
    }
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    which: Which,

    /// `fileb://` and the certificate.
    #[arg(long, value_name = "FILE")]
    certificate: String,

    /// `fileb://` and the certificates above it, up to the root; not for a root.
    #[arg(long, value_name = "FILE")]
    certificate_chain: Option<String>,
}

fn import(store: &Store, arguments: &Import) -> Result<Ending> {
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
    Ok(Ending::Good)
}

fn describe_authority(store: &Store, id: &str) -> Result<Ending> {
    let authority = store.authority(id).map_err(fault)?;
    let (key, signing) = key_name(authority.algorithm);
    let mut description = json!({
        "Arn": format!("{ARN}{id}"),
        "Type": kind_of(&authority),
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
    say!("{:#}", json!({"CertificateAuthority": description}));
    Ok(Ending::Good)
}

const fn kind_of(authority: &Authority) -> &'static str {
    if authority.is_subordinate {
        "SUBORDINATE"
    } else {
        "ROOT"
    }
}

#[derive(Args)]
pub(super) struct CreatePermission {
    #[command(flatten)]
    which: Which,

    /// Who.
    #[arg(long, default_value = MANAGER)]
    principal: String,

    /// What: IssueCertificate, GetCertificate, ListPermissions.
    #[arg(long, required = true, num_args = 1.., value_parser = ["IssueCertificate", "GetCertificate", "ListPermissions"])]
    actions: Vec<String>,
}

fn permit(store: &Store, arguments: CreatePermission) -> Result<Ending> {
    let grant = Grant {
        principal: arguments.principal,
        actions: arguments.actions,
    };
    store
        .grant(
            last(&arguments.which.certificate_authority_arn),
            grant,
            now(),
        )
        .map_err(fault)?;
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct RequestCertificate {
    #[command(flatten)]
    which: Which,

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

fn request(store: &Store, arguments: &RequestCertificate) -> Result<Ending> {
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
        kind: Kind::Server,
        algorithm: key_algorithm(&arguments.key_algorithm)?,
        names,
        subject: None,
        lifetime: None,
        encrypts_key: false,
    };
    let issued = store.issue(&order, now()).map_err(fault)?;
    say!(
        "{:#}",
        json!({"CertificateArn": format!("{CERTIFICATE_ARN}{}", issued.serial)})
    );
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct WhichCertificate {
    /// The certificate: its ARN or serial number.
    #[arg(long, value_name = "ARN")]
    certificate_arn: String,
}

fn describe(store: &Store, arn: &str) -> Result<Ending> {
    let issued = store.find(last(arn), now()).map_err(fault)?;
    let status = match &issued.revocation {
        Some(_) => "REVOKED",
        None if issued.not_after < now() => "EXPIRED",
        None => "ISSUED",
    };
    let names: Vec<_> = issued.names.iter().map(ToString::to_string).collect();
    let description = json!({
        "CertificateArn": format!("{CERTIFICATE_ARN}{}", issued.serial),
        "DomainName": names[0],
        "SubjectAlternativeNames": names,
        "Serial": issued.serial,
        "Status": status,
        "KeyAlgorithm": key_name(issued.algorithm).0,
        "CertificateAuthorityArn": format!("{ARN}{}", issued.authority),
        "NotBefore": issued.not_before.format(&Rfc3339)?,
        "NotAfter": issued.not_after.format(&Rfc3339)?,
    });
    say!("{:#}", json!({"Certificate": description}));
    Ok(Ending::Good)
}

#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    which: WhichCertificate,

    #[command(flatten)]
    folder: Folder,
}

fn export(store: &Store, arguments: &Export) -> Result<Ending> {
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
    super::export::replace(&root_path, pki::certificate_pem(&root).as_bytes())?;
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

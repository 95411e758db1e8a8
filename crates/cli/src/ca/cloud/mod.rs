//! The steps of AWS Private CA and Certificate Manager under their own names, on the store
//! of this machine: what a reader of a cloud's manual types works here, with ML-DSA as well.
//!
//! Names, options and the shape of answers follow the AWS CLI's `acm-pca` and `acm`; an
//! authority's ARN ends in its id, a certificate's in its serial number or SHA-256.

mod authority;
mod certificate;
mod keys;

use ::ca::Store;
use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{Options, fault};
use crate::{Ending, bad_input};

#[derive(Subcommand)]
pub(super) enum Verb {
    /// (AWS) Make an authority that waits for its certificate.
    CreateCertificateAuthority(authority::Create),
    /// (AWS) Print the authority's certificate request.
    GetCertificateAuthorityCsr(GetCsr),
    /// (AWS) Sign a request: an authority's or an end entity's, as the template says.
    IssueCertificate(certificate::Issue),
    /// (AWS) Print a certificate and its chain.
    GetCertificate(certificate::Get),
    /// (AWS) Give the authority its certificate: it becomes ACTIVE.
    ImportCertificateAuthorityCertificate(authority::Import),
    /// (AWS) Tell the authority's state.
    DescribeCertificateAuthority(Which),
    /// (AWS) Let a service have certificates issued.
    CreatePermission(authority::CreatePermission),
    /// (AWS) Have a certificate issued for a domain, as Certificate Manager does.
    RequestCertificate(certificate::Request),
    /// (AWS) Tell a certificate's state.
    DescribeCertificate(certificate::Which),
    /// (AWS) Write a certificate and its key, to attach them to a listener.
    ExportCertificate(certificate::Export),
}

pub(super) fn main(options: &Options, verb: Verb) -> Result<Ending> {
    // The manual begins with the authority, and knows no step before it.
    let store = match (&verb, options.store.exists()) {
        (Verb::CreateCertificateAuthority(_), false) => {
            Store::create(&options.store, options.passphrase()?).map_err(fault)?
        }
        _ => options.open()?,
    };
    match verb {
        Verb::CreateCertificateAuthority(verb) => authority::create(&store, &verb),
        Verb::GetCertificateAuthorityCsr(verb) => {
            let request = store.authority_request(verb.which.id()).map_err(fault)?;
            match verb.output {
                Form::Json => say!("{:#}", json!({"Csr": request})),
                Form::Text => say!("{}", request.trim_end()),
            }
            Ok(Ending::Good)
        }
        Verb::IssueCertificate(verb) => certificate::issue(&store, &verb),
        Verb::GetCertificate(verb) => certificate::get(&store, &verb),
        Verb::ImportCertificateAuthorityCertificate(verb) => authority::import(&store, &verb),
        Verb::DescribeCertificateAuthority(verb) => authority::describe(&store, verb.id()),
        Verb::CreatePermission(verb) => authority::permit(&store, verb),
        Verb::RequestCertificate(verb) => certificate::request(&store, &verb),
        Verb::DescribeCertificate(verb) => certificate::describe(&store, &verb),
        Verb::ExportCertificate(verb) => certificate::export(&store, &verb),
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

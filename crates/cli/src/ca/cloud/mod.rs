//! The steps of AWS Private CA and Certificate Manager under their own names, on the store
//! of this machine: what a reader of a cloud's manual types works here, with ML-DSA as well.
//!
//! Names, options and the shape of answers follow the AWS CLI's `acm-pca` and `acm`; an
//! authority's ARN ends in its id, a certificate's in its serial number or SHA-256.

mod answer;
mod authority;
mod certificate;
mod keys;

use ::ca::Store;
use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Options, fault};
use crate::{Ending, bad_input};
use answer::Form;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// (AWS) Make an authority that waits for its certificate.
    CreateCertificateAuthority(Step<authority::Create>),
    /// (AWS) Print the authority's certificate request.
    GetCertificateAuthorityCsr(Step<Which>),
    /// (AWS) Sign a request: an authority's or an end entity's, as the template says.
    IssueCertificate(Step<certificate::Issue>),
    /// (AWS) Print a certificate and its chain.
    GetCertificate(Step<certificate::Get>),
    /// (AWS) Give the authority its certificate: it becomes ACTIVE.
    ImportCertificateAuthorityCertificate(Step<authority::Import>),
    /// (AWS) Tell the authority's state.
    DescribeCertificateAuthority(Step<Which>),
    /// (AWS) Tell the state of all authorities.
    ListCertificateAuthorities(Step<Nothing>),
    /// (AWS) Let a service have certificates issued.
    CreatePermission(Step<authority::CreatePermission>),
    /// (AWS) Revoke a certificate of the authority.
    RevokeCertificate(Step<certificate::Revoke>),
    /// (AWS) Have a certificate issued for a domain, as Certificate Manager does.
    RequestCertificate(Step<certificate::Request>),
    /// (AWS) Tell a certificate's state.
    DescribeCertificate(Step<certificate::Which>),
    /// (AWS) List the certificates of servers and clients.
    ListCertificates(Step<certificate::List>),
    /// (AWS) Write a certificate and its key, to attach them to a listener.
    ExportCertificate(Step<certificate::Export>),
}

/// A step with what every step of the AWS CLI takes.
#[derive(Args)]
pub(super) struct Step<T: Args> {
    #[command(flatten)]
    own: T,

    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Common {
    /// The shape of the answer.
    #[arg(long, default_value = "json", help_heading = HEADING)]
    output: Form,

    /// Taken, and without a meaning here: the store is on this machine.
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    region: Option<String>,

    /// Taken, and without a meaning here: nothing in the store has tags.
    #[arg(long, num_args = 1.., value_name = "TAG", help_heading = HEADING)]
    tags: Vec<String>,

    /// Taken, and without a meaning here: what is asked for twice is done twice.
    #[arg(long, value_name = "TEXT", help_heading = HEADING)]
    idempotency_token: Option<String>,
}

/// What stands above them in the help.
const HEADING: &str = "Options of every step of AWS";

impl Common {
    /// Tells of what was pasted from a manual and does nothing.
    fn note(&self) {
        let given = [
            (
                "--region",
                self.region.is_some(),
                "the store is on this machine",
            ),
            (
                "--tags",
                !self.tags.is_empty(),
                "nothing in the store has tags",
            ),
            (
                "--idempotency-token",
                self.idempotency_token.is_some(),
                "what is asked for twice is done twice",
            ),
        ];
        for (option, is_given, why) in given {
            if is_given {
                eprintln!("{option} has no meaning here: {why}.");
            }
        }
    }
}

/// No arguments of its own.
#[derive(Args)]
pub(super) struct Nothing {}

pub(super) fn main(options: &Options, verb: Verb) -> Result<Ending> {
    let common = verb.common();
    common.note();
    let form = common.output;
    // The manual begins with the authority, and knows no step before it.
    let store = match (&verb, options.store.exists()) {
        (Verb::CreateCertificateAuthority(_), false) => {
            Store::create(&options.store, options.passphrase()?).map_err(fault)?
        }
        _ => options.open()?,
    };
    let answer = match verb {
        Verb::CreateCertificateAuthority(step) => authority::create(&store, &step.own)?,
        Verb::GetCertificateAuthorityCsr(step) => {
            let request = store.authority_request(step.own.id()).map_err(fault)?;
            match form {
                Form::Json => json!({"Csr": request}),
                // As it goes into a file.
                Form::Text => json!(request.trim_end()),
            }
        }
        Verb::IssueCertificate(step) => certificate::issue(&store, &step.own)?,
        Verb::GetCertificate(step) => certificate::get(&store, &step.own, form)?,
        Verb::ImportCertificateAuthorityCertificate(step) => {
            authority::import(&store, &step.own)?;
            return Ok(Ending::Good);
        }
        Verb::DescribeCertificateAuthority(step) => {
            let authority = store.authority(step.own.id()).map_err(fault)?;
            json!({"CertificateAuthority": authority::described(&store, &authority)?})
        }
        Verb::ListCertificateAuthorities(_) => {
            let all = store.authorities().map_err(fault)?;
            let all: Result<Vec<_>> = all
                .iter()
                .map(|authority| authority::described(&store, authority))
                .collect();
            json!({"CertificateAuthorities": all?})
        }
        Verb::CreatePermission(step) => {
            authority::permit(&store, step.own)?;
            return Ok(Ending::Good);
        }
        Verb::RevokeCertificate(step) => {
            certificate::revoke(&store, &step.own)?;
            return Ok(Ending::Good);
        }
        Verb::RequestCertificate(step) => certificate::request(&store, &step.own)?,
        Verb::DescribeCertificate(step) => certificate::describe(&store, &step.own)?,
        Verb::ListCertificates(step) => certificate::list(&store, &step.own)?,
        Verb::ExportCertificate(step) => return certificate::export(&store, &step.own),
    };
    answer::print(form, &answer);
    Ok(Ending::Good)
}

impl Verb {
    const fn common(&self) -> &Common {
        match self {
            Self::CreateCertificateAuthority(step) => &step.common,
            Self::GetCertificateAuthorityCsr(step) => &step.common,
            Self::IssueCertificate(step) => &step.common,
            Self::GetCertificate(step) => &step.common,
            Self::ImportCertificateAuthorityCertificate(step) => &step.common,
            Self::DescribeCertificateAuthority(step) => &step.common,
            Self::ListCertificateAuthorities(step) => &step.common,
            Self::CreatePermission(step) => &step.common,
            Self::RevokeCertificate(step) => &step.common,
            Self::RequestCertificate(step) => &step.common,
            Self::DescribeCertificate(step) => &step.common,
            Self::ListCertificates(step) => &step.common,
            Self::ExportCertificate(step) => &step.common,
        }
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

/// [`read`], or what stands in the argument itself, in JSON. The AWS CLI has a shorthand beside
/// it.
fn read_json(argument: &str) -> Result<Vec<u8>> {
    let text = argument.trim_start();
    if text.starts_with('{') {
        return Ok(text.as_bytes().to_vec());
    }
    if text.contains('=') && !text.contains("://") {
        return Err(bad_input(anyhow!(
            "the AWS CLI's shorthand is not read here: write it as JSON, as in \
             '{{\"KeyAlgorithm\": \"ML_DSA_65\", …}}', or file:// and a file of JSON"
        )));
    }
    read(argument)
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

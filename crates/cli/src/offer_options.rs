//! What both sides of TLS offer, as arguments.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use experiment::StackName;
use pki::{Cache, CertifiedKey, Role};
use rustls_pki_types::CertificateDer;
use stack::{Offer, TlsStack};
use wire::{ChainAlgorithms, CipherSuite, NamedGroup, ProtocolVersion};

use crate::bad_input;

/// What is offered, the most wanted first.
#[derive(Debug, Clone, Args)]
pub(crate) struct OfferOptions {
    /// The TLS library: see `pqlab list stacks`.
    #[arg(long, default_value = "rustls", value_name = "NAME")]
    stack: StackName,

    /// Named groups in order of preference; a client sends a key share for the first. See
    /// `pqlab list groups`. [default: X25519MLKEM768, where TLS 1.3 is among the versions,
    /// x25519, secp256r1, secp384r1]
    #[arg(long, value_delimiter = ',', value_name = "GROUP,…")]
    groups: Option<Vec<NamedGroup>>,

    /// Versions of TLS.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "VERSION,…",
        default_value = "1.3,1.2"
    )]
    tls: Vec<ProtocolVersion>,

    /// Cipher suites by their IANA names; the library's own list without it.
    #[arg(long, value_delimiter = ',', value_name = "SUITE,…")]
    ciphers: Vec<CipherSuite>,
}

impl OfferOptions {
    pub(crate) const fn stack_name(&self) -> &StackName {
        &self.stack
    }

    pub(crate) fn stack(&self) -> Result<&'static dyn TlsStack> {
        stack::by_name(&self.stack).map_err(bad_input)
    }

    /// `alpn` are application protocols, the most wanted first.
    pub(crate) fn offer(&self, alpn: &[String]) -> Result<Offer> {
        Ok(Offer {
            versions: self.tls.clone(),
            groups: self.groups()?,
            cipher_suites: self.ciphers.clone(),
            alpn: alpn.iter().map(|name| name.as_bytes().to_vec()).collect(),
            ..Offer::default()
        })
    }

    /// What was asked for. TLS 1.2 has none of the post-quantum groups: they are left out of
    /// the list that goes without saying, and refused where they were named.
    fn groups(&self) -> Result<Vec<NamedGroup>> {
        let has_tls13 = self.tls.contains(&ProtocolVersion::Tls13);
        let is_usable = |group: &NamedGroup| has_tls13 || !group.is_post_quantum();
        let Some(groups) = &self.groups else {
            let mut groups = Offer::default().groups;
            groups.retain(is_usable);
            return Ok(groups);
        };
        match groups.iter().find(|group| !is_usable(group)) {
            Some(group) => Err(bad_input(anyhow::anyhow!(
                "{group} is a group of TLS 1.3 alone, and --tls leaves that out: TLS 1.2 has no \
                 post-quantum key exchange"
            ))),
            None => Ok(groups.clone()),
        }
    }

    /// The only version that QUIC carries (RFC 9001 section 4.2).
    ///
    /// # Errors
    /// When it is left out.
    pub(crate) fn for_quic(versions: &mut Vec<ProtocolVersion>) -> Result<()> {
        versions.retain(|version| *version == ProtocolVersion::Tls13);
        match versions.is_empty() {
            true => Err(bad_input(anyhow::anyhow!(
                "QUIC is of TLS 1.3 alone (RFC 9001): leave 1.3 in --tls"
            ))),
            false => Ok(()),
        }
    }
}

/// The lab's own certificates.
pub(crate) fn lab() -> Result<Cache> {
    Ok(Cache::open(Cache::default_dir()?)?)
}

/// Pairs of certificate and key files, then chains of the lab.
pub(crate) fn certified_keys(
    certificates: &[PathBuf],
    keys: &[PathBuf],
    chains: &[ChainAlgorithms],
    role: Role,
) -> Result<Vec<CertifiedKey>> {
    if certificates.len() != keys.len() {
        return Err(bad_input(anyhow::anyhow!(
            "{} --cert and {} --key: each certificate needs its key",
            certificates.len(),
            keys.len()
        )));
    }
    let mut all = Vec::new();
    for (certificate, key) in certificates.iter().zip(keys) {
        let pair = CertifiedKey::from_pem(&read(certificate)?, &read(key)?);
        let place = || format!("{} with {}", certificate.display(), key.display());
        all.push(pair.with_context(place).map_err(bad_input)?);
    }
    if !chains.is_empty() {
        let lab = lab()?;
        for chain in chains {
            all.push(lab.identity(*chain, role)?.certified_key().clone());
        }
    }
    Ok(all)
}

/// Trust anchors of a PEM file, of the lab (`lab`) or of this system (`system`).
pub(crate) fn trust_anchors(place: &str) -> Result<Vec<CertificateDer<'static>>> {
    match place {
        "lab" => {
            let roots = lab()?.roots()?;
            if roots.is_empty() {
                let what = "the lab has no certificates yet: `pqlab serve` or `pqlab \
                            certificates` makes them";
                return Err(bad_input(anyhow::anyhow!(what)));
            }
            Ok(roots)
        }
        "system" => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                bail!(
                    "this system has no trust anchors ({}): give --ca FILE",
                    why.join("; ")
                );
            }
            Ok(found.certs)
        }
        file => {
            let path = Path::new(file);
            pki::certificates_from_pem(&read(path)?)
                .with_context(|| file.to_owned())
                .map_err(bad_input)
        }
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .with_context(|| format!("reading {}", path.display()))
        .map_err(bad_input)
}

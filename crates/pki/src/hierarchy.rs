//! A root, an intermediate and two end entities: made, written as PEM, read and checked.

use std::time::Duration as StdDuration;

use rcgen::{CertificateParams, CertifiedIssuer, PublicKeyData};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, SignatureVerificationAlgorithm, UnixTime,
};
use time::{Duration, OffsetDateTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyUsage};
use wire::{ChainAlgorithms, SignatureAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::identity::{CERTIFICATE, PRIVATE_KEY, encode_pem};
use crate::key::{Key, public_key_algorithm};
use crate::{CertifiedKey, Identity, PkiError, Role, profile};

/// The first line of a written hierarchy. Its number is raised whenever [`profile`] changes, so
/// that certificates of an older profile are replaced.
const HEADING: &str = "pqlab certificate hierarchy, profile 1\n";

/// What is left of validity when a hierarchy counts as expired: a run may take hours.
const REMAINING_VALIDITY: Duration = Duration::days(1);

/// Everything a server and a client with one trust anchor need.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    server: EndEntity,
    client: EndEntity,
}

#[derive(Debug)]
struct EndEntity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

/// Why a written hierarchy cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Not what [`Hierarchy::to_pem`] writes: missing, cut short, or of an older profile.
    Encoding,
    /// A block holds no certificate.
    Certificate,
    /// A certificate's key is of another algorithm than the chain says.
    Algorithm,
    /// `notBefore` lies in the future: the clock was set back.
    NotYetValid,
    /// `notAfter` is past, or too near.
    Expired,
    /// A private key cannot be read, is not as written here, or belongs to another certificate.
    Key,
    /// A signature, a constraint or a purpose is wrong.
    Untrusted,
}

impl Hierarchy {
    /// Makes four keys and their certificates, valid from a day before `now`.
    pub(crate) fn generate(chain: ChainAlgorithms, now: OffsetDateTime) -> Result<Self, PkiError> {
        let failed = |certificate| {
            move |error: rcgen::Error| PkiError::Generate {
                certificate,
                chain,
                error: Box::new(error),
            }
        };
        let root = profile::root(now)
            .and_then(|params| CertifiedIssuer::self_signed(params, Key::generate(chain.root())?))
            .map_err(failed("root"))?;
        let intermediate = profile::intermediate(now)
            .and_then(|params| {
                let key = Key::generate(chain.intermediate())?;
                CertifiedIssuer::signed_by(params, key, &root)
            })
            .map_err(failed("intermediate"))?;
        let end_entity = |role: Role| {
            profile::end_entity(role, chain.leaf(), now)
                .and_then(|params| EndEntity::issue(params, chain.leaf(), &intermediate))
                .map_err(failed(role.name()))
        };
        Ok(Self {
            server: end_entity(Role::Server)?,
            client: end_entity(Role::Client)?,
            root: root.der().clone(),
            intermediate: intermediate.der().clone(),
        })
    }

    /// [`HEADING`] and six PEM blocks, each under a line that says what it is (RFC 7468 section 2
    /// allows text between blocks).
    pub(crate) fn to_pem(&self) -> String {
        let blocks: [(&str, &str, &[u8]); 6] = [
            ("root", CERTIFICATE, &self.root),
            ("intermediate", CERTIFICATE, &self.intermediate),
            ("server", CERTIFICATE, &self.server.certificate),
            (
                "server key",
                PRIVATE_KEY,
                self.server.key.secret_pkcs8_der(),
            ),
            ("client", CERTIFICATE, &self.client.certificate),
            (
                "client key",
                PRIVATE_KEY,
                self.client.key.secret_pkcs8_der(),
            ),
        ];
        let blocks =
            blocks.map(|(title, label, der)| format!("\n{title}\n{}", encode_pem(label, der)));
        format!("{HEADING}{}", blocks.concat())
    }

    /// Reads what [`to_pem`](Self::to_pem) wrote and lets only a hierarchy through that a peer
    /// would accept until tomorrow, with the algorithms that `chain` says.
    pub(crate) fn from_pem(
        text: &[u8],
        chain: ChainAlgorithms,
        now: OffsetDateTime,
    ) -> Result<Self, Defect> {
        let blocks = text
            .strip_prefix(HEADING.as_bytes())
            .ok_or(Defect::Encoding)?;
        let blocks = pem::parse_many(blocks).map_err(|_| Defect::Encoding)?;
        let blocks: [_; 6] = blocks.try_into().map_err(|_| Defect::Encoding)?;
        let labels = blocks.each_ref().map(|block| block.tag());
        if labels
            != [
                CERTIFICATE,
                CERTIFICATE,
                CERTIFICATE,
                PRIVATE_KEY,
                CERTIFICATE,
                PRIVATE_KEY,
            ]
        {
            return Err(Defect::Encoding);
        }
        let [root, intermediate, server, server_key, client, client_key] =
            blocks.map(|block| block.into_contents());
        let hierarchy = Self {
            root: root.into(),
            intermediate: intermediate.into(),
            server: EndEntity {
                certificate: server.into(),
                key: server_key.into(),
            },
            client: EndEntity {
                certificate: client.into(),
                key: client_key.into(),
            },
        };
        hierarchy.check(chain, now)?;
        Ok(hierarchy)
    }

    pub(crate) const fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    pub(crate) fn into_identity(self, role: Role) -> Identity {
        let EndEntity { certificate, key } = match role {
            Role::Server => self.server,
            Role::Client => self.client,
        };
        let chain = vec![certificate, self.intermediate];
        Identity::new(
            CertifiedKey::new(chain, PrivateKeyDer::Pkcs8(key)),
            self.root,
        )
    }

    fn check(&self, chain: ChainAlgorithms, now: OffsetDateTime) -> Result<(), Defect> {
        check_certificate(&self.root, chain.root(), now)?;
        check_certificate(&self.intermediate, chain.intermediate(), now)?;
        self.server.check(chain.leaf(), now)?;
        self.client.check(chain.leaf(), now)?;
        self.check_root_signature(chain.root())
            .ok_or(Defect::Untrusted)?;
        self.check_path(&self.server, KeyUsage::server_auth(), now)?;
        self.check_path(&self.client, KeyUsage::client_auth(), now)
    }

    /// Verifiers take the root on trust and never look at its own signature: this finds a
    /// damaged one.
    fn check_root_signature(&self, algorithm: SignatureAlgorithm) -> Option<()> {
        let root = parse(&self.root)?;
        EndEntityCert::try_from(&self.root)
            .ok()?
            .verify_signature(
                verification_algorithm(algorithm),
                root.tbs_certificate.as_ref(),
                &root.signature_value.data,
            )
            .ok()
    }

    fn check_path(
        &self,
        end_entity: &EndEntity,
        usage: impl ExtendedKeyUsageValidator,
        now: OffsetDateTime,
    ) -> Result<(), Defect> {
        let seconds = u64::try_from(now.unix_timestamp()).map_err(|_| Defect::NotYetValid)?;
        let now = UnixTime::since_unix_epoch(StdDuration::from_secs(seconds));
        let anchor = webpki::anchor_from_trusted_cert(&self.root).map_err(|_| Defect::Untrusted)?;
        EndEntityCert::try_from(&end_entity.certificate)
            .and_then(|certificate| {
                certificate
                    .verify_for_usage(
                        webpki::ALL_VERIFICATION_ALGS,
                        &[anchor],
                        std::slice::from_ref(&self.intermediate),
                        now,
                        usage,
                        None,
                        None,
                    )
                    .map(|_path| ())
            })
            .map_err(|_| Defect::Untrusted)
    }
}

impl EndEntity {
    fn issue(
        params: CertificateParams,
        algorithm: SignatureAlgorithm,
        issuer: &CertifiedIssuer<'_, Key>,
    ) -> Result<Self, rcgen::Error> {
        let key = Key::generate(algorithm)?;
        let certificate = params.signed_by(&key, issuer)?.into();
        Ok(Self {
            certificate,
            key: key.into_pkcs8(),
        })
    }

    fn check(&self, algorithm: SignatureAlgorithm, now: OffsetDateTime) -> Result<(), Defect> {
        check_certificate(&self.certificate, algorithm, now)?;
        let certificate = parse(&self.certificate).ok_or(Defect::Certificate)?;
        let key = Key::from_pkcs8(algorithm, &self.key).map_err(|_| Defect::Key)?;
        if certificate.public_key().raw == key.subject_public_key_info()
            && self.key == key.into_pkcs8()
        {
            Ok(())
        } else {
            Err(Defect::Key)
        }
    }
}

fn check_certificate(
    der: &CertificateDer<'_>,
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> Result<(), Defect> {
    let certificate = parse(der).ok_or(Defect::Certificate)?;
    if public_key_algorithm(certificate.public_key()) != Some(algorithm) {
        return Err(Defect::Algorithm);
    }
    let validity = certificate.validity();
    if now < validity.not_before.to_datetime() {
        return Err(Defect::NotYetValid);
    }
    if validity.not_after.to_datetime() - now < REMAINING_VALIDITY {
        return Err(Defect::Expired);
    }
    Ok(())
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

/// How a certificate signed by a key of this algorithm is verified.
fn verification_algorithm(
    algorithm: SignatureAlgorithm,
) -> &'static dyn SignatureVerificationAlgorithm {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rsa2048 | A::Rsa3072 | A::Rsa4096 => webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
        A::EcdsaP256 => webpki::aws_lc_rs::ECDSA_P256_SHA256,
        A::EcdsaP384 => webpki::aws_lc_rs::ECDSA_P384_SHA384,
        A::Ed25519 => webpki::aws_lc_rs::ED25519,
        A::MlDsa44 => webpki::aws_lc_rs::ML_DSA_44,
        A::MlDsa65 => webpki::aws_lc_rs::ML_DSA_65,
        A::MlDsa87 => webpki::aws_lc_rs::ML_DSA_87,
    }
}

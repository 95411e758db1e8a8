//! The certificates of the experiment, from an authority that is made for it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ca::{Issued, Name, NameError, NewAuthority, Order, RevocationReason, Store, Subject};
use pki::Role;
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use super::trial::Shown;
use super::{CrossCloudError, FUNCTION_NAME, PROXY_NAME, function};

/// Guards nothing: whoever can read the environment has file and password. It is there since
/// cloud functions and the readers of PKCS#12 want one.
pub(super) const PASSWORD: &str = "cross-cloud";

/// How long the revocation lists are good: longer than the experiment takes.
const CRL_LIFETIME: Duration = Duration::days(7);
/// When the expired certificate was issued, before now, and for how long.
const EXPIRED: (Duration, Duration) = (Duration::days(10), Duration::days(1));

/// All of one algorithm.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The trust anchor of both sides (PEM).
    pub(super) root: PathBuf,
    /// The anchor of an authority that nobody here trusts.
    pub(super) strange_root: PathBuf,
    /// The proxy's chain and key (PEM).
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
    /// The lists of root and intermediate (PEM).
    pub(super) crls: PathBuf,
    /// PKCS#12 in base64.
    pfx: BTreeMap<Shown, String>,
}

impl Credentials {
    /// Makes an authority, a second one that is nobody's, and what they certify, below
    /// `folder`.
    pub(super) fn make(
        folder: &Path,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CrossCloudError> {
        let folder = folder.join(algorithm.name());
        make_private(&folder)?;
        let now = OffsetDateTime::now_utc();
        let (issued_at, lifetime) = (now - EXPIRED.0, EXPIRED.1);
        let client = |name: &str, lifetime| order(Role::Client, algorithm, name, lifetime);

        // Time runs forward in a store: what is old comes first.
        let store = authority(&folder.join("ca"), "pqlab", algorithm, issued_at)?;
        let expired = client("expired.cloud-a.internal", Some(lifetime))?;
        let expired = store.issue(&expired, issued_at)?;
        let proxy = order(Role::Server, algorithm, PROXY_NAME, None)?;
        let proxy = store.issue(&proxy, now)?;
        let valid = store.issue(&client(FUNCTION_NAME, None)?, now)?;
        let revoked = store.issue(&client("revoked.cloud-a.internal", None)?, now)?;
        let revoked = store.revoke(&revoked.serial, RevocationReason::KeyCompromise, now)?;
        let server = order(Role::Server, algorithm, "server.cloud-a.internal", None)?;
        let server = store.issue(&server, now)?;

        // Somebody else's authority certifies the very name of the function.
        let other = authority(&folder.join("strange-ca"), "Strange", algorithm, now)?;
        let stranger = other.issue(&client(FUNCTION_NAME, None)?, now)?;

        let pfx = |store: &Store, issued: &Issued| -> Result<String, CrossCloudError> {
            Ok(STANDARD.encode(store.pfx(issued, PASSWORD)?))
        };
        let credentials = Self {
            root: folder.join("root.pem"),
            strange_root: folder.join("strange-root.pem"),
            chain: folder.join("proxy.pem"),
            key: store.key_path(&proxy.serial),
            crls: folder.join("crls.pem"),
            pfx: BTreeMap::from([
                (Shown::Valid, pfx(&store, &valid)?),
                (Shown::Revoked, pfx(&store, &revoked)?),
                (Shown::Expired, pfx(&store, &expired)?),
                (Shown::Server, pfx(&store, &server)?),
                (Shown::Stranger, pfx(&other, &stranger)?),
            ]),
        };
        let mut crls = String::new();
        for issuer in [ROOT, ISSUING] {
            let list = store.crl(issuer, CRL_LIFETIME, now)?;
            crls += &pki::encode_pem("X509 CRL", &list);
        }
        let chain: String = store
            .chain(&proxy)?
            .iter()
            .map(pki::certificate_pem)
            .collect();
        write(&credentials.crls, &crls)?;
        write(&credentials.chain, &chain)?;
        write(
            &credentials.root,
            &pki::certificate_pem(&store.root(ISSUING)?),
        )?;
        write(
            &credentials.strange_root,
            &pki::certificate_pem(&other.root(ISSUING)?),
        )?;
        for shown in Shown::ALL {
            let anchors = read(&credentials.root)?;
            let text: String = credentials
                .settings(shown, anchors)
                .into_iter()
                .map(|(name, value)| format!("export {name}='{value}'\n"))
                .collect();
            write(&folder.join(format!("{}.env", shown.name())), &text)?;
        }
        Ok(credentials)
    }

    /// The function's environment, with these anchors for the proxy.
    pub(super) fn settings(&self, shown: Shown, anchors: String) -> Vec<(&'static str, String)> {
        let mut settings = vec![(function::ANCHORS, anchors)];
        if let Some(pfx) = self.pfx.get(&shown) {
            settings.push((function::PFX, pfx.clone()));
            settings.push((function::PASSWORD, PASSWORD.to_owned()));
        }
        settings
    }
}

const ROOT: &str = "root";
const ISSUING: &str = "issuing";

/// A root and an intermediate.
fn authority(
    folder: &Path,
    owner: &str,
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> Result<Store, CrossCloudError> {
    let store = Store::create(folder, None)?;
    for (id, title, issuer, path_length) in [
        (ROOT, "Root CA", None, 1),
        (ISSUING, "Issuing CA", Some(ROOT), 0),
    ] {
        let subject: Subject = format!("CN={owner} {title} {algorithm}")
            .parse()
            .map_err(ca::CaError::from)?;
        let new = NewAuthority {
            id: id.to_owned(),
            subject,
            algorithm,
            issuer: issuer.map(str::to_owned),
            path_length: Some(path_length),
            permitted_dns: Vec::new(),
            crl_url: None,
            lifetime: None,
        };
        store.create_authority(&new, now)?;
    }
    Ok(store)
}

fn order(
    role: Role,
    algorithm: SignatureAlgorithm,
    name: &str,
    lifetime: Option<Duration>,
) -> Result<Order, CrossCloudError> {
    let name: Name = name
        .parse()
        .map_err(|error: NameError| CrossCloudError::Tls {
            what: "a certificate's name",
            why: error.to_string(),
        })?;
    Ok(Order {
        authority: Some(ISSUING.to_owned()),
        role,
        algorithm,
        names: vec![name],
        subject: None,
        lifetime,
        encrypts_key: false,
    })
}

/// Makes a folder that nobody else can look into: keys lie in it.
pub(super) fn make_private(folder: &Path) -> Result<(), CrossCloudError> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .map_err(CrossCloudError::file("make", folder))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), CrossCloudError> {
    fs::write(path, text).map_err(CrossCloudError::file("write", path))
}

pub(super) fn read(path: &Path) -> Result<String, CrossCloudError> {
    fs::read_to_string(path).map_err(CrossCloudError::file("read", path))
}

//! Certificates, keys, stores and configurations.

use serde_json::{Value, json};

use super::CbomVersion;
use super::algorithms::{AlgorithmUse, key_bits};
use super::document::{Document, Occurrence, asset, property};
use super::services::related;
use crate::output::text::{date_time, encoded, sha256, visible};
use crate::{
    Algorithm, Asset, AssetKind, CertificateFacts, Inventory, KeyFacts, KeyForm, KeyUse, Location,
    Role, Settings, StoreFacts, StoreFormat,
};

impl Document {
    pub(super) fn add_inventory(&mut self, inventory: &Inventory) {
        for asset in &inventory.assets {
            self.add_asset(asset);
        }
        for problem in &inventory.problems {
            let text = format!("{}: {}", problem.location, problem.reason);
            self.add_property("not-read", &text);
        }
    }

    fn add_asset(&mut self, found: &Asset) {
        let seen = Occurrence {
            location: found.location.path.clone(),
            line: found.location.line,
            context: found.location.entry.clone(),
        };
        match &found.kind {
            AssetKind::Certificate(facts) => _ = self.add_certificate(facts, &seen),
            AssetKind::Request(facts) => self.add_key(facts, "PKCS #10", found, &seen),
            AssetKind::Key(facts) => {
                let format = match facts.form {
                    KeyForm::X509 => "X.509",
                    KeyForm::Ssh => "OpenSSH",
                    KeyForm::OpenPgp => "OpenPGP",
                    KeyForm::Symmetric => "keystore entry",
                };
                self.add_key(facts, format, found, &seen);
            }
            AssetKind::Store(facts) => self.add_store(facts, &found.location, &seen),
            AssetKind::Settings(settings) => self.add_settings(settings, &found.location, &seen),
        }
    }

    /// Adds a certificate, its key and its signature, and returns its reference.
    pub(super) fn add_certificate(
        &mut self,
        facts: &CertificateFacts,
        seen: &Occurrence,
    ) -> String {
        let id = encoded(&facts.fingerprint, "");
        let reference = format!("crypto/certificate/sha256:{id}");
        let signature =
            AlgorithmUse::of_certificate(&facts.signature, facts.signature_hash.as_deref());
        let signature = self.add_algorithm(&signature, seen);
        // A certificate does not say for which role an RSA or EC key is used; in TLS it signs.
        let key_algorithm = AlgorithmUse::new(&facts.key, Some(Role::Signature));
        let key_algorithm = self.add_algorithm(&key_algorithm, seen);
        let key = format!("crypto/key/public/certificate/sha256:{id}");
        let material = Material {
            kind: "public-key",
            algorithm: Some((&facts.key, key_algorithm)),
            format: "X.509",
            fingerprint: None,
        };
        let name = format!("{} public key", facts.key);
        self.add_component(
            &key,
            asset(&name, material.properties(self.version)),
            seen,
            [],
        );

        let mut properties = json!({
            "subjectName": visible(&facts.subject),
            "issuerName": visible(&facts.issuer),
            "certificateFormat": "X.509",
        });
        let dates = [
            ("notValidBefore", &facts.not_before),
            ("notValidAfter", &facts.not_after),
        ];
        for (field, date) in dates {
            if let Some(date) = date_time(date) {
                properties[field] = json!(date);
            }
        }
        let fingerprint = sha256(&facts.fingerprint);
        match self.version {
            CbomVersion::V1_6 => {
                properties["signatureAlgorithmRef"] = json!(signature);
                properties["subjectPublicKeyRef"] = json!(key);
            }
            CbomVersion::V1_7 => {
                properties["serialNumber"] = json!(visible(&facts.serial));
                properties["relatedCryptographicAssets"] =
                    related(&[("algorithm", &signature), ("publicKey", &key)]);
                // Over the whole DER, which is what every other tool calls the fingerprint.
                if let Some(hash) = &fingerprint {
                    properties["fingerprint"] = json!({ "alg": "SHA-256", "content": hash });
                }
            }
        }
        let name = match facts.subject.is_empty() {
            true => facts.names.first().unwrap_or(&facts.serial),
            false => &facts.subject,
        };
        let mut body = asset(
            name,
            json!({ "assetType": "certificate", "certificateProperties": properties }),
        );
        if let Some(hash) = &fingerprint {
            body["hashes"] = json!([{ "alg": "SHA-256", "content": hash }]);
        }
        let mut notes = vec![property("certificate:serial", &facts.serial)];
        notes.extend(
            facts
                .names
                .iter()
                .map(|name| property("certificate:name", name)),
        );
        notes.push(property(
            "certificate:authority",
            &facts.is_authority.to_string(),
        ));
        body["properties"] = json!(notes);
        self.add_component(&reference, body, seen, []);
        reference
    }

    fn add_key(&mut self, facts: &KeyFacts, format: &str, found: &Asset, seen: &Occurrence) {
        let kind = match (facts.form, facts.is_private) {
            (KeyForm::Symmetric, _) => "secret-key",
            (_, true) => "private-key",
            (_, false) => "public-key",
        };
        let id = match &facts.fingerprint {
            Some(fingerprint) => format!("{}/{}", encoded(format, ""), encoded(fingerprint, "")),
            None => format!("at/{}", place(&found.location)),
        };
        let reference = format!("crypto/key/{kind}/{id}");
        let role = match facts.uses.as_slice() {
            [KeyUse::KeyEstablishment] => Some(Role::KeyEstablishment),
            [KeyUse::Signature] => Some(Role::Signature),
            _ => None,
        };
        let algorithm = facts.algorithm.as_ref().map(|algorithm| {
            let reference = self.add_algorithm(&AlgorithmUse::new(algorithm, role), seen);
            (algorithm, reference)
        });
        let name = match &facts.algorithm {
            Some(algorithm) => format!("{algorithm} {}", kind.replace('-', " ")),
            None => kind.replace('-', " "),
        };
        let material = Material {
            kind,
            algorithm,
            format,
            fingerprint: facts.fingerprint.as_deref().and_then(sha256),
        };
        let mut properties = material.properties(self.version);
        if let Some(fingerprint) = &facts.fingerprint {
            properties["relatedCryptoMaterialProperties"]["id"] = json!(visible(fingerprint));
        }
        let mut body = asset(&name, properties);
        let mut notes = vec![property("key:encrypted", &facts.is_encrypted.to_string())];
        notes.extend(facts.owner.iter().map(|owner| property("key:owner", owner)));
        body["properties"] = json!(notes);
        self.add_component(&reference, body, seen, []);
    }

    fn add_store(&mut self, facts: &StoreFacts, location: &Location, seen: &Occurrence) {
        let format = match facts.format {
            StoreFormat::Pkcs12 => "PKCS #12",
            StoreFormat::Jks => "JKS",
            StoreFormat::Jceks => "JCEKS",
        };
        let counts = [
            ("private-keys", facts.private_keys),
            ("certificates", facts.certificates),
        ];
        let mut notes = vec![property("store:format", format)];
        for (name, count) in counts {
            let count = count.map(|count| count.to_string());
            notes.extend(count.map(|count| property(&format!("store:{name}"), &count)));
        }
        notes.extend(
            facts
                .protection
                .iter()
                .map(|name| property("store:protection", name)),
        );
        let body = json!({
            "type": "file",
            "name": visible(&location.path),
            "properties": notes,
        });
        self.add_component(&format!("store/{}", place(location)), body, seen, []);
    }

    /// A configuration names its program, which is then a component that uses algorithms.
    fn add_settings(&mut self, settings: &Settings, location: &Location, seen: &Occurrence) {
        let algorithms: Vec<String> = settings
            .key_exchanges
            .iter()
            .map(|algorithm| AlgorithmUse::new(algorithm, Some(Role::KeyEstablishment)))
            .map(|algorithm| self.add_algorithm(&algorithm, seen))
            .collect();
        let by_default = settings.key_exchanges_by_default.to_string();
        let mut notes = vec![
            property("settings:scope", &settings.scope),
            property("settings:key-exchanges-by-default", &by_default),
        ];
        let lists = [
            ("serves", &settings.serves),
            ("version", &settings.versions),
            ("suites", &settings.suites),
            ("file", &settings.files),
        ];
        for (name, values) in lists {
            let name = format!("settings:{name}");
            notes.extend(values.iter().map(|value| property(&name, value)));
        }
        notes.extend(
            settings
                .library
                .iter()
                .map(|name| property("settings:library", name)),
        );
        let mut body = json!({
            "type": "application",
            "name": settings.software.title(),
            "properties": notes,
        });
        if let Some(version) = &settings.version {
            body["version"] = json!(visible(version));
        }
        let scope = encoded(&settings.scope, "");
        let reference = format!("settings/{}/{scope}", place(location));
        self.add_component(&reference, body, seen, algorithms);
    }
}

/// A location as a part of a reference.
fn place(location: &Location) -> String {
    let mut place = encoded(&location.path, "/");
    if let Some(line) = location.line {
        place.push_str(&format!(":{line}"));
    }
    if let Some(entry) = &location.entry {
        place.push_str(&format!("/{}", encoded(entry, "")));
    }
    place
}

/// A key without its value.
pub(super) struct Material<'a> {
    pub(super) kind: &'a str,
    /// The algorithm, and the reference to it.
    pub(super) algorithm: Option<(&'a Algorithm, String)>,
    pub(super) format: &'a str,
    /// SHA-256 in hexadecimal.
    pub(super) fingerprint: Option<String>,
}

impl Material<'_> {
    pub(super) fn properties(&self, version: CbomVersion) -> Value {
        let mut material = json!({ "type": self.kind, "format": self.format });
        if let Some((algorithm, reference)) = &self.algorithm {
            if let Some(bits) = key_bits(algorithm) {
                material["size"] = json!(bits);
            }
            match version {
                CbomVersion::V1_6 => material["algorithmRef"] = json!(reference),
                CbomVersion::V1_7 => {
                    material["relatedCryptographicAssets"] = related(&[("algorithm", reference)]);
                }
            }
        }
        if let (CbomVersion::V1_7, Some(hash)) = (version, &self.fingerprint) {
            material["fingerprint"] = json!({ "alg": "SHA-256", "content": hash });
        }
        json!({
            "assetType": "related-crypto-material",
            "relatedCryptoMaterialProperties": material,
        })
    }
}

//! Authorities: what they may, what they wait for, and who is above them.

use ca::{
    AuthorityState, AuthorityTemplate, CaError, Grant, Kind, NewAuthority, Request,
    RevocationReason,
};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, Private};
use openssl::x509::{X509Builder, X509Crl, X509Extension, X509NameBuilder, X509NameRef};
use rustls_pki_types::CertificateDer;
use stack::Purpose;
use time::Duration;
use wire::SignatureAlgorithm as A;

use crate::common::{Lab, new_authority, now, order};

#[test]
fn a_root_waits_for_its_certificate_and_signs_its_own_request() {
    for algorithm in [A::Rsa2048, A::EcdsaP256, A::MlDsa65] {
        let lab = Lab::empty();
        let new = new_authority("root", algorithm, None);
        let pending = lab
            .store
            .create_pending_authority(&new, false, now())
            .unwrap();
        assert_eq!(pending.state, AuthorityState::PendingCertificate);
        let wanted = ca::Order {
            authority: Some("root".to_owned()),
            ..order(Kind::Server, algorithm, &["a.test"])
        };
        let error = lab.store.issue(&wanted, now()).unwrap_err();
        assert!(matches!(error, CaError::AuthorityState { .. }), "{error}");

        let request = lab.store.authority_request("root").unwrap();
        let request = Request::from_pem(request.as_bytes()).unwrap();
        let days = Some(Duration::days(100));
        let sign = |template| {
            lab.store
                .sign_authority("root", &request, template, days, now())
        };
        let as_other = AuthorityTemplate::Subordinate {
            path_length: Some(0),
        };
        let error = sign(as_other).unwrap_err();
        assert!(matches!(error, CaError::AuthorityState { .. }), "{error}");
        let signed = sign(AuthorityTemplate::Root).unwrap();
        let der = lab.store.certificate(&signed.fingerprint).unwrap();
        let active = lab
            .store
            .import_authority_certificate("root", &der, &[], now())
            .unwrap();
        assert_eq!(active.state, AuthorityState::Active);
        let issued = lab.store.issue(&wanted, now()).unwrap();
        assert_eq!(lab.is_server(&issued, "a.test"), [None, None]);
        assert_eq!(lab.store.check().unwrap(), []);
    }
}

#[test]
fn an_intermediate_is_certified_by_another_store() {
    let (above, below) = (Lab::new(A::EcdsaP384), Lab::empty());
    let new = new_authority("unit", A::MlDsa65, None);
    below
        .store
        .create_pending_authority(&new, true, now())
        .unwrap();
    let request = below.store.authority_request("unit").unwrap();
    let request = Request::from_pem(request.as_bytes()).unwrap();
    // The one below the root may certify nobody.
    let template = AuthorityTemplate::Subordinate {
        path_length: Some(3),
    };
    let sign = |issuer| {
        above
            .store
            .sign_authority(issuer, &request, template, None, now())
    };
    let error = sign("issuing").unwrap_err();
    assert!(matches!(error, CaError::PathLength { .. }), "{error}");
    let error = above
        .store
        .sign_authority("root", &request, AuthorityTemplate::Root, None, now())
        .unwrap_err();
    assert!(matches!(error, CaError::AuthorityState { .. }), "{error}");
    let signed = sign("root").unwrap();
    assert_eq!(
        (signed.kind, signed.authority.as_str()),
        (Kind::Authority, "root")
    );
    let der = above.store.certificate(&signed.fingerprint).unwrap();
    let root = above.store.root("root").unwrap();
    let stranger = Lab::new(A::Ed25519).store.root("root").unwrap();
    let error = below
        .store
        .import_authority_certificate("unit", &der, &[stranger], now())
        .unwrap_err();
    assert!(error.to_string().contains("did not sign"), "{error}");
    let error = below
        .store
        .import_authority_certificate("unit", &der, &[], now())
        .unwrap_err();
    assert!(error.to_string().contains("reach a root"), "{error}");
    let error = below
        .store
        .import_authority_certificate("unit", &root, &[], now())
        .unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");
    below
        .store
        .import_authority_certificate("unit", &der, &[root], now())
        .unwrap();
    let issued = below
        .store
        .issue(&order(Kind::Server, A::MlDsa65, &["a.test"]), now())
        .unwrap();
    assert_eq!(below.store.chain(&issued).unwrap().len(), 2);
    assert_eq!(below.is_server(&issued, "a.test"), [None, None]);

    // Whoever signed it can take it back.
    above
        .store
        .revoke(&signed.serial, RevocationReason::CaCompromise, now())
        .unwrap();
    let list = above.store.crl("root", Duration::days(1), now()).unwrap();
    let list = X509Crl::from_der(&list).unwrap();
    assert_eq!(list.get_revoked().unwrap().len(), 1);
}

#[test]
fn a_certificate_from_elsewhere_brings_its_limits() {
    let (above, below) = (Lab::empty(), Lab::empty());
    above.add_hierarchy("", A::EcdsaP256, &["only.test"]);
    let new = new_authority("unit", A::EcdsaP256, None);
    below
        .store
        .create_pending_authority(&new, true, now())
        .unwrap();
    let request = below.store.authority_request("unit").unwrap();
    let request = Request::from_pem(request.as_bytes()).unwrap();
    // Made for the request by OpenSSL, with a key identifier of its own kind.
    let (der, root) = by_openssl(&request, &["only.test"]);
    let unit = below
        .store
        .import_authority_certificate("unit", &der, &[root], now())
        .unwrap();
    assert_eq!(unit.permitted_dns, ["only.test"]);
    assert_eq!(unit.path_length, Some(0));
    let wanted = order(Kind::Client, A::EcdsaP256, &["other.test"]);
    let error = below.store.issue(&wanted, now()).unwrap_err();
    assert!(matches!(error, CaError::NotPermitted { .. }), "{error}");
    let wanted = order(Kind::Client, A::EcdsaP256, &["a.only.test"]);
    let issued = below.store.issue(&wanted, now()).unwrap();
    let list = below.store.crl("unit", Duration::days(1), now()).unwrap();
    let verdicts = below.verdicts(&issued, Purpose::Client, &[list]);
    assert_eq!(
        verdicts,
        [None, None],
        "the list does not name the key as the certificate does"
    );
}

/// An authority of OpenSSL that certifies the key of a request: its certificate, its root's.
fn by_openssl(
    request: &Request,
    permit: &[&str],
) -> (CertificateDer<'static>, CertificateDer<'static>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "Elsewhere")
        .unwrap();
    let name = name.build();
    let root = certificate(&name, &name, &key, &key, None, "critical,CA:TRUE");
    let public = PKey::public_key_from_der(&request.public_key_info()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject
        .append_entry_by_nid(Nid::ORGANIZATIONNAME, "Tests")
        .unwrap();
    subject
        .append_entry_by_nid(Nid::COMMONNAME, "Test unit")
        .unwrap();
    let subject = subject.build();
    let constraints: Vec<String> = permit
        .iter()
        .map(|d| format!("permitted;DNS:{d}"))
        .collect();
    let constraints = constraints.join(",");
    let unit = certificate(
        &subject,
        &name,
        &public,
        &key,
        Some(&constraints),
        "critical,CA:TRUE,pathlen:0",
    );
    (unit, root)
}

fn certificate<T: HasPublic>(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKey<T>,
    signer: &PKey<Private>,
    constraints: Option<&str>,
    basic: &str,
) -> CertificateDer<'static> {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(365).unwrap())
        .unwrap();
    let mut extensions = vec![
        (Nid::BASIC_CONSTRAINTS, basic),
        (Nid::KEY_USAGE, "critical,keyCertSign,cRLSign"),
        (Nid::SUBJECT_KEY_IDENTIFIER, "hash"),
    ];
    extensions.extend(constraints.map(|text| (Nid::NAME_CONSTRAINTS, text)));
    for (nid, text) in extensions {
        let context = builder.x509v3_context(None, None);
        #[allow(deprecated)]
        let extension = X509Extension::new_nid(None, Some(&context), nid, text).unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    builder.build().to_der().unwrap().into()
}

#[test]
fn names_of_authorities_are_plain_and_used_once() {
    let lab = Lab::new(A::Ed25519);
    for id in ["root", "", "../x", "A", "-a", "a b", "a.b"] {
        let new = NewAuthority {
            id: id.to_owned(),
            ..new_authority("x", A::Ed25519, None)
        };
        let error = lab.store.create_authority(&new, now()).unwrap_err();
        assert!(
            matches!(error, CaError::AuthorityId { .. }),
            "{id:?}: {error}"
        );
    }
    let below = new_authority("x", A::Ed25519, Some("nobody"));
    let error = lab.store.create_authority(&below, now()).unwrap_err();
    assert!(matches!(error, CaError::UnknownAuthority { .. }), "{error}");
    let below = new_authority("x", A::Ed25519, Some("issuing"));
    let error = lab.store.create_authority(&below, now()).unwrap_err();
    assert!(matches!(error, CaError::PathLength { .. }), "{error}");
    assert_eq!(lab.store.check().unwrap(), [], "a key was left over");
}

#[test]
fn a_disabled_authority_signs_lists_and_nothing_else() {
    let lab = Lab::new(A::Ed25519);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    lab.store
        .set_authority_state("issuing", AuthorityState::Disabled, now())
        .unwrap();
    // The root, though it could, is not what end entities are issued by.
    let error = lab.store.issue(&wanted, now()).unwrap_err();
    assert!(matches!(error, CaError::NoAuthority), "{error}");
    assert!(lab.store.crl("issuing", Duration::days(1), now()).is_ok());
    lab.store
        .set_authority_state("issuing", AuthorityState::Active, now())
        .unwrap();
    assert!(lab.store.issue(&wanted, now()).is_ok());
}

#[test]
fn a_revoked_authority_is_revoked_for_good() {
    let lab = Lab::new(A::Ed25519);
    let issuing = lab.store.authority("issuing").unwrap();
    let all = lab.store.issued().unwrap();
    let of = |authority: &ca::Authority| {
        let mut all = all.iter();
        let found = all.find(|i| Some(&i.fingerprint) == authority.fingerprint.as_ref());
        found.unwrap().serial.clone()
    };
    let reason = RevocationReason::CaCompromise;
    let root = lab.store.authority("root").unwrap();
    let error = lab.store.revoke(&of(&root), reason, now()).unwrap_err();
    assert!(matches!(error, CaError::RootRevocation(_)), "{error}");
    lab.store.revoke(&of(&issuing), reason, now()).unwrap();
    let state = lab.store.authority("issuing").unwrap().state;
    assert_eq!(state, AuthorityState::Revoked);
    let error = lab
        .store
        .set_authority_state("issuing", AuthorityState::Active, now())
        .unwrap_err();
    assert!(error.to_string().contains("for good"), "{error}");
    let wanted = ca::Order {
        authority: Some("issuing".to_owned()),
        ..order(Kind::Server, A::Ed25519, &["a.test"])
    };
    let error = lab.store.issue(&wanted, now()).unwrap_err();
    assert!(matches!(error, CaError::AuthorityState { .. }), "{error}");
    assert_eq!(lab.store.check().unwrap(), []);
}

#[test]
fn a_key_of_another_authority_signs_nothing() {
    let lab = Lab::new(A::Ed25519);
    let [root, issuing] = ["root", "issuing"].map(|id| lab.store.authority(id).unwrap());
    let path = lab.store.key_path(&issuing.key);
    std::fs::copy(lab.store.key_path(&root.key), path).unwrap();
    let before = lab.store.log().unwrap();
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let error = lab.store.issue(&wanted, now()).unwrap_err();
    assert!(error.to_string().contains("not the key of"), "{error}");
    assert_eq!(lab.store.log().unwrap(), before);
}

#[test]
fn an_authority_that_has_ended_signs_nothing() {
    let lab = Lab::empty();
    let new = NewAuthority {
        lifetime: Some(Duration::days(1)),
        ..new_authority("root", A::Ed25519, None)
    };
    lab.store.create_authority(&new, now()).unwrap();
    let later = now() + Duration::days(2);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let error = lab.store.issue(&wanted, later).unwrap_err();
    assert!(matches!(error, CaError::AuthorityExpired { .. }), "{error}");
    let error = lab.store.crl("root", Duration::days(1), later).unwrap_err();
    assert!(matches!(error, CaError::AuthorityExpired { .. }), "{error}");
}

#[test]
fn grants_are_kept_one_for_each_principal() {
    let lab = Lab::new(A::Ed25519);
    for actions in [vec!["IssueCertificate"], vec!["GetCertificate"]] {
        let grant = Grant {
            principal: "service".to_owned(),
            actions: actions.into_iter().map(str::to_owned).collect(),
        };
        lab.store.grant("root", grant, now()).unwrap();
    }
    let grants = lab.store.authority("root").unwrap().grants;
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0].actions, ["GetCertificate"]);
}

#[test]
fn a_plan_counts_what_there_is_and_sees_what_is_done() {
    let lab = Lab::empty();
    lab.add_hierarchy("-old", A::Rsa2048, &[]);
    for name in ["a.test", "b.test"] {
        let wanted = order(Kind::Server, A::Rsa2048, &[name]);
        lab.store.issue(&wanted, now()).unwrap();
    }
    let plan = |lab: &Lab| {
        lab.store
            .migration_plan("root-old", A::MlDsa65, now())
            .unwrap()
    };
    let before = plan(&lab);
    assert_eq!(
        (before.figures.servers, before.figures.servers_with_twin),
        (2, 0)
    );
    assert!(before.steps.iter().all(|step| !step.is_done));
    assert!(!before.figures.is_new_chain_measured);
    lab.add_hierarchy("-new", A::MlDsa65, &[]);
    for name in ["a.test", "b.test"] {
        let wanted = order(Kind::Server, A::MlDsa65, &[name]);
        lab.store.issue(&wanted, now()).unwrap();
    }
    let after = plan(&lab);
    assert_eq!(after.figures.servers_with_twin, 2);
    assert!(after.steps[0].is_done && after.steps[2].is_done);
    assert!(after.figures.is_new_chain_measured);
    // What was calculated is near what is measured.
    let ratio = before.figures.new_chain as f64 / after.figures.new_chain as f64;
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
    for root in ["root-new", "issuing-old"] {
        assert!(lab.store.migration_plan(root, A::MlDsa65, now()).is_err());
    }
}

#[test]
fn an_authority_that_is_renewed_keeps_its_key_and_what_it_issued() {
    let lab = Lab::new(A::EcdsaP256);
    let wanted = order(Kind::Server, A::EcdsaP256, &["a.test"]);
    let before = lab.store.issue(&wanted, now()).unwrap();
    let old_chain = lab.store.chain(&before).unwrap();
    let old_root = lab.store.root("root").unwrap();
    let root = lab.store.renew_authority("root", None, now()).unwrap();
    let days = Some(time::Duration::days(400));
    let issuing = lab.store.renew_authority("issuing", days, now()).unwrap();
    let read = |der: &[u8]| pki::Certificate::from_der(der).unwrap();
    let (new_chain, new_root) = (
        lab.store.chain(&before).unwrap(),
        lab.store.root("root").unwrap(),
    );
    for (old, new) in [(&old_root, &new_root), (&old_chain[1], &new_chain[1])] {
        assert_ne!(read(old).serial, read(new).serial);
        assert_eq!(read(old).subject, read(new).subject);
        let key = |der: &[u8]| pki::subject_public_key_info(der).unwrap();
        assert_eq!(key(old), key(new));
    }
    assert_eq!(read(&new_root).serial, root.serial);
    assert_eq!(read(&new_chain[1]).serial, issuing.serial);
    // Certificates count in whole seconds.
    let lifetime = issuing.not_after - issuing.issued_at + time::Duration::SECOND;
    assert_eq!(lifetime.whole_days(), 400);
    // Old and new anchors, old and new intermediates: whoever has which.
    for chain in [&old_chain, &new_chain] {
        for anchor in [&old_root, &new_root] {
            let name = stack::PeerName::from("a.test");
            let question = stack::Question {
                chain,
                roots: std::slice::from_ref(anchor),
                crls: &[],
                purpose: stack::Purpose::Server(&name),
                at: now().into(),
            };
            for judgement in stack::judge(&question) {
                assert_eq!(judgement.refusal, None, "{}", judgement.library);
            }
        }
    }
    let after = lab.store.issue(&wanted, now()).unwrap();
    assert_eq!(lab.is_server(&after, "a.test"), [None, None]);
    let again = lab.store.renew_authority("root", None, now()).unwrap();
    assert_eq!(again.renews, Some(root.serial.clone()));
    assert_eq!(lab.store.check().unwrap(), []);

    // An earlier one of a root is no more to be revoked than the one it has.
    let reason = RevocationReason::KeyCompromise;
    let error = lab.store.revoke(&root.serial, reason, now()).unwrap_err();
    assert!(matches!(error, CaError::RootRevocation(_)), "{error}");
    // The key is lost: every certificate for it goes.
    lab.store.revoke(&issuing.serial, reason, now()).unwrap();
    let list = lab.store.crl("root", time::Duration::days(7), now());
    let list = openssl::x509::X509Crl::from_der(&list.unwrap()).unwrap();
    assert_eq!(list.get_revoked().unwrap().len(), 2);
    let error = lab
        .store
        .renew_authority("issuing", None, now())
        .unwrap_err();
    assert!(matches!(error, CaError::AuthorityState { .. }), "{error}");
    assert_eq!(lab.store.check().unwrap(), []);
}

/// What was replaced for another reason takes nothing with it.
#[test]
fn an_earlier_certificate_of_an_authority_is_revoked_alone() {
    let lab = Lab::new(A::Ed25519);
    let issued = lab.store.issued().unwrap();
    let old = issued
        .iter()
        .find(|i| i.subject.to_string().contains("issuing"));
    let old = old.unwrap().serial.clone();
    lab.store.renew_authority("issuing", None, now()).unwrap();
    let reason = RevocationReason::Superseded;
    lab.store.revoke(&old, reason, now()).unwrap();
    let authority = lab.store.authority("issuing").unwrap();
    assert_eq!(authority.state, AuthorityState::Active);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let issued = lab.store.issue(&wanted, now()).unwrap();
    assert_eq!(lab.is_server(&issued, "a.test"), [None, None]);
}

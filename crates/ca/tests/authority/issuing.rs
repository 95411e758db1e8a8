//! Certificates that both libraries accept for what they are for, and for nothing else.

use ca::{CaError, Kind, RevocationReason};
use openssl::x509::X509Crl;
use rustls_pki_types::CertificateRevocationListDer;
use stack::{PeerName, Purpose};
use time::Duration;
use wire::SignatureAlgorithm as A;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::ReasonCode;

use crate::common::{Lab, now, order};

#[test]
fn every_algorithm_issues_servers_and_clients_that_both_libraries_take() {
    for algorithm in A::ALL {
        let lab = Lab::new(algorithm);
        let wanted = ["a.test", "*.b.test", "192.0.2.1", "2001:db8::1"];
        let server = order(Kind::Server, algorithm, &wanted);
        let server = lab.store.issue(&server, now()).unwrap();
        for name in ["a.test", "x.b.test", "192.0.2.1", "2001:db8::1"] {
            let verdicts = lab.is_server(&server, name);
            assert_eq!(verdicts, [None, None], "{algorithm} {name}");
        }
        for name in ["b.test", "x.y.b.test", "192.0.2.2"] {
            let [rustls, openssl] = lab.is_server(&server, name);
            assert_eq!(rustls.as_deref(), Some("NotValidForNameContext"), "{name}");
            let code = if name.starts_with('1') { "64" } else { "62" };
            assert_eq!(openssl.as_deref(), Some(code), "{name}");
        }
        let as_client = lab.verdicts(&server, Purpose::Client, &[]);
        assert!(as_client.iter().all(Option::is_some), "{as_client:?}");

        let client = order(Kind::Client, algorithm, &["spiffe://test/a"]);
        let client = lab.store.issue(&client, now()).unwrap();
        let verdicts = lab.verdicts(&client, Purpose::Client, &[]);
        assert_eq!(verdicts, [None, None], "{algorithm}");
        assert_eq!(lab.store.check().unwrap(), []);
    }
}

#[test]
fn certificates_hold_what_the_template_says() {
    let lab = Lab::new(A::EcdsaP256);
    let issued = lab
        .store
        .issue(&order(Kind::Server, A::EcdsaP256, &["a.test"]), now())
        .unwrap();
    let der = lab.store.certificate(&issued.fingerprint).unwrap();
    let certificate = pki::Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.serial, issued.serial);
    assert_eq!(certificate.subject, "CN=a.test");
    assert_eq!(certificate.issuer, "CN=Test issuing,O=Tests");
    assert!(!certificate.is_authority);
    let days = (certificate.not_after - now()).whole_hours();
    assert!((90 * 24 - 1..=90 * 24).contains(&days), "{days}");
    assert!(certificate.not_before < now());
}

#[test]
fn nothing_outlives_its_issuer_or_is_valid_for_no_time() {
    let lab = Lab::new(A::Ed25519);
    let mut wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    wanted.lifetime = Some(Duration::days(36_500));
    let issued = lab.store.issue(&wanted, now()).unwrap();
    let years = (issued.not_after - now()).whole_days() / 365;
    assert_eq!(years, 4, "an intermediate lasts five years");
    for lifetime in [Duration::ZERO, Duration::days(-1), Duration::MAX] {
        wanted.lifetime = Some(lifetime);
        let error = lab.store.issue(&wanted, now()).unwrap_err();
        assert!(matches!(error, CaError::Lifetime(_)), "{error}");
    }
    assert_eq!(lab.store.check().unwrap(), [], "a key was left over");
}

#[test]
fn a_pair_is_issued_by_the_hierarchies_that_fit() {
    let lab = Lab::empty();
    lab.add_hierarchy("-old", A::EcdsaP384, &[]);
    lab.add_hierarchy("-new", A::MlDsa87, &[]);
    let pair = [A::MlDsa65, A::EcdsaP256].map(|a| order(Kind::Server, a, &["a.test"]));
    let [new, old] = lab.store.issue_pair(&pair, now()).unwrap();
    assert_eq!(
        (new.authority.as_str(), old.authority.as_str()),
        ("issuing-new", "issuing-old")
    );
    assert_eq!(new.twin.as_deref(), Some(old.serial.as_str()));
    assert_eq!(old.twin.as_deref(), Some(new.serial.as_str()));
    for issued in [&new, &old] {
        assert_eq!(lab.is_server(issued, "a.test"), [None, None]);
    }
    let error = lab.store.find("a.test", now()).unwrap_err();
    assert!(matches!(error, CaError::WhichCertificate { .. }), "{error}");
    assert_eq!(
        lab.store.find(&new.serial.to_lowercase(), now()).unwrap(),
        new
    );
    assert_eq!(lab.store.find("a.test/ml-dsa-65", now()).unwrap(), new);
    assert_eq!(lab.store.find("a.test/ecdsa-p256", now()).unwrap(), old);
    assert!(lab.store.find("a.test/rsa-2048", now()).is_err());
}

#[test]
fn a_pair_needs_an_authority_of_each_kind() {
    for only in [A::EcdsaP256, A::MlDsa44] {
        let lab = Lab::new(only);
        let pair = [A::MlDsa65, A::EcdsaP256].map(|a| order(Kind::Server, a, &["a.test"]));
        let error = lab.store.issue_pair(&pair, now()).unwrap_err();
        assert!(matches!(error, CaError::NoFamily { .. }), "{error}");
        assert_eq!(lab.store.check().unwrap(), [], "a key was left over");
    }
}

#[test]
fn names_outside_of_a_constraint_are_refused_before_they_are_signed() {
    let lab = Lab::empty();
    lab.add_hierarchy("", A::EcdsaP256, &["example.test"]);
    for inside in ["example.test", "a.example.test", "*.example.test"] {
        let issued = lab
            .store
            .issue(&order(Kind::Server, A::EcdsaP256, &[inside]), now())
            .unwrap();
        let name = inside.replace('*', "x");
        assert_eq!(lab.is_server(&issued, &name), [None, None], "{inside}");
    }
    let mailbox = order(Kind::Client, A::EcdsaP256, &["a@example.test"]);
    assert!(lab.store.issue(&mailbox, now()).is_ok());
    for outside in [
        "other.test",
        "badexample.test",
        "192.0.2.1",
        "a@other.test",
        "spiffe://other.test/a",
    ] {
        let wanted = order(Kind::Server, A::EcdsaP256, &["example.test", outside]);
        let error = lab.store.issue(&wanted, now()).unwrap_err();
        assert!(matches!(error, CaError::NotPermitted { .. }), "{error}");
    }
    let mut named = order(Kind::Server, A::EcdsaP256, &["example.test"]);
    named.subject = Some("CN=other.test".parse().unwrap());
    let error = lab.store.issue(&named, now()).unwrap_err();
    assert!(matches!(error, CaError::NotPermitted { .. }), "{error}");
    let error = lab
        .store
        .issue(&order(Kind::Server, A::EcdsaP256, &[]), now());
    assert!(matches!(error.unwrap_err(), CaError::NoNames));
}

#[test]
fn a_revoked_certificate_is_refused_with_its_list_and_another_one_is_not() {
    for algorithm in [A::EcdsaP256, A::MlDsa65] {
        let lab = Lab::new(algorithm);
        let issue = |name| {
            let wanted = order(Kind::Client, algorithm, &[name]);
            lab.store.issue(&wanted, now()).unwrap()
        };
        let (good, bad) = (issue("good.test"), issue("bad.test"));
        let reason = RevocationReason::KeyCompromise;
        lab.store.revoke(&bad.serial, reason, now()).unwrap();
        let error = lab.store.revoke(&bad.serial, reason, now()).unwrap_err();
        assert!(matches!(error, CaError::AlreadyRevoked { .. }), "{error}");
        let list = |days| {
            let lifetime = Duration::days(days);
            lab.store.crl("issuing", lifetime, now()).unwrap()
        };
        let lists = [list(7)];
        let judged = |issued, lists: &[_]| lab.verdicts(issued, Purpose::Client, lists);
        assert_eq!(judged(&good, &lists), [None, None]);
        let refused = ["Revoked", "23"].map(|code| Some(code.to_owned()));
        assert_eq!(judged(&bad, &lists), refused, "{algorithm}");
        assert_eq!(
            judged(&bad, &[]),
            [None, None],
            "without a list nobody knows"
        );

        // A list that is over is no list.
        let at = now() + Duration::days(8);
        let [rustls, openssl] = lab.verdicts_at(&good, Purpose::Client, &lists, at);
        assert!(
            rustls.is_some() && openssl.is_some(),
            "{rustls:?} {openssl:?}"
        );

        // Lists count up, and say why and by whom.
        let (first, next) = (contents(&lists[0]), contents(&list(7)));
        assert_eq!(first, (1, vec![ReasonCode::KeyCompromise], true));
        assert_eq!(next, (2, vec![ReasonCode::KeyCompromise], true));
    }
}

/// The number, the reasons, and whether the signer's key is named.
fn contents(list: &CertificateRevocationListDer<'_>) -> (u64, Vec<ReasonCode>, bool) {
    let (_, list) = CertificateRevocationList::from_der(list).unwrap();
    let number = u64::try_from(list.crl_number().unwrap()).unwrap();
    let revoked = list.iter_revoked_certificates();
    let reasons = revoked.map(|r| r.reason_code().unwrap().1).collect();
    let mut extensions = list.extensions().iter();
    let names_key = extensions.any(|e| {
        matches!(
            e.parsed_extension(),
            ParsedExtension::AuthorityKeyIdentifier(_)
        )
    });
    (number, reasons, names_key)
}

/// RFC 5280 section 3.3: it must have been on a list that was made after its end.
#[test]
fn an_entry_stays_until_a_list_was_made_after_the_end_of_its_certificate() {
    let lab = Lab::new(A::Ed25519);
    let mut wanted = order(Kind::Client, A::Ed25519, &["a.test"]);
    wanted.lifetime = Some(Duration::days(5));
    let issued = lab.store.issue(&wanted, now()).unwrap();
    let after = |days| now() + Duration::days(days);
    let listed = |days| {
        let list = lab
            .store
            .crl("issuing", Duration::days(7), after(days))
            .unwrap();
        X509Crl::from_der(&list)
            .unwrap()
            .get_revoked()
            .map_or(0, |r| r.len())
    };
    assert_eq!(listed(1), 0);
    let reason = RevocationReason::Superseded;
    lab.store.revoke(&issued.serial, reason, after(2)).unwrap();
    assert_eq!([listed(6), listed(7), listed(8)], [1, 0, 0]);
}

#[test]
fn a_pair_that_is_renewed_stays_a_pair() {
    let lab = Lab::empty();
    lab.add_hierarchy("-old", A::EcdsaP256, &[]);
    lab.add_hierarchy("-new", A::MlDsa44, &[]);
    let pair = [A::MlDsa44, A::EcdsaP256].map(|a| order(Kind::Server, a, &["a.test"]));
    let [new, old] = lab.store.issue_pair(&pair, now()).unwrap();
    let renewed = lab.store.renew(&new.serial, None, now()).unwrap();
    assert_eq!(renewed.twin.as_ref(), Some(&old.serial));
    let old = lab.store.find(&old.serial, now()).unwrap();
    assert_eq!(old.twin.as_ref(), Some(&renewed.serial));
    lab.store
        .revoke(&old.serial, RevocationReason::Superseded, now())
        .unwrap();
    let error = lab.store.renew(&old.serial, None, now()).unwrap_err();
    assert!(matches!(error, CaError::AlreadyRevoked { .. }), "{error}");
}

#[test]
fn a_pair_is_renewed_by_its_name_in_one_go_or_not_at_all() {
    let lab = Lab::empty();
    lab.add_hierarchy("-old", A::EcdsaP256, &[]);
    lab.add_hierarchy("-new", A::MlDsa44, &[]);
    let pair = [A::MlDsa44, A::EcdsaP256].map(|a| order(Kind::Server, a, &["a.test"]));
    let old = lab.store.issue_pair(&pair, now()).unwrap();
    let found = lab.store.find_pair("a.test", now()).unwrap();
    assert_eq!(
        found.iter().collect::<Vec<_>>(),
        old.iter().collect::<Vec<_>>()
    );
    let one = lab.store.find_pair("a.test/ecdsa-p256", now()).unwrap();
    assert_eq!(one, [old[1].clone()]);
    let serials = [old[0].serial.as_str(), old[1].serial.as_str()];
    let new = lab.store.renew_pair(serials, None, now()).unwrap();
    assert_eq!(new[0].twin.as_ref(), Some(&new[1].serial));
    assert_eq!(new[1].twin.as_ref(), Some(&new[0].serial));
    for (new, old) in new.iter().zip(&old) {
        assert_eq!(new.renews.as_ref(), Some(&old.serial));
        assert_eq!(new.algorithm, old.algorithm);
        assert_eq!(lab.is_server(new, "a.test"), [None, None]);
    }
    assert_eq!(lab.store.find_pair("a.test", now()).unwrap(), new);
    // One of the two has been renewed: none is, and no key is left over.
    let again = lab.store.renew_pair(serials, None, now()).unwrap_err();
    assert!(matches!(again, CaError::AlreadyRenewed { .. }), "{again}");
    assert_eq!(lab.store.check().unwrap(), []);
    // A third one of the name is nobody's twin.
    lab.store.issue(&pair[0], now()).unwrap();
    let several = lab.store.find_pair("a.test", now()).unwrap_err();
    assert!(
        matches!(several, CaError::WhichCertificate { .. }),
        "{several}"
    );
}

#[test]
fn renewing_keeps_names_and_changes_key_and_number() {
    let lab = Lab::new(A::MlDsa44);
    let wanted = order(Kind::Server, A::MlDsa44, &["a.test", "b.test"]);
    let old = lab.store.issue(&wanted, now()).unwrap();
    let new = lab.store.renew("a.test", None, now()).unwrap();
    let again = lab.store.renew(&old.serial, None, now()).unwrap_err();
    assert!(matches!(again, CaError::AlreadyRenewed { .. }), "{again}");
    let days = |issued: &ca::Issued| (issued.not_after - issued.issued_at).whole_days();
    assert_eq!(days(&new), days(&old));
    assert_eq!((&new.names, new.kind), (&old.names, old.kind));
    assert_eq!(new.renews.as_deref(), Some(old.serial.as_str()));
    assert_ne!(new.serial, old.serial);
    let key = |issued: &ca::Issued| {
        let der = lab.store.certificate(&issued.fingerprint).unwrap();
        pki::subject_public_key_info(&der).unwrap()
    };
    assert_ne!(key(&new), key(&old));
    for issued in [&old, &new] {
        assert_eq!(lab.is_server(issued, "b.test"), [None, None]);
    }
    // The name means the newest now.
    assert_eq!(lab.store.find("a.test", now()).unwrap().serial, new.serial);
    let name = PeerName::from("a.test");
    let after = new.not_after + Duration::days(1);
    let expired = lab.verdicts_at(&new, Purpose::Server(&name), &[], after);
    assert_eq!(expired[0].as_deref(), Some("ExpiredContext"));
    assert_eq!(expired[1].as_deref(), Some("10"));
}

#[test]
fn many_threads_issue_at_once_and_no_number_is_used_twice() {
    let lab = Lab::new(A::Ed25519);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &lab.store;
            scope.spawn(move || {
                for at in 0..10 {
                    let name = format!("h{thread}-{at}.test");
                    let wanted = order(Kind::Server, A::Ed25519, &[&name]);
                    store.issue(&wanted, now()).unwrap();
                }
            });
        }
    });
    let mut issued = lab.store.issued().unwrap();
    issued.retain(|issued| issued.kind == Kind::Server);
    let serials: std::collections::BTreeSet<_> = issued.iter().map(|i| &i.serial).collect();
    assert_eq!((issued.len(), serials.len()), (40, 40));
    assert_eq!(lab.store.check().unwrap(), []);
    // Three entries for each authority, one for each certificate.
    assert_eq!(lab.store.log().unwrap().len(), 46);
}

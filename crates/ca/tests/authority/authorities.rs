//! Authorities: what they may, what they wait for, and who is above them.

use ca::{AuthorityState, CaError, Grant, Kind, NewAuthority, Request};
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
        let der = lab
            .store
            .sign_authority("root", &request, Some(Duration::days(100)), now())
            .unwrap();
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
    let error = above
        .store
        .sign_authority("issuing", &request, None, now())
        .unwrap_err();
    assert!(matches!(error, CaError::PathLength { .. }), "{error}");
    let der = above
        .store
        .sign_authority("root", &request, None, now())
        .unwrap();
    let root = above.store.root("root").unwrap();
    let stranger = Lab::new(A::Ed25519).store.root("root").unwrap();
    let error = below
        .store
        .import_authority_certificate("unit", &der, &[stranger], now())
        .unwrap_err();
    assert!(error.to_string().contains("did not sign"), "{error}");
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

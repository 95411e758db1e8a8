//! Renewing.

use super::Desk;
use crate::connecting::connect;
use crate::serving::Server;

#[test]
fn the_name_of_a_pair_renews_both_in_one_command() {
    let desk = Desk::new();
    desk.good(&["init"]);
    let issued = desk.json(&["issue", "--dual", "a.test", "--json"]);
    let serial = |at: usize| issued["issued"][at]["serial"].as_str().unwrap().to_owned();
    let old = [serial(0), serial(1)];
    desk.bad(&["renew", "a.test"], 2, &["is there already"]);
    let told = desk.good(&["renew", "a.test", "--force"]);
    for part in [&old[0], &old[1], "ml-dsa-65", "ecdsa-p256", "stay valid"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let list = desk.json(&["list", "--json"]);
    let renewed = list["certificates"].as_array().unwrap().iter();
    let renewed: Vec<_> = renewed.filter(|one| !one["renews"].is_null()).collect();
    assert_eq!(renewed.len(), 2, "{list:#}");
    for one in &renewed {
        let twin = renewed.iter().find(|other| other["serial"] == one["twin"]);
        assert!(twin.is_some(), "{one:#}");
    }
    // Both were written, each with its key, and serve.
    let files = ["ml-dsa-65", "ecdsa-p256"].map(|algorithm| {
        let file = |end: &str| desk.path(&format!("a.test-{algorithm}{end}.pem"));
        [file(""), file("-key")]
    });
    let arguments: Vec<&str> = files
        .iter()
        .flat_map(|[chain, key]| ["--cert", chain, "--key", key])
        .collect();
    let server = Server::start(&["serve"], &arguments);
    desk.good(&["bundle"]);
    let roots = desk.path("trust/roots.pem");
    let (code, found) = connect(
        &server.address,
        &["--ca", &roots, "--server-name", "a.test"],
    );
    assert_eq!(code, 0, "{found:#}");
    // One of it, where that is asked for.
    let one = desk.json(&["renew", "a.test/ecdsa-p256", "--force", "--json"]);
    assert_eq!(one["issued"].as_array().unwrap().len(), 1);
    desk.good(&["check"]);
}

#[test]
fn an_authority_is_renewed_for_the_same_key() {
    let desk = Desk::with("ecdsa-p256");
    desk.good(&["issue", "a.test"]);
    desk.good(&["bundle", "--out", "old"]);
    let before = desk.json(&["show", "issuing-ecdsa-p256", "--json"]);
    // By the serial number of its certificate, the id is told.
    let serial = before["serial"].as_str().unwrap();
    let said = ["`pqlab ca renew issuing-ecdsa-p256`"];
    desk.bad(&["renew", serial], 2, &said);
    let told = desk.good(&["renew", "issuing-ecdsa-p256", "--days", "700"]);
    assert!(told.contains("stays valid until"), "{told}");
    let root = desk.json(&["renew", "root-ecdsa-p256", "--json"]);
    assert_eq!(root["authority"], "root-ecdsa-p256");
    let after = desk.json(&["show", "issuing-ecdsa-p256", "--json"]);
    assert_ne!(before["pem"], after["pem"]);
    // Whoever has the old root trusts the chain that is served now, and the old chain stays good.
    desk.good(&["verify", "a.test", "--root", "old/roots.pem"]);
    desk.good(&["verify", "a.test.pem", "--name", "a.test"]);
    desk.good(&["check"]);
}

//! A server that is killed and started again under load, and a listener of garbage.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::common::pqlab;
use crate::serving::Server;

#[test]
fn a_kill_and_restart_under_load_is_reported_as_what_it_is() {
    let server = Server::start(&["serve"], &[]);
    let address = server.address.clone();
    let load = pqlab()
        .args(["load", &address, "--ca", "lab", "--json"])
        .args(["--rate", "100", "--duration", "6", "--timeout", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(1500));
    // Dropped, it is killed by SIGKILL.
    drop(server);
    thread::sleep(Duration::from_millis(1000));
    let revived = Server::start_at(&address);
    let output = load.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "most of it succeeded: {report}");
    let count = |field: &str| report["connections"][field].as_u64().unwrap();
    let (offered, started) = (count("offered"), count("started"));
    let (succeeded, failed) = (count("succeeded"), count("failed"));
    assert_eq!(offered, started + count("not_started"), "{report}");
    assert_eq!(
        started,
        succeeded + failed + count("unfinished"),
        "{report}"
    );
    // It was away for a second of six at least, and there before and after.
    assert!(failed >= 50, "{report}");
    assert!(succeeded >= 200, "{report}");
    let failures = report["failures"].as_array().unwrap();
    let named: u64 = failures.iter().map(|f| f["count"].as_u64().unwrap()).sum();
    assert_eq!(named, failed, "{report}");
    let refused = failures
        .iter()
        .filter(|failure| failure["kind"].as_str().unwrap().contains("refused"));
    assert_eq!(refused.count(), 1, "{report}");
    let stopped = revived.stop();
    let established = stopped["connections"]["established"].as_u64().unwrap();
    assert!(established > 100, "{stopped}");
    assert!(established <= succeeded, "{stopped} {report}");
}

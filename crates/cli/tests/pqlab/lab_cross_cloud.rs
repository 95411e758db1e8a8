//! Mutual TLS between two clouds.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::{expect, pqlab, text, write};

/// In the environment of a run and of all that it starts, with a value of its own.
const MARK: &str = "PQLAB_TEST_RUN";

/// Runs it with a folder for temporary files, which must be empty afterwards.
fn cross_cloud(arguments: &[&str]) -> (Output, Value) {
    let temporary = tempfile::tempdir().unwrap();
    let output = pqlab()
        .args(["lab", "cross-cloud", "--json"])
        .args(arguments)
        .env("TMPDIR", temporary.path())
        .env(MARK, temporary.path())
        .output()
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_nothing_runs(temporary.path());
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    (output, report)
}

/// No process is left that has this mark; one that was killed may take a moment to go.
fn assert_nothing_runs(mark: &Path) {
    let mark = format!("{MARK}={}", mark.display());
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let running = marked(&mark);
        if running.is_empty() {
            return;
        }
        assert!(Instant::now() < patience, "still running: {running:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The processes with this variable (proc_pid_environ(5)).
fn marked(variable: &str) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let read = |process: &std::fs::DirEntry, file| {
        std::fs::read(process.path().join(file)).unwrap_or_default()
    };
    let has_mark = |process: &std::fs::DirEntry| {
        let environment = read(process, "environ");
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|found| found == variable.as_bytes())
    };
    processes
        .flatten()
        .filter(has_mark)
        .map(|process| String::from_utf8_lossy(&read(&process, "cmdline")).replace('\0', " "))
        .collect()
}

/// The outcomes of pqlab with itself, with this certificate.
fn own<'a>(report: &'a Value, certificate: &str) -> Vec<&'a Value> {
    let outcomes = report["outcomes"].as_array().unwrap();
    let is_own = |outcome: &&Value| {
        outcome["function"] == "pqlab"
            && outcome["proxy"] == "pqlab"
            && outcome["certificate"] == certificate
    };
    outcomes.iter().filter(is_own).collect()
}

/// What has to be so, whatever separates the clouds.
fn check(output: &Output, report: &Value) {
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["is_as_expected"], true);
    let mut cells = Vec::new();
    for outcome in own(report, "valid") {
        if outcome["expected"] != "served" {
            assert_eq!(outcome["account"]["is_refusal"], true, "{outcome:#}");
            assert_eq!(outcome["request"], Value::Null);
            continue;
        }
        let (account, relayed) = (&outcome["account"], &outcome["relayed"]);
        assert_eq!(account["group"], outcome["group"]);
        assert_eq!(outcome["request"]["group"], outcome["group"]);
        assert_eq!(outcome["request"]["subject"], "CN=orders.cloud-a.internal");
        // The transit reads whom it is for, and neither from whom nor what.
        assert_eq!(
            relayed["words"],
            serde_json::json!(["api.cloud-b.internal"])
        );
        assert!(relayed["up"].as_u64() > account["handshake_sent"].as_u64());
        let name = |field: &str| outcome[field].as_str().unwrap().to_owned();
        cells.push((
            name("group"),
            name("algorithm"),
            account["handshake_sent"].as_u64(),
        ));
    }
    let named: Vec<_> = cells
        .iter()
        .map(|(g, a, _)| (g.as_str(), a.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("x25519", "ecdsa-p256"),
            ("X25519MLKEM768", "ecdsa-p256"),
            ("x25519", "ml-dsa-65"),
            ("X25519MLKEM768", "ml-dsa-65"),
        ]
    );
    // An encapsulation key of ML-KEM-768 has 1,184 bytes (FIPS 203 table 3). The two integers of
    // an ECDSA signature are a few bytes shorter at times: DER has no leading zeros.
    for pair in cells.chunks(2) {
        assert!(
            pair[1].2.unwrap() + 8 >= pair[0].2.unwrap() + 1184,
            "{pair:?}"
        );
    }
    for (certificate, alert) in [
        ("revoked", "certificate_revoked (44)"),
        ("none", "certificate_required (116)"),
        ("other-ca", "unknown_ca (48)"),
        ("expired", "certificate_expired (45)"),
        ("server-usage", "unsupported_certificate (43)"),
    ] {
        let outcomes = own(report, certificate);
        assert_eq!(outcomes.len(), 2, "{certificate}");
        for outcome in outcomes {
            assert_eq!(outcome["alert"], alert, "{outcome:#}");
            assert_eq!(outcome["account"]["status"], Value::Null);
            assert_eq!(outcome["request"], Value::Null);
            assert!(outcome["proxy_says"].is_string(), "{outcome:#}");
        }
    }
    let names = report["names"].as_array().unwrap();
    assert_eq!(names.len(), 3);
    for name in names {
        let is_inside = name["place"] == "cloud-a";
        assert_eq!(name["error"].is_null(), is_inside, "{name}");
    }
    for skipped in report["skipped"].as_array().unwrap() {
        eprintln!("skipped: {skipped}");
    }
}

#[test]
fn on_loopback_every_cell_is_served_and_every_stranger_refused() {
    let (output, report) = cross_cloud(&["--no-namespaces"]);
    assert_eq!(report["topology"]["kind"], "loopback");
    check(&output, &report);
}

#[test]
fn in_namespaces_it_is_the_same_and_a_script_does_the_main_path_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let kept = kept.to_str().unwrap();
    let (output, report) = cross_cloud(&["--keep", kept]);
    check(&output, &report);
    if report["topology"]["kind"] != "namespaces" {
        eprintln!("skipped: no namespaces: {}", report["topology"]["why"]);
    }
    let again = pqlab()
        .args(["lab", "cross-cloud", "--keep", kept])
        .output();
    expect(&again.unwrap(), 2, &["is not empty"]);

    let Some(output) = by_hand(&Path::new(kept).join("by-hand.sh"), folder.path()) else {
        return;
    };
    expect(
        &output,
        0,
        &[
            "\"subject\":\"CN=orders.cloud-a.internal\"",
            "\"status\":200",
            "\"alert\":44",
            "X25519MLKEM768",
        ],
    );
}

/// Runs the script, with other ports where somebody else was faster; `None` without bash.
fn by_hand(script: &Path, temporary: &Path) -> Option<Output> {
    let mut attempt = 1;
    loop {
        let mut command = Command::new("bash");
        command.arg(script).env_remove("OPENSSL_CONF");
        command.env("TMPDIR", temporary).env(MARK, temporary);
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        for (name, listener) in ["BACKEND", "PROXY", "TRANSIT"].into_iter().zip(&listeners) {
            command.env(name, listener.local_addr().unwrap().to_string());
        }
        drop(listeners);
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => {
                eprintln!("skipped: bash: {error}");
                return None;
            }
        };
        // Whether or not it went well, the script ends what it started.
        assert_nothing_runs(temporary);
        let is_port_taken = ["can't listen", "in use"]
            .iter()
            .any(|part| text(&output).contains(part));
        if attempt == 3 || !is_port_taken {
            return Some(output);
        }
        attempt += 1;
    }
}

#[test]
fn an_interrupt_ends_all_parts_and_leaves_no_file() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = pqlab()
        .args(["lab", "cross-cloud"])
        .env("TMPDIR", temporary.path())
        .env(MARK, temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // By then everything is there.
    assert!(lines.next().unwrap().unwrap().contains("1. pqlab"));
    let mark = format!("{MARK}={}", temporary.path().display());
    if cfg!(target_os = "linux") {
        assert!(marked(&mark).len() > 3, "the mark is not handed on");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    for line in lines {
        drop(line.unwrap());
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_nothing_runs(temporary.path());
}

#[test]
fn a_part_that_cannot_be_is_bad_input() {
    let run = |role: &str| {
        pqlab()
            .args(["lab", "cross-cloud", "--role", role])
            .output()
    };
    expect(&run("{\"emperor\":{}}").unwrap(), 2, &["--role"]);
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "file", "");
    let keep = file.to_str().unwrap();
    let run = pqlab()
        .args(["lab", "cross-cloud", "--keep", keep])
        .output();
    expect(&run.unwrap(), 2, &["is no folder"]);
}

//! `pqlab run`: what it leaves behind, also when it is killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{MATRIX, expect, pqlab, run, text, write};
use experiment::{Meter, Metric, Run, Side, Subject};

#[test]
fn a_run_leaves_samples_summary_charts_and_report() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = write(folder.path(), "matrix.toml", MATRIX);
    let out = folder.path().join("run");
    let (matrix, out_text) = (matrix.to_str().unwrap(), out.to_str().unwrap());
    let output = run(&[
        "run",
        matrix,
        "--out",
        out_text,
        "--seconds",
        "3",
        "--seed",
        "7",
    ]);
    expect(&output, 0, &["report.html"]);
    for file in [
        "manifest.json",
        "samples.parquet",
        "summary.csv",
        "report.html",
    ] {
        assert!(out.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    let charts = std::fs::read_dir(out.join("charts")).unwrap().count();
    assert!(charts >= 4, "{charts} charts");

    let measured = Run::load(&out).unwrap();
    assert_eq!(measured.manifest.seed, 7);
    assert!(measured.manifest.finished.is_some());
    let hybrid: Subject = "rustls>rustls/1.3/X25519MLKEM768/ecdsa-p256/full@memory"
        .parse()
        .unwrap();
    let classical: Subject = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"
        .parse()
        .unwrap();
    let up = Metric::FlightBytes(1, Side::Client);
    let bytes = |subject| measured.summary(subject, up).unwrap().median.value;
    // RFC 10024: the share of the hybrid is 1184 bytes longer.
    assert_eq!(bytes(&hybrid) - bytes(&classical), 1184.0);
    let walls = [Metric::Wall(Side::Client), Metric::Wall(Side::Server)];
    assert!(
        measured
            .ratio(&classical, &hybrid, &walls)
            .unwrap()
            .difference
            .value
            > 0.0
    );
    assert!(measured.noise(&walls).is_some());
    assert!(
        measured
            .summary(&Subject::Yardstick, Metric::Operation)
            .is_some()
    );

    // The same again is refused, and compared with itself nothing differs.
    expect(
        &run(&["run", matrix, "--out", out_text]),
        2,
        &["holds a run already"],
    );
    expect(
        &run(&["run", "--resume", out_text]),
        2,
        &["nothing to resume"],
    );
    expect(&run(&["compare", out_text, out_text]), 0, &["0 of"]);
    expect(&run(&["report", out_text]), 0, &["report.html"]);
    let json = run(&["report", out_text, "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(document["records"].as_array().unwrap().len() > 10);
}

/// Waits until a run has written its first samples of a meter.
fn wait_for_samples(out: &Path, meter: Meter) -> f64 {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let spent: BTreeMap<Meter, f64> = Run::load(out)
            .map(|run| run.manifest.spent)
            .unwrap_or_default();
        if let Some(seconds) = spent.get(&meter) {
            return *seconds;
        }
        assert!(Instant::now() < deadline, "the run wrote no samples");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn run_into(matrix: &Path, out: &Path) -> Command {
    let mut command = pqlab();
    command.arg("run").arg(matrix).arg("--out").arg(out);
    command
}

fn start(matrix: &Path, out: &Path) -> Child {
    run_into(matrix, out)
        .args(["--seconds", "12"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_run_keeps_its_samples_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = write(folder.path(), "matrix.toml", MATRIX);
    let out = folder.path().join("run");
    let mut child = start(&matrix, &out);
    wait_for_samples(&out, Meter::Cpu);
    // On Unix this is SIGKILL: the program can't tidy up.
    child.kill().unwrap();
    child.wait().unwrap();

    let killed = Run::load(&out).unwrap();
    assert_eq!(killed.manifest.finished, None);
    let kept = killed
        .records()
        .iter()
        .map(|record| record.samples.len())
        .sum::<usize>();
    assert!(kept > 0);
    let spent = killed.manifest.spent[&Meter::Cpu];
    expect(
        &run(&["report", out.to_str().unwrap()]),
        0,
        &["report.html"],
    );

    expect(
        &run(&["run", "--resume", out.to_str().unwrap()]),
        0,
        &["report.html"],
    );
    let finished = Run::load(&out).unwrap();
    assert!(finished.manifest.finished.is_some());
    assert!(finished.manifest.spent[&Meter::Cpu] > spent);
    let total = finished
        .records()
        .iter()
        .map(|record| record.samples.len())
        .sum::<usize>();
    assert!(total > kept, "{total} samples after {kept}");
    // What was measured before the kill is still there, sample by sample.
    for record in killed.records() {
        let samples = finished.samples(&record.subject, record.replica, record.metric);
        assert_eq!(
            &samples[..record.samples.len()],
            &record.samples[..],
            "{}",
            record.subject
        );
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_in_order_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = write(folder.path(), "matrix.toml", MATRIX);
    let out = folder.path().join("run");
    let child = run_into(&matrix, &out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_samples(&out, Meter::Bytes);
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let output = child.wait_with_output().unwrap();
    expect(&output, 130, &["--resume", "What was measured is kept"]);
    expect(
        &run(&["run", "--resume", out.to_str().unwrap()]),
        0,
        &["report.html"],
    );
}

/// A file system of 64 KiB, which is full at once. Only root may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            "size=64k",
            "tmpfs",
            disk.to_str().unwrap(),
        ])
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    let matrix = write(folder.path(), "matrix.toml", MATRIX);
    let out = disk.join("run");
    let output = run_into(&matrix, &out).output().unwrap();
    let kept = Run::load(&out).map(|run| run.records().len());
    let unmounted = Command::new("umount").arg(&disk).status();
    expect(
        &output,
        3,
        &["No space left", "what was measured before is kept"],
    );
    assert!(kept.unwrap() > 0, "{}", text(&output));
    assert!(unmounted.unwrap().success());
}

//! The fixtures are real: installed programs read them too, and do what is said of them.

use std::path::Path;
use std::process::{Command, Output};

use super::fixture::{groups, read, settings, text};

/// The output of a program; `None`, with a printed reason, where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("skipped: {program} does not run here: {error}");
            None
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Makes a certificate and its key in a folder, as `pem` and `key`.
fn certificate(folder: &Path) -> Option<(String, String)> {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (pem, key) = (path("pem"), path("key"));
    let output = run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &pem,
            "-days",
            "2",
            "-subj",
            "/CN=www.example.test",
        ],
    )?;
    assert!(output.status.success(), "{}", said(&output));
    let both = std::fs::read_to_string(&pem).unwrap() + &std::fs::read_to_string(&key).unwrap();
    std::fs::write(folder.join("both"), both).unwrap();
    Some((pem, key))
}

#[test]
fn nginx_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let Some((pem, key)) = certificate(folder.path()) else {
        return;
    };
    // The modules of streams may be missing, and low ports need privileges.
    let (fixture, _) = text("nginx.conf").split_once("stream {").unwrap();
    let mut local = fixture
        .replace("user www-data;", "pid test.pid;\nerror_log stderr;")
        .replace("listen ", "listen unix:socket-");
    for number in ["80", "443", "[::]:443", "127.0.0.1:8443"] {
        local = local.replace(
            &format!("unix:socket-{number}"),
            &format!(
                "unix:{}/{}",
                folder.path().display(),
                number.replace([':', '[', ']'], "-")
            ),
        );
    }
    let mut lines = Vec::new();
    for line in local.lines() {
        let mut line = line.to_owned();
        for file in [
            "/etc/ssl/www-ecdsa",
            "/etc/ssl/www",
            "/etc/ssl/pq",
            "/etc/ssl/admin",
        ] {
            line = line
                .replace(&format!("{file}.pem"), &pem)
                .replace(&format!("{file}.key"), &key);
        }
        lines.push(line);
    }
    for name in ["mime.types", "snippets/extra.conf"] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let check = |text: &str| {
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, text).unwrap();
        let folder = folder.path().to_string_lossy().into_owned();
        run(
            "nginx",
            &[
                "-t",
                "-e",
                "stderr",
                "-p",
                &folder,
                "-c",
                &path.to_string_lossy(),
            ],
        )
    };
    let hybrid = lines.join("\n");
    let Some(output) = check(&hybrid.replace("X25519MLKEM768:", "")) else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));

    // Whether it starts with the hybrid is what the remark says of its library.
    let version = said(&run("nginx", &["-V"]).unwrap());
    let Some(library) = version.lines().find_map(|line| line.split_once("OpenSSL ")) else {
        return;
    };
    let library = library.1.split_whitespace().next().unwrap();
    let (found, _) = read(
        "nginx.conf",
        &hybrid,
        &[&format!("nginx=1.22.1/openssl={library}")],
    );
    let is_refused = found.iter().any(|one| {
        one.remarks
            .iter()
            .any(|remark| remark.contains("does not start"))
    });
    let output = check(&hybrid).unwrap();
    assert_eq!(output.status.success(), !is_refused, "{}", said(&output));
}

#[test]
fn haproxy_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let Some((pem, _)) = certificate(folder.path()) else {
        return;
    };
    let both = folder.path().join("both").to_string_lossy().into_owned();
    let list = folder.path().join("list").to_string_lossy().into_owned();
    std::fs::write(&list, format!("{both}\n")).unwrap();
    let local = text("haproxy.cfg")
        .replace("/etc/haproxy/www.pem", &both)
        .replace("/etc/haproxy/old.pem", &both)
        .replace("/etc/haproxy/list.txt", &list)
        .replace("/etc/ssl/ca.pem", &pem);
    let check = |text: &str| {
        let path = folder.path().join("haproxy.cfg");
        std::fs::write(&path, text).unwrap();
        run("haproxy", &["-c", "-f", &path.to_string_lossy()])
    };
    let Some(output) = check(&local.replace("X25519MLKEM768:", "")) else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
    let version = said(&run("haproxy", &["-vv"]).unwrap());
    let Some((_, library)) = version.split_once("Running on OpenSSL version : OpenSSL ") else {
        return;
    };
    let library = library.split_whitespace().next().unwrap();
    let found = settings("haproxy.cfg", &[&format!("haproxy=2.6/openssl={library}")]);
    let is_refused = found.iter().any(|one| {
        one.remarks
            .iter()
            .any(|remark| remark.contains("does not start"))
    });
    let output = check(&local).unwrap();
    assert_eq!(output.status.success(), !is_refused, "{}", said(&output));
}

#[test]
fn ssh_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ssh_config");
    std::fs::write(&path, text("ssh_config")).unwrap();
    let Some(output) = run("ssh", &["-V"]) else {
        return;
    };
    let version = said(&output);
    let version = version
        .trim_start_matches("OpenSSH_")
        .split([' ', ','])
        .next()
        .unwrap();
    let found = settings("ssh_config", &[&format!("openssh={version}")]);
    for (host, settings) in [
        ("old.example.test", &found[0]),
        ("another.invalid", &found[1]),
    ] {
        let output = run("ssh", &["-G", "-F", &path.to_string_lossy(), host]).unwrap();
        let printed = said(&output);
        let list = printed
            .lines()
            .find_map(|line| line.strip_prefix("kexalgorithms "))
            .unwrap();
        let (expected, _) = read(
            "ssh_config",
            &format!("Host *\nKexAlgorithms {list}\n"),
            &[&format!("openssh={version}")],
        );
        assert_eq!(groups(settings), groups(&expected[0]), "{host}");
    }
}

#[test]
fn postgresql_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgresql.conf");
    std::fs::write(&path, text("postgresql.conf").replace("include_dir", "#")).unwrap();
    let data = folder.path().to_string_lossy().into_owned();
    let Some(output) = run("postgres", &["--version"]) else {
        return;
    };
    let version = said(&output);
    let version = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap();
    let found = settings(
        "postgresql.conf",
        &[&format!("postgresql={version}/openssl=3.0.2")],
    );
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    let key = if major >= 18 {
        "ssl_groups"
    } else {
        "ssl_ecdh_curve"
    };
    let output = run("postgres", &["-C", key, "-D", &data]).unwrap();
    if !output.status.success() {
        println!("skipped: {}", said(&output));
        return;
    }
    let list = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (expected, _) = read(
        "postgresql.conf",
        &format!("ssl = on\n{key} = '{list}'\n"),
        &[&format!("postgresql={version}")],
    );
    assert_eq!(groups(&found[0]), groups(&expected[0]));
}

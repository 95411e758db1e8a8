use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit::{Algorithm, Cause, Curve, Protocol, Unknown};
use tokio::net::TcpListener;

use super::packet::{KEXINIT, KexInit, identification, packet, payload, put_string};
use super::*;
use crate::starttls::scripted::{Act, dialer, peer};

const LIMIT: Duration = Duration::from_millis(500);
const HELLO: &[u8] = b"SSH-2.0-test\r\n";

/// A KEXINIT with these methods and host key algorithms.
fn kexinit(methods: &str, host_keys: &str) -> Vec<u8> {
    let mut payload = vec![KEXINIT];
    payload.extend([7; 16]);
    let all = [
        methods,
        host_keys,
        "aes128-ctr",
        "aes128-ctr",
        "hmac-sha2-256",
        "hmac-sha2-256",
    ];
    for list in all.into_iter().chain(["none", "none", "", ""]) {
        put_string(&mut payload, list.as_bytes());
    }
    payload.extend([0; 5]);
    payload
}

fn offer() -> Vec<u8> {
    packet(&kexinit(
        "new@example.test,curve25519-sha256,ext-info-s",
        "ssh-ed25519",
    ))
}

/// A reply with this host key.
fn reply(blob: &[u8]) -> Vec<u8> {
    let mut payload = vec![31];
    for field in [blob, &[9; 32], &[1; 83]] {
        put_string(&mut payload, field);
    }
    packet(&payload)
}

fn ed25519() -> Vec<u8> {
    let mut blob = Vec::new();
    put_string(&mut blob, b"ssh-ed25519");
    put_string(&mut blob, &[5; 32]);
    blob
}

async fn scan_of(acts: Vec<Act>) -> Result<SshService, Stopped> {
    let dialer = dialer(peer(acts).await, Protocol::Ssh, LIMIT);
    let begin = Instant::now();
    let service = scan(&dialer).await;
    // Generous: the machine may be busy; what is shown is that it ends.
    assert!(begin.elapsed() < 20 * LIMIT, "{:?}", begin.elapsed());
    service
}

fn unknown(stopped: Stopped) -> Unknown {
    match stopped {
        Stopped::Unknown(unknown) => unknown,
        Stopped::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// What comes of the only host key, where the server goes on like this after its offer.
async fn key_after(acts: Vec<Act>) -> Answer<audit::HostKey> {
    let acts = [vec![Act::send(HELLO), Act::send(offer())], acts].concat();
    let service = scan_of(acts).await.unwrap();
    let [Tried { answer, .. }] = &service.host_keys[..] else {
        panic!("{service:?}");
    };
    answer.clone()
}

#[tokio::test]
async fn a_server_byte_by_byte_with_lines_before_and_messages_between() {
    let ignore = packet(&[2, 0, 0, 0, 1, b'x']);
    let debug = packet(&[4, 0, 0, 0, 0, 1, b'x', 0, 0, 0, 0]);
    let banner = b"Welcome\r\nto example.test\nSSH-2.0-test_1.0 some comment\r\n";
    let service = scan_of(vec![
        Act::Drip([banner, &ignore[..], &debug, &offer()].concat()),
        Act::wait("curve25519-sha256"),
        Act::Drip([debug, reply(&ed25519())].concat()),
    ])
    .await
    .unwrap();
    assert_eq!(service.software, "SSH-2.0-test_1.0 some comment");
    let methods = ["new@example.test", "curve25519-sha256", "ext-info-s"];
    assert_eq!(service.key_exchanges, methods);
    assert_eq!(service.ciphers, ["aes128-ctr"]);
    let [key] = &service.host_keys[..] else {
        panic!("{service:?}");
    };
    assert_eq!(key.offer, "ssh-ed25519");
    let key = key.answer.supported().unwrap();
    assert_eq!(key.algorithm, Algorithm::Ec(Curve::Ed25519));
    assert_eq!(key.fingerprint.len(), 43);
}

#[tokio::test]
async fn servers_that_lie_are_unknown_in_time() {
    let huge = b"\x7f\xff\xff\xff\x04\x14".to_vec();
    let mut beyond = kexinit("curve25519-sha256", "ssh-ed25519");
    beyond[17..21].copy_from_slice(&[0xff; 4]);
    let with_hello = |bytes: &[u8]| vec![Act::send([HELLO, bytes].concat())];
    for (acts, cause) in [
        (vec![Act::Forever(b"a line\r\n".to_vec())], Cause::Garbage),
        (vec![Act::Forever(b"no end ".to_vec())], Cause::Garbage),
        (vec![Act::Forever(b"SSH-2.0-x".to_vec())], Cause::Garbage),
        (
            vec![Act::send("SSH-2.0-no-end"), Act::Stall],
            Cause::Timeout,
        ),
        (
            vec![Act::send("SSH-1.5-old\r\n"), Act::Stall],
            Cause::Garbage,
        ),
        (vec![Act::send("Exceeded MaxStartups\r\n")], Cause::Closed),
        (vec![Act::Stall], Cause::Timeout),
        (vec![Act::Reset], Cause::Reset),
        (Vec::new(), Cause::Closed),
        (with_hello(&huge), Cause::Garbage),
        (with_hello(&packet(&beyond)), Cause::Garbage),
        (
            with_hello(&packet(&kexinit("a\x1bb", "ssh-ed25519"))),
            Cause::Garbage,
        ),
        (with_hello(&packet(&[21])), Cause::Garbage),
        // Padding as long as the packet, and none at all of a payload.
        (with_hello(&[0, 0, 0, 4, 9, 20, 0, 0]), Cause::Garbage),
        (with_hello(&[0, 0, 0, 0]), Cause::Garbage),
        (with_hello(&offer()[..40]), Cause::Closed),
        (
            with_hello(&packet(&[
                1, 0, 0, 0, 12, 0, 0, 0, 4, b'f', b'u', b'l', b'l',
            ])),
            Cause::Alert,
        ),
        (
            vec![Act::send(HELLO), Act::Forever(packet(&[2, 0, 0, 0, 0]))],
            Cause::Garbage,
        ),
    ] {
        let stopped = unknown(scan_of(acts).await.unwrap_err());
        assert_eq!(stopped.cause, cause, "{stopped}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_shown_is_unknown_and_the_rest_is_told() {
    let wait = || Act::wait("curve25519-sha256");
    let mut cut = vec![31];
    put_string(&mut cut, &ed25519());
    cut.truncate(20);
    let mut rsa = Vec::new();
    put_string(&mut rsa, b"ssh-rsa");
    for (acts, cause) in [
        (vec![wait(), Act::Stall], Cause::Timeout),
        (vec![wait(), Act::Reset], Cause::Reset),
        (vec![wait()], Cause::Closed),
        (vec![wait(), Act::send(packet(&cut))], Cause::Garbage),
        // A key of another type, and one that is too short.
        (vec![wait(), Act::send(reply(&rsa))], Cause::Garbage),
        (
            vec![wait(), Act::send(reply(&ed25519()[..40]))],
            Cause::Garbage,
        ),
        (
            vec![wait(), Act::send(packet(&[3, 0, 0, 0, 1]))],
            Cause::Alert,
        ),
    ] {
        match key_after(acts).await {
            Answer::Unknown(unknown) => assert_eq!(unknown.cause, cause, "{unknown}"),
            other => panic!("{cause}: {other:?}"),
        }
    }
    let failed = packet(&[1, 0, 0, 0, 3, 0, 0, 0, 2, b'n', b'o', 0, 0, 0, 0]);
    assert!(
        key_after(vec![wait(), Act::send(failed)])
            .await
            .is_refused()
    );
}

#[tokio::test]
async fn methods_that_cannot_be_begun_are_told() {
    let only = packet(&kexinit("sntrup761x25519-sha512", "ssh-ed25519"));
    let service = scan_of(vec![Act::send([HELLO, &only].concat()), Act::Stall])
        .await
        .unwrap();
    let Answer::Unknown(unknown) = &service.host_keys[0].answer else {
        panic!("{service:?}");
    };
    assert_eq!(unknown.cause, Cause::NotImplemented);
    assert!(unknown.detail.contains("sntrup761"), "{unknown}");
}

#[test]
fn an_identification_and_packets_cut_anywhere_are_waited_for() {
    let line = b"before\r\nSSH-2.0-x\r\n";
    for cut in 0..line.len() {
        assert_eq!(identification(&mut line[..cut].to_vec()).unwrap(), None);
    }
    let long = [&b"SSH-2.0-"[..], &[b'x'; 246], b"\n"].concat();
    assert_eq!(long.len(), 255);
    assert!(identification(&mut long.clone()).unwrap().is_some());
    let longer = [&long[..254], b"x\n"].concat();
    assert!(identification(&mut longer.clone()).is_err());
    let whole = offer();
    for cut in 0..whole.len() {
        assert_eq!(payload(&mut whole[..cut].to_vec()).unwrap(), None);
    }
    let init = payload(&mut whole.clone()).unwrap().unwrap();
    for cut in 1..init.len() - 5 {
        assert!(KexInit::parse(&init[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn one_key_of_each_kind_is_asked_for() {
    let certificate = "rsa-sha2-512-cert-v01@openssh.com";
    let names = [
        "rsa-sha2-512",
        "ssh-ed25519",
        "ssh-rsa",
        certificate,
        "rsa-sha2-256",
    ];
    let names = names.map(str::to_owned);
    let kinds = host_key::one_of_each_kind(&names);
    assert_eq!(kinds, ["rsa-sha2-512", "ssh-ed25519", certificate]);
}

/// An `sshd` here, in a place where shells of ordinary users do not look too.
fn sshd() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(usual);
    folders.find_map(|folder| Some(folder.join("sshd")).filter(|file| file.is_file()))
}

fn keygen(arguments: &[&str], folder: &Path) -> Option<String> {
    let mut command = Command::new("ssh-keygen");
    let output = command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every kind of host key, over every key exchange that can be begun: a server of its own for
/// each connection, on the connection itself.
#[tokio::test]
async fn host_keys_of_openssh() {
    let Some(sshd) = sshd() else {
        eprintln!("skipped: no sshd is installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut config = "PidFile none\nStrictModes no\nHostKeyAlgorithms +ssh-rsa\n".to_owned();
    let mut expected = Vec::new();
    for (kind, bits, name) in [
        ("rsa", "2048", "RSA-2048"),
        ("ecdsa", "384", "P-384"),
        ("ed25519", "256", "Ed25519"),
    ] {
        let made = keygen(
            &["-q", "-t", kind, "-b", bits, "-N", "", "-f", kind],
            folder,
        );
        let Some(shown) = made.and_then(|_| keygen(&["-lf", kind], folder)) else {
            eprintln!("skipped: ssh-keygen makes no {kind} key");
            return;
        };
        let fingerprint = shown
            .split_once("SHA256:")
            .unwrap()
            .1
            .split(' ')
            .next()
            .unwrap();
        expected.push((name.to_owned(), fingerprint.to_owned()));
        config += &format!("HostKey {}\n", folder.join(kind).display());
    }
    // Certificates of hosts for two of them; their fingerprints are those of the keys.
    for kind in ["rsa", "ed25519"] {
        let public = format!("{kind}.pub");
        keygen(&["-q", "-s", "ecdsa", "-I", "test", "-h", &public], folder).unwrap();
        let certificate = folder.join(format!("{kind}-cert.pub"));
        config += &format!("HostCertificate {}\n", certificate.display());
        let same = if kind == "rsa" { 0 } else { 2 };
        expected.push(expected[same].clone());
    }
    expected.sort();
    for method in [
        "curve25519-sha256",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group18-sha512",
        "mlkem768x25519-sha256",
    ] {
        let file = folder.join("config");
        std::fs::write(&file, format!("{config}KexAlgorithms {method}\n")).unwrap();
        let check = Command::new(&sshd)
            .arg("-t")
            .arg("-f")
            .arg(&file)
            .output()
            .unwrap();
        if !check.status.success() {
            let said = String::from_utf8_lossy(&check.stderr);
            eprintln!("skipped: sshd does not run with {method}: {said}");
            continue;
        }
        let service = serve(&sshd, &file).await;
        assert!(
            service.software.starts_with("SSH-2.0-OpenSSH_"),
            "{}",
            service.software
        );
        assert_eq!(service.key_exchanges[0], method);
        let mut found: Vec<_> = service
            .host_keys
            .iter()
            .map(|tried| {
                let key = tried
                    .answer
                    .supported()
                    .unwrap_or_else(|| panic!("{method} {tried:?}"));
                (key.algorithm.to_string(), key.fingerprint.clone())
            })
            .collect();
        found.sort();
        assert_eq!(found, expected, "{method}");
    }
}

async fn serve(sshd: &Path, config: &Path) -> SshService {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sshd, config) = (sshd.to_owned(), config.to_owned());
    let server = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let socket = socket.into_std().unwrap();
            socket.set_nonblocking(false).unwrap();
            let socket = std::os::fd::OwnedFd::from(socket);
            let mut command = Command::new(&sshd);
            command.arg("-i").arg("-f").arg(&config);
            command
                .stdin(socket.try_clone().unwrap())
                .stdout(socket)
                .stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            std::thread::spawn(move || child.wait());
        }
    });
    let service = scan(&dialer(address, Protocol::Ssh, Duration::from_secs(20))).await;
    server.abort();
    service.unwrap()
}

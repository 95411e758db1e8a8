//! Many targets: results as they come, limits that hold, and an end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use audit::{Cause, Endpoint, Service, Target};
use scan::{Depth, Limits, Options};
use tokio::sync::mpsc;

use crate::scanning::{hasty, scan_all, target};
use crate::scripted::alert;

/// One thread that counts who is connected. Each port has its address's manner: `127.0.0.x`
/// refuses all that it is asked if `x` is even, and says nothing if it is odd.
struct Counting {
    ports: Vec<u16>,
    most: Arc<AtomicUsize>,
    silenced: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Counting {
    fn start(ports: usize) -> Self {
        let listeners: Vec<_> = (0..ports)
            .map(|_| TcpListener::bind("0.0.0.0:0").unwrap())
            .collect();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let ports = listeners.iter().map(port).collect();
        let [most, silenced] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let ends = Arc::new(AtomicBool::new(false));
        let seen = (Arc::clone(&most), Arc::clone(&silenced), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            let (most, silenced, ends) = seen;
            let mut open: Vec<(TcpStream, bool)> = Vec::new();
            for listener in &listeners {
                listener.set_nonblocking(true).unwrap();
            }
            while !ends.load(Ordering::SeqCst) {
                let mut is_idle = true;
                for listener in &listeners {
                    let Ok((socket, _)) = listener.accept() else {
                        continue;
                    };
                    is_idle = false;
                    socket.set_nonblocking(true).unwrap();
                    let SocketAddr::V4(own) = socket.local_addr().unwrap() else {
                        continue;
                    };
                    let is_silent = own.ip().octets()[3] % 2 == 1;
                    silenced.fetch_add(usize::from(is_silent), Ordering::SeqCst);
                    open.push((socket, is_silent));
                    sweep(&mut open);
                    if open.len() > most.load(Ordering::SeqCst) {
                        // An end that was sent before this connection began may come late.
                        sleep(Duration::from_millis(5));
                        sweep(&mut open);
                        most.fetch_max(open.len(), Ordering::SeqCst);
                    }
                }
                sweep(&mut open);
                if is_idle {
                    sleep(Duration::from_micros(200));
                }
            }
        });
        Self {
            ports,
            most,
            silenced,
            ends,
            thread: Some(thread),
        }
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn silenced(&self) -> usize {
        self.silenced.load(Ordering::SeqCst)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers who is to be answered, and forgets who has left.
fn sweep(open: &mut Vec<(TcpStream, bool)>) {
    open.retain_mut(|(socket, is_silent)| {
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(_) => *is_silent || socket.write_all(&alert(2, 40)).is_ok(),
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    });
}

fn host(number: usize) -> String {
    format!("127.0.0.{number}")
}

fn limited(connections: usize, connections_per_host: usize) -> Options {
    Options {
        limits: Limits {
            connections,
            connections_per_host,
            rate: None,
            rate_per_host: None,
        },
        timeout: Duration::from_secs(1),
        ..hasty(Depth::Groups)
    }
}

fn timed_out(endpoint: &Endpoint) -> bool {
    matches!(&endpoint.service, Service::Unreachable(unknown) if unknown.cause == Cause::Timeout)
}

#[test]
fn one_address_gets_no_more_than_its_share_whatever_its_names_and_ports() {
    let server = Counting::start(3);
    let targets: Vec<Target> = (0..300)
        .map(|number| {
            let port = server.ports[number % 3];
            match number % 5 {
                0 => target("localhost", port),
                _ => target("127.0.0.1", port),
            }
        })
        .collect();
    let options = Options {
        timeout: Duration::from_millis(300),
        ..limited(512, 24)
    };
    let seen = scan_all(targets, &options);
    assert_eq!(seen.len(), 300);
    for endpoint in seen.iter().flatten() {
        // Where it is ::1 there is nobody.
        assert!(timed_out(endpoint) || endpoint.address.unwrap().is_ipv6());
    }
    assert_eq!(server.silenced(), 300);
    assert_eq!(server.most(), 24);
}

#[test]
fn all_together_get_no_more_than_they_may() {
    let server = Counting::start(1);
    let targets = (2..62).map(|number| target(&host(number), server.ports[0]));
    let seen = scan_all(targets.collect(), &limited(10, 4));
    assert_eq!(seen.len(), 60);
    let silent = seen.iter().flatten().filter(|endpoint| timed_out(endpoint));
    assert_eq!(silent.count(), 30);
    for endpoint in seen
        .iter()
        .flatten()
        .filter(|endpoint| !timed_out(endpoint))
    {
        let Service::Tls(service) = &endpoint.service else {
            panic!("{endpoint:?}");
        };
        assert!(service.groups.iter().all(|tried| tried.answer.is_refused()));
    }
    assert_eq!(server.most(), 10);
}

#[test]
fn results_come_while_others_still_stall() {
    let server = Counting::start(1);
    // One of three answers; the others hold the most connections that they may.
    let targets: Vec<_> = (0..300)
        .map(|number| {
            let last = if number % 3 == 0 {
                2 + 2 * (number / 3)
            } else {
                1 + 2 * (number % 100)
            };
            target(&host(last), server.ports[0])
        })
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = runtime.block_on(async {
        let (results, mut seen) = mpsc::channel(1);
        let options = limited(40, 2);
        let scan = tokio::spawn(async move {
            scan::scan(targets.into_iter(), &options, results).await;
        });
        let mut first_answer = None;
        let mut count = 0;
        while let Some(endpoints) = seen.recv().await {
            count += 1;
            if first_answer.is_none() && endpoints.iter().any(|endpoint| !timed_out(endpoint)) {
                first_answer = Some(server.silenced());
            }
        }
        scan.await.unwrap();
        (count, first_answer.unwrap())
    });
    let (count, silenced_before) = seen;
    assert_eq!(count, 300);
    assert_eq!(server.silenced(), 200);
    assert!(
        silenced_before < 200,
        "all have stalled before the first answer"
    );
}

#[test]
fn a_name_that_has_no_address_is_a_lookup_that_failed() {
    let server = Counting::start(1);
    let targets = vec![
        target("nobody.invalid", server.ports[0]),
        target("127.0.0.2", server.ports[0]),
    ];
    let seen = scan_all(targets, &hasty(Depth::Groups));
    let causes: Vec<_> = seen
        .iter()
        .flatten()
        .filter_map(|endpoint| match &endpoint.service {
            Service::Unreachable(unknown) => Some((unknown.cause, endpoint.address)),
            _ => None,
        })
        .collect();
    assert_eq!((seen.len(), causes), (2, vec![(Cause::Lookup, None)]));
}

#[test]
fn a_scan_ends_when_nobody_takes_its_results() {
    let server = Counting::start(1);
    let port = server.ports[0];
    let options = Options {
        timeout: Duration::from_secs(60),
        ..limited(50, 50)
    };
    // Without an end, and after the first of them nobody answers.
    let targets = (0..).map(move |number| target(&host(if number == 0 { 2 } else { 1 }), port));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let begin = Instant::now();
    runtime.block_on(async {
        let (results, mut seen) = mpsc::channel(1);
        let scan = tokio::spawn(async move { scan::scan(targets, &options, results).await });
        assert!(matches!(
            seen.recv().await.unwrap()[0].service,
            Service::Tls(_)
        ));
        drop(seen);
        scan.await.unwrap();
    });
    assert!(begin.elapsed() < Duration::from_secs(30));
}

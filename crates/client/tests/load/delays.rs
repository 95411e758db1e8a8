//! Clients that are slow themselves.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use client::load::{Arrivals, ClientLimit, Parting, Plan, WorkerEndpoints};
use experiment::Side;
use server::ServeMode;
use stack::Endpoint;

use crate::common::{CLOSED, FULL, endpoint, performed, plan, start};

/// The server has answered several connections meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// Takes its time before each connection.
struct Slow(Arc<dyn Endpoint>);

impl Slow {
    fn worker() -> WorkerEndpoints {
        WorkerEndpoints {
            full: Arc::new(Self(endpoint("rustls", Side::Client, FULL))),
            resuming: None,
        }
    }
}

impl Endpoint for Slow {
    fn connection(&self) -> Result<Box<dyn stack::Connection>, stack::StackError> {
        thread::sleep(PAUSE);
        self.0.connection()
    }
    fn issuing_connection(&self) -> Result<Box<dyn stack::Connection>, stack::StackError> {
        self.0.issuing_connection()
    }
    fn tickets(&self) -> usize {
        self.0.tickets()
    }
}

/// One connection at a time, and a pause before each: the connections that were to begin
/// meanwhile are late, and their response times say so while their service times do not.
#[test]
fn a_client_that_is_held_up_counts_from_the_intended_beginning() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = plan(server.address, Arrivals::Constant { per_second: 1000.0 });
    let report = performed(&plan, &[Slow::worker()]);
    let tally = &report.tally;
    assert_eq!(tally.succeeded, 100);
    let [service, response] = [&tally.service_time, &tally.response_time];
    for share in [0.5, 0.9, 1.0] {
        assert!(response.quantile(share) >= service.quantile(share));
    }
    // The last was to begin after 99 ms, and a pause was made for each before it.
    assert!(tally.lateness.max().unwrap() > 10 * PAUSE);
    assert!(response.max().unwrap() > 10 * PAUSE);
    let limit = report.client_limit();
    assert!(matches!(limit, Some(ClientLimit::Delay(_))), "{limit:?}");
    assert!(!report.keeps_up(PAUSE));
}

/// A closed loop begins nothing late, but what has an answer waits while the client is busy.
#[test]
fn sockets_that_wait_for_a_busy_client_are_a_delay_of_the_client_s() {
    let server = start("rustls", FULL, ServeMode::Measured);
    let plan = Plan {
        handshakes: Some(20),
        parting: Parting::Reset,
        ..plan(server.address, CLOSED)
    };
    let report = performed(&plan, &[Slow::worker()]);
    let tally = &report.tally;
    assert_eq!(tally.succeeded, 20);
    let [delay, lateness] = [&tally.client_delay, &tally.lateness].map(|times| times.max());
    assert!(delay.unwrap() >= PAUSE, "{delay:?}");
    assert!(lateness.unwrap() < delay.unwrap());
    for share in [0.5, 0.9, 1.0] {
        assert!(tally.client_delay.quantile(share) <= tally.response_time.quantile(share));
    }
}

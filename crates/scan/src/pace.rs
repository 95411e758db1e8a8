//! How fast, and how much at once: over all, and for each host.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Limits that keep a scan polite, and this machine within its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Connections open at once, over all.
    pub connections: usize,
    /// Connections open at once to one address.
    pub connections_per_host: usize,
    /// New connections a second, over all; `None` for as many as come.
    pub rate: Option<f64>,
    /// New connections a second to one address.
    pub rate_per_host: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_host: 4,
            rate: None,
            rate_per_host: Some(50.0),
        }
    }
}

/// Shared by all that is scanned.
pub(crate) struct Pace {
    limits: Limits,
    all: Gate,
    hosts: Mutex<HashMap<IpAddr, Weak<Gate>>>,
}

/// One limit of connections, and one of their rate.
struct Gate {
    open: Arc<Semaphore>,
    interval: Option<Duration>,
    /// When the next connection may begin.
    next: Mutex<Instant>,
}

/// The pace towards one host.
pub(crate) struct HostPace {
    all: Arc<Pace>,
    host: Arc<Gate>,
}

/// Leave for one connection; it ends with this.
pub(crate) struct Leave {
    _host: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Pace {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            all: Gate::new(limits.connections, limits.rate),
            hosts: Mutex::new(HashMap::new()),
        })
    }

    /// Targets that share an address share its limits. What is no longer used is forgotten, so
    /// that memory does not grow with the number of hosts.
    pub(crate) fn towards(self: &Arc<Self>, address: IpAddr) -> HostPace {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() > 4 * self.limits.connections.max(256) {
            hosts.retain(|_, gate| gate.strong_count() > 0);
        }
        let known = hosts.get(&address).and_then(Weak::upgrade);
        let host = known.unwrap_or_else(|| {
            let Limits {
                connections_per_host,
                rate_per_host,
                ..
            } = self.limits;
            let gate = Arc::new(Gate::new(connections_per_host, rate_per_host));
            hosts.insert(address, Arc::downgrade(&gate));
            gate
        });
        HostPace {
            all: Arc::clone(self),
            host,
        }
    }
}

impl HostPace {
    /// Waits for leave to open a connection.
    pub(crate) async fn leave(&self) -> Leave {
        // The host's turn comes first: who waits for a slow host takes nothing from others.
        let host = self.host.enter().await;
        let all = self.all.all.enter().await;
        Leave {
            _host: host,
            _all: all,
        }
    }
}

impl Gate {
    fn new(connections: usize, rate: Option<f64>) -> Self {
        let interval = rate
            .filter(|rate| *rate > 0.0)
            .and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Self {
            open: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            interval,
            next: Mutex::new(Instant::now()),
        }
    }

    async fn enter(&self) -> OwnedSemaphorePermit {
        let permit = loop {
            // The semaphore is never closed.
            if let Ok(permit) = Arc::clone(&self.open).acquire_owned().await {
                break permit;
            }
        };
        if let Some(interval) = self.interval {
            let turn = {
                let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                let turn = (*next).max(Instant::now());
                *next = turn + interval;
                turn
            };
            sleep_until(turn).await;
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_gets_no_more_than_its_rate() {
        let pace = Pace::new(Limits {
            rate_per_host: Some(10.0),
            ..Limits::default()
        });
        let (one, other) = (pace.towards(address()), pace.towards(address()));
        let begin = Instant::now();
        for _ in 0..10 {
            drop(one.leave().await);
            drop(other.leave().await);
        }
        // Twenty connections, the first of them at once.
        assert_eq!(begin.elapsed().as_millis() / 10, 190);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_has_no_more_than_its_connections() {
        let pace = Pace::new(Limits {
            connections_per_host: 2,
            rate_per_host: None,
            ..Limits::default()
        });
        let host = pace.towards(address());
        let held = [host.leave().await, host.leave().await];
        let third = tokio::time::timeout(Duration::from_secs(1), host.leave());
        assert!(third.await.is_err());
        drop(held);
        tokio::time::timeout(Duration::from_secs(1), host.leave())
            .await
            .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_that_are_done_are_forgotten() {
        let pace = Pace::new(Limits::default());
        for number in 0..10_000_u32 {
            drop(
                pace.towards(IpAddr::from(number.to_be_bytes()))
                    .leave()
                    .await,
            );
        }
        assert!(pace.hosts.lock().unwrap().len() < 4_000);
    }
}

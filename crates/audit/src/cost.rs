//! What a change costs in each handshake, from a machine's own measurements. There are no
//! default numbers: what was not measured has no price.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Role};

/// What a run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// The run's id.
    pub run: String,
    /// The machine, in a few words.
    pub machine: String,
    /// Full handshakes that differ in their key establishment only.
    pub key_establishment: Vec<Measured>,
    /// Full handshakes that differ in their certificates and signatures only.
    pub signatures: Vec<Measured>,
}

/// One full handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What distinguishes it from the others of its list.
    pub algorithm: Algorithm,
    /// Microseconds of the client's CPU.
    pub client: Interval,
    /// Microseconds of the server's CPU.
    pub server: Interval,
    /// Bytes from the client.
    pub bytes_up: u64,
    /// Bytes from the server.
    pub bytes_down: u64,
    /// Round trips until the client may send, TCP's own not counted.
    pub round_trips: f64,
}

/// A value with the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The price of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Price {
    /// Both sides of the change were measured in one run.
    Measured(Box<Difference>),
    /// No number can be given.
    NotMeasured {
        /// Which measurement is missing.
        reason: String,
    },
}

/// What each handshake costs more, or less where it is negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// What is used now.
    pub from: Algorithm,
    /// What would be used.
    pub to: Algorithm,
    /// Microseconds of the client's CPU.
    pub client: Interval,
    /// Microseconds of the server's CPU.
    pub server: Interval,
    /// Bytes from the client.
    pub bytes_up: i64,
    /// Bytes from the server.
    pub bytes_down: i64,
    /// Round trips.
    pub round_trips: f64,
    /// The run that measured it.
    pub run: String,
    /// The machine that it ran on.
    pub machine: String,
}

impl Prices {
    /// The price of a change from one algorithm to another in a role.
    pub fn price(&self, role: Role, from: &Algorithm, to: &Algorithm) -> Price {
        let list = match role {
            Role::KeyEstablishment => &self.key_establishment,
            Role::Signature => &self.signatures,
        };
        let find = |wanted: &Algorithm| list.iter().find(|one| one.algorithm == *wanted);
        let (Some(old), Some(new)) = (find(from), find(to)) else {
            let missing: Vec<String> = [from, to]
                .into_iter()
                .filter(|wanted| find(wanted).is_none())
                .map(ToString::to_string)
                .collect();
            return Price::NotMeasured {
                reason: format!(
                    "run {} has no {role} with {}",
                    self.run,
                    missing.join(" and none with ")
                ),
            };
        };
        let bytes = |new: u64, old: u64| {
            i64::try_from(i128::from(new) - i128::from(old)).unwrap_or(i64::MAX)
        };
        Price::Measured(Box::new(Difference {
            from: from.clone(),
            to: to.clone(),
            client: new.client.minus(old.client),
            server: new.server.minus(old.server),
            bytes_up: bytes(new.bytes_up, old.bytes_up),
            bytes_down: bytes(new.bytes_down, old.bytes_down),
            round_trips: new.round_trips - old.round_trips,
            run: self.run.clone(),
            machine: self.machine.clone(),
        }))
    }
}

impl Interval {
    /// The difference, its interval as wide as both together: that is wider than it had to be
    /// where the two were measured interleaved, and never too narrow.
    fn minus(self, other: Self) -> Self {
        Self {
            value: self.value - other.value,
            low: self.low - other.high,
            high: self.high - other.low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_priced_by_what_was_measured_or_not_at_all() {
        let exactly = |value| Interval {
            value,
            low: value - 2.0,
            high: value + 2.0,
        };
        let measured = |name: &str, client, bytes_up| Measured {
            algorithm: name.parse().unwrap(),
            client: exactly(client),
            server: exactly(90.0),
            bytes_up,
            bytes_down: 1000,
            round_trips: 1.0,
        };
        let prices = Prices {
            run: "run-1".to_owned(),
            machine: "a test".to_owned(),
            key_establishment: vec![
                measured("X25519", 200.0, 232),
                measured("X25519+ML-KEM-768", 225.0, 1416),
            ],
            signatures: Vec::new(),
        };
        let [old, new] = ["X25519", "X25519+ML-KEM-768"].map(|name| name.parse().unwrap());
        let Price::Measured(price) = prices.price(Role::KeyEstablishment, &old, &new) else {
            panic!("both were measured");
        };
        assert_eq!((price.bytes_up, price.bytes_down), (1184, 0));
        assert_eq!((price.client.value, price.client.low), (25.0, 21.0));
        let missing = prices.price(Role::Signature, &old, &new);
        let Price::NotMeasured { reason } = missing else {
            panic!("no signature was measured");
        };
        assert!(
            reason.contains("X25519 and none with X25519+ML-KEM-768"),
            "{reason}"
        );
    }
}

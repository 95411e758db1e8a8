//! A matrix: what to measure, with which meters, for how long. Written as TOML.
//!
//! ```toml
//! title = "Key exchange"
//! baseline = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"
//!
//! [seconds]
//! cpu = 60
//!
//! [[handshake]]
//! stacks = ["rustls", "openssl"]        # each with itself; or client = […], server = […]
//! kx = ["x25519", "X25519MLKEM768"]
//! auth = ["ecdsa-p256"]
//! measure = ["cpu", "bytes"]
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use wire::{CipherSuite, ProtocolVersion};

use crate::{
    Filter, Handshake, HandshakeKind, KeyExchange, Meter, NetworkName, Primitive,
    PrimitiveOperation, Scenario, StackName, Subject, Transfer,
};

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// What the reader of the report sees.
    pub title: String,
    /// Measured twice under two names: the ratio of the two is the run's noise floor.
    pub baseline: Option<Scenario>,
    /// Each subject with its meter, without repetition, in the order of the file.
    pub cells: Vec<(Meter, Subject)>,
    /// The measuring time of each meter.
    pub budget: Budget,
}

/// Measuring time in seconds of each meter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Budget(BTreeMap<Meter, f64>);

impl Budget {
    /// The seconds of one meter; 0 for one that has none.
    pub fn seconds(&self, meter: Meter) -> f64 {
        self.0.get(&meter).copied().unwrap_or(0.0)
    }

    /// The seconds of all meters together.
    pub fn total(&self) -> f64 {
        self.0.values().sum()
    }

    /// The same proportions for another total.
    pub fn scaled_to(&self, total: f64) -> Self {
        let factor = total / self.total().max(f64::MIN_POSITIVE);
        Self(
            self.0
                .iter()
                .map(|(meter, seconds)| (*meter, seconds * factor))
                .collect(),
        )
    }
}

/// What is wrong with a matrix file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// Not TOML, or not a matrix. The message has line, column and the line itself.
    #[error("{0}")]
    Syntax(String),
    /// A value that can't be.
    #[error("line {line}, column {column}: {reason}")]
    Value {
        /// 1 for the first line.
        line: usize,
        /// 1 for the first character.
        column: usize,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// The names that a matrix may use; the crates that implement them know which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    stacks: &'a [StackName],
    networks: &'a [NetworkName],
}

impl Matrix {
    /// Reads a matrix file.
    ///
    /// # Errors
    /// On text that is no TOML, on unknown keys and names, and on combinations that
    /// the protocol does not have; each with line and column.
    pub fn parse(
        text: &str,
        stacks: &[StackName],
        networks: &[NetworkName],
    ) -> Result<Self, MatrixError> {
        let file: MatrixFile =
            toml::from_str(text).map_err(|error| MatrixError::Syntax(error.to_string()))?;
        file.resolve(Names { stacks, networks })
            .map_err(|fault| fault.locate(text))
    }

    /// Keeps what one of the filters selects. The baseline stays for the noise floor.
    pub fn retain(&mut self, filters: &[Filter]) {
        self.cells
            .retain(|(_, subject)| filters.iter().any(|filter| filter.matches(subject)));
        self.budget
            .0
            .retain(|meter, _| self.cells.iter().any(|(used, _)| used == meter));
    }

    /// The subjects of one meter, in order.
    pub fn subjects(&self, meter: Meter) -> impl Iterator<Item = &Subject> {
        self.cells
            .iter()
            .filter(move |(used, _)| *used == meter)
            .map(|(_, subject)| subject)
    }
}

/// A fault and the byte at which it stands.
struct Fault {
    at: usize,
    reason: String,
}

impl Fault {
    fn at<T>(value: &Spanned<T>, reason: impl fmt::Display) -> Self {
        Self {
            at: value.span().start,
            reason: reason.to_string(),
        }
    }

    fn locate(self, text: &str) -> MatrixError {
        let before = &text[..self.at.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        MatrixError::Value {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: self.reason,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatrixFile {
    title: String,
    baseline: Option<Spanned<String>>,
    #[serde(default)]
    seconds: BTreeMap<Meter, Spanned<f64>>,
    #[serde(default)]
    handshake: Vec<HandshakeTable>,
    #[serde(default)]
    transfer: Vec<TransferTable>,
    #[serde(default)]
    primitive: Vec<PrimitiveTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandshakeTable {
    /// Each with itself. Or `client` and `server`: every one with every one.
    #[serde(default)]
    stacks: Vec<Spanned<String>>,
    #[serde(default)]
    client: Vec<Spanned<String>>,
    #[serde(default)]
    server: Vec<Spanned<String>>,
    kx: Spanned<Vec<Spanned<String>>>,
    auth: Vec<Spanned<String>>,
    version: Option<Spanned<String>>,
    #[serde(default)]
    kind: Vec<Spanned<String>>,
    #[serde(default)]
    mutual: Vec<Spanned<bool>>,
    #[serde(default)]
    tickets: Vec<Spanned<u8>>,
    #[serde(default)]
    suite: Vec<Spanned<String>>,
    network: Option<Spanned<String>>,
    measure: Vec<Meter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TransferTable {
    stacks: Vec<Spanned<String>>,
    kx: Spanned<String>,
    auth: Spanned<String>,
    suite: Vec<Spanned<String>>,
    record_size: Vec<Spanned<u16>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PrimitiveTable {
    provider: Vec<Spanned<String>>,
    #[serde(default)]
    kx: Vec<Spanned<String>>,
    #[serde(default)]
    auth: Vec<Spanned<String>>,
    #[serde(default)]
    rsa_transport: Vec<Spanned<String>>,
}

/// The largest plaintext of a record (RFC 8446 section 5.1).
const MAX_RECORD: u16 = 1 << 14;

impl MatrixFile {
    fn resolve(self, names: Names<'_>) -> Result<Matrix, Fault> {
        let mut seconds = BTreeMap::new();
        for (meter, value) in self.seconds {
            if !(value.as_ref().is_finite() && *value.as_ref() >= 0.0) {
                return Err(Fault::at(&value, "seconds must be a number of at least 0"));
            }
            seconds.insert(meter, value.into_inner());
        }
        let mut cells = Vec::new();
        let mut add = |meter, subject: Subject| {
            if !cells.contains(&(meter, subject.clone())) {
                cells.push((meter, subject));
            }
        };
        for table in &self.handshake {
            for scenario in table.scenarios(names)? {
                for meter in &table.measure {
                    add(*meter, Subject::Handshake(scenario.clone()));
                }
            }
        }
        for table in &self.transfer {
            for transfer in table.transfers(names)? {
                add(Meter::Transfer, Subject::Transfer(transfer));
            }
        }
        for table in &self.primitive {
            for primitive in table.primitives()? {
                add(Meter::Primitives, Subject::Primitive(primitive));
            }
        }
        let baseline = self
            .baseline
            .map(|text| {
                text.as_ref()
                    .parse()
                    .map_err(|error| Fault::at(&text, error))
            })
            .transpose()?;
        Ok(Matrix {
            title: self.title,
            baseline,
            cells,
            budget: Budget(seconds),
        })
    }
}

impl HandshakeTable {
    fn scenarios(&self, names: Names<'_>) -> Result<Vec<Scenario>, Fault> {
        let pairs = self.pairs(names)?;
        let network = match &self.network {
            Some(name) => names.network(name)?,
            None => NetworkName::memory(),
        };
        let mut scenarios = Vec::new();
        for handshake in self.handshakes()? {
            for (client, server) in &pairs {
                let (client, server) = (client.clone(), server.clone());
                scenarios.push(Scenario::new(client, server, handshake, network.clone()));
            }
        }
        Ok(scenarios)
    }

    fn pairs(&self, names: Names<'_>) -> Result<Vec<(StackName, StackName)>, Fault> {
        let both = |list: &[Spanned<String>]| -> Result<Vec<StackName>, Fault> {
            list.iter().map(|name| names.stack(name)).collect()
        };
        let (stacks, clients, servers) = (
            both(&self.stacks)?,
            both(&self.client)?,
            both(&self.server)?,
        );
        match (stacks.is_empty(), clients.is_empty(), servers.is_empty()) {
            (false, true, true) => Ok(stacks.iter().map(|s| (s.clone(), s.clone())).collect()),
            (true, false, false) => Ok(clients
                .iter()
                .flat_map(|client| {
                    servers
                        .iter()
                        .map(move |server| (client.clone(), server.clone()))
                })
                .collect()),
            _ => Err(Fault::at(
                &self.kx,
                "say who talks to whom: either `stacks`, or both `client` and `server`",
            )),
        }
    }

    /// Every combination of the axes. One that the protocol lacks is a fault: a matrix
    /// must not promise what can't be measured.
    fn handshakes(&self) -> Result<Vec<Handshake>, Fault> {
        let version: Option<ProtocolVersion> = self.version.as_ref().map(parsed).transpose()?;
        let mut handshakes = Vec::new();
        for kx in self.kx.as_ref() {
            let key_exchange: KeyExchange = parsed(kx)?;
            for auth in &self.auth {
                let chain = parsed(auth)?;
                let mut builder = Handshake::builder(key_exchange, chain);
                if let Some(version) = version {
                    builder = builder.version(version);
                }
                for kind in or_default(&self.kind, HandshakeKind::Full)? {
                    for suite in self.suites()? {
                        for mutual in values_or(&self.mutual, false) {
                            for tickets in values_or(&self.tickets, 0) {
                                let mut builder = builder.kind(kind).tickets(tickets);
                                if mutual {
                                    builder = builder.client_authentication(chain);
                                }
                                if let Some(suite) = suite {
                                    builder = builder.cipher_suite(suite);
                                }
                                let built = builder.build();
                                handshakes.push(built.map_err(|error| Fault::at(kx, error))?);
                            }
                        }
                    }
                }
            }
        }
        Ok(handshakes)
    }
}

impl HandshakeTable {
    /// The suites that are named; the default of each handshake where none is.
    fn suites(&self) -> Result<Vec<Option<CipherSuite>>, Fault> {
        if self.suite.is_empty() {
            return Ok(vec![None]);
        }
        self.suite
            .iter()
            .map(|suite| parsed(suite).map(Some))
            .collect()
    }
}

impl TransferTable {
    fn transfers(&self, names: Names<'_>) -> Result<Vec<Transfer>, Fault> {
        let mut transfers = Vec::new();
        for stack in &self.stacks {
            let stack = names.stack(stack)?;
            for suite in &self.suite {
                let handshake = Handshake::builder(parsed(&self.kx)?, parsed(&self.auth)?)
                    .cipher_suite(parsed(suite)?)
                    .build()
                    .map_err(|error| Fault::at(suite, error))?;
                let network = NetworkName::memory();
                let scenario = Scenario::new(stack.clone(), stack.clone(), handshake, network);
                for size in &self.record_size {
                    if !(1..=MAX_RECORD).contains(size.as_ref()) {
                        return Err(Fault::at(size, "a record holds 1 to 16384 bytes"));
                    }
                    let record_size = *size.as_ref();
                    transfers.push(Transfer {
                        scenario: scenario.clone(),
                        record_size,
                    });
                }
            }
        }
        Ok(transfers)
    }
}

impl PrimitiveTable {
    fn primitives(&self) -> Result<Vec<Primitive>, Fault> {
        let mut operations = Vec::new();
        for group in &self.kx {
            operations.extend(PrimitiveOperation::of_group(parsed(group)?));
        }
        for algorithm in &self.auth {
            operations.extend(PrimitiveOperation::of_signature(parsed(algorithm)?));
        }
        for algorithm in &self.rsa_transport {
            let algorithm = parsed(algorithm)?;
            operations.push(PrimitiveOperation::Encrypt(algorithm));
            operations.push(PrimitiveOperation::Decrypt(algorithm));
        }
        let mut primitives = Vec::new();
        for provider in &self.provider {
            let provider: StackName = parsed(provider)?;
            let of_provider = |operation| Primitive {
                provider: provider.clone(),
                operation,
            };
            primitives.extend(operations.iter().copied().map(of_provider));
        }
        Ok(primitives)
    }
}

impl Names<'_> {
    fn stack(self, name: &Spanned<String>) -> Result<StackName, Fault> {
        known(name, self.stacks, "stack", "pqlab list stacks")
    }

    fn network(self, name: &Spanned<String>) -> Result<NetworkName, Fault> {
        known(name, self.networks, "network", "pqlab list networks")
    }
}

fn known<T>(name: &Spanned<String>, known: &[T], what: &str, see: &str) -> Result<T, Fault>
where
    T: FromStr<Err: fmt::Display> + PartialEq,
{
    let parsed: T = parsed(name)?;
    if !known.contains(&parsed) {
        return Err(Fault::at(
            name,
            format!("unknown {what} {:?}: see `{see}`", name.as_ref()),
        ));
    }
    Ok(parsed)
}

fn parsed<T: FromStr<Err: fmt::Display>>(text: &Spanned<String>) -> Result<T, Fault> {
    text.as_ref()
        .parse()
        .map_err(|error| Fault::at(text, error))
}

fn or_default<T: FromStr<Err: fmt::Display>>(
    list: &[Spanned<String>],
    default: T,
) -> Result<Vec<T>, Fault> {
    if list.is_empty() {
        Ok(vec![default])
    } else {
        list.iter().map(parsed).collect()
    }
}

fn values_or<T: Copy>(list: &[Spanned<T>], default: T) -> Vec<T> {
    if list.is_empty() {
        vec![default]
    } else {
        list.iter().map(|v| *v.as_ref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KX: &str = r#"title = "Key exchange"
baseline = "rustls>rustls/1.3/x25519/ecdsa-p256/full@memory"

[seconds]
cpu = 3
bytes = 1

[[handshake]]
stacks = ["rustls", "openssl"]
kx = ["x25519", "X25519MLKEM768"]
auth = ["ecdsa-p256"]
mutual = [false, true]
measure = ["cpu", "bytes"]

[[handshake]]
client = ["rustls"]
server = ["openssl"]
kx = ["static-rsa"]
auth = ["rsa-2048", "rsa-4096"]
measure = ["cpu"]

[[transfer]]
stacks = ["rustls"]
kx = "x25519"
auth = "ecdsa-p256"
suite = ["TLS_AES_128_GCM_SHA256"]
record-size = [1024, 16384]

[[primitive]]
provider = ["aws-lc-rs"]
kx = ["MLKEM768"]
auth = ["ed25519"]
"#;

    fn parse(text: &str) -> Result<Matrix, MatrixError> {
        let stacks = ["rustls", "openssl"].map(|name| name.parse().unwrap());
        Matrix::parse(
            text,
            &stacks,
            &[NetworkName::memory(), NetworkName::loopback()],
        )
    }

    #[test]
    fn axes_multiply() {
        let matrix = parse(KX).unwrap();
        assert_eq!(matrix.subjects(Meter::Cpu).count(), 2 * 2 * 2 + 2);
        assert_eq!(matrix.subjects(Meter::Bytes).count(), 8);
        assert_eq!(matrix.subjects(Meter::Transfer).count(), 2);
        assert_eq!(matrix.subjects(Meter::Primitives).count(), 5);
        assert_eq!(matrix.budget.total(), 4.0);
        assert_eq!(matrix.budget.scaled_to(8.0).seconds(Meter::Cpu), 6.0);
    }

    #[test]
    fn filters_narrow_it() {
        let mut matrix = parse(KX).unwrap();
        matrix.retain(&["kx=X25519MLKEM768,stack=rustls".parse().unwrap()]);
        assert_eq!(matrix.cells.len(), 4);
        assert_eq!(matrix.budget.total(), 4.0);
        assert!(matrix.baseline.is_some());
    }

    #[test]
    fn faults_have_line_and_column() {
        let fault = |from: &str, to: &str| match parse(&KX.replacen(from, to, 1)) {
            Err(MatrixError::Value {
                line,
                column,
                reason,
            }) => (line, column, reason),
            other => panic!("{to}: {other:?}"),
        };
        let (line, column, reason) = fault("\"X25519MLKEM768\"", "\"X25519MLKEM769\"");
        assert_eq!((line, column), (10, 17));
        assert!(reason.contains("X25519MLKEM769"), "{reason}");
        let (line, _, reason) = fault("[\"rustls\", \"openssl\"]", "[\"rusttls\"]");
        assert_eq!(line, 9);
        assert!(reason.contains("pqlab list stacks"), "{reason}");
        let (line, column, reason) = fault(
            "kx = [\"static-rsa\"]",
            "kx = [\"static-rsa\"]\nversion = \"1.3\"",
        );
        assert_eq!((line, column), (18, 7));
        assert!(reason.contains("TLS 1.2"), "{reason}");
        let (line, _, reason) = fault("server = [\"openssl\"]", "");
        assert_eq!(line, 18);
        assert!(reason.contains("who talks to whom"), "{reason}");
        assert_eq!(fault("16384", "16385").0, 27);
        assert_eq!(fault("cpu = 3", "cpu = -3").0, 5);
    }

    #[test]
    fn syntax_faults_show_the_line() {
        for (from, to, shown) in [
            ("title", "titel", "line 1, column 1"),
            ("[seconds]", "[seconds", "line 4"),
            ("cpu = 3", "gpu = 3", "line 5"),
            (
                "measure = [\"cpu\", \"bytes\"]",
                "measure = [\"speed\"]",
                "line 13",
            ),
        ] {
            let error = parse(&KX.replacen(from, to, 1)).unwrap_err();
            assert!(matches!(error, MatrixError::Syntax(_)), "{to}: {error:?}");
            assert!(error.to_string().contains(shown), "{to}: {error}");
        }
    }
}

//! One checked handshake for every cell of a matrix.

use std::collections::HashMap;

use experiment::{Handshake, Matrix, Scenario};
use pki::{Cache, PkiError};
use stack::{Credentials, NoGauge, Pair, PairError, PhaseTiming};

/// What became of one cell.
#[derive(Debug)]
pub struct CellResult {
    /// The cell.
    pub scenario: Scenario,
    /// Completed and as asked for; or why not.
    pub result: Result<(), PairError>,
}

/// Performs each handshake of a matrix once, in memory, and checks what was negotiated
/// and that both sides export the same keying material.
///
/// # Errors
/// When certificates can't be made. A handshake that fails is a result.
pub fn verify_matrix(
    matrix: &Matrix,
    cache: &Cache,
    mut each: impl FnMut(&CellResult),
) -> Result<(), PkiError> {
    let mut seen: Vec<&Scenario> = Vec::new();
    let mut credentials = CredentialsCache::new(cache);
    for (_, subject) in &matrix.cells {
        let Some(scenario) = subject.scenario() else {
            continue;
        };
        if seen.contains(&scenario) {
            continue;
        }
        seen.push(scenario);
        let credentials = credentials.of(scenario.handshake())?;
        each(&CellResult {
            scenario: scenario.clone(),
            result: verify(scenario, credentials),
        });
    }
    Ok(())
}

fn verify(scenario: &Scenario, credentials: &Credentials) -> Result<(), PairError> {
    let mut pair = Pair::new(scenario, credentials, PhaseTiming::Off, stack::by_name)?;
    pair.prepare()?;
    let established = pair.handshake(&mut NoGauge)?;
    established.verify(scenario.handshake())?;
    established.verify_exporters()
}

/// Credentials by handshake: reading and checking a chain takes longer than using it.
pub(crate) struct CredentialsCache<'c> {
    cache: &'c Cache,
    made: HashMap<String, Credentials>,
}

impl<'c> CredentialsCache<'c> {
    pub(crate) fn new(cache: &'c Cache) -> Self {
        Self {
            cache,
            made: HashMap::new(),
        }
    }

    pub(crate) fn of(&mut self, handshake: &Handshake) -> Result<&Credentials, PkiError> {
        let chains = (
            handshake.authentication(),
            handshake.client_authentication(),
        );
        let key = format!("{chains:?}");
        if !self.made.contains_key(&key) {
            let credentials = Credentials::for_handshake(handshake, self.cache)?;
            self.made.insert(key.clone(), credentials);
        }
        Ok(&self.made[&key])
    }
}

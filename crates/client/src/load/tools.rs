//! What the connections of one worker have in common.

use std::net::SocketAddr;
use std::time::Duration;

use mio::Registry;
use socket2::SockAddr;
use stack::Connection;
use wire::{MAX_RECORD, NamedGroup};

use super::failure::Failure;
use super::tally::Purpose;
use super::{Parting, Plan, WorkerEndpoints};
use crate::{ClientError, Stage};

/// Where they go, what they do there, and the memory in which they do it.
pub(super) struct Tools {
    pub(super) registry: Registry,
    pub(super) endpoints: WorkerEndpoints,
    pub(super) address: SocketAddr,
    pub(super) socket_address: SockAddr,
    pub(super) request: Option<Vec<u8>>,
    pub(super) parting: Parting,
    pub(super) expected_group: Option<NamedGroup>,
    pub(super) timeout: Duration,
    pub(super) input: Box<[u8]>,
    pub(super) output: Vec<u8>,
    pub(super) plaintext: Box<[u8]>,
}

/// Bytes taken from a socket at once: the longest flights of servers, with ML-DSA-87.
const INPUT: usize = 64 * 1024;
/// What one input may complete and bring: a library may hold a record but for its last byte.
const PLAINTEXT: usize = INPUT + MAX_RECORD;

impl Tools {
    pub(super) fn new(plan: &Plan, endpoints: WorkerEndpoints, registry: Registry) -> Self {
        Self {
            registry,
            endpoints,
            address: plan.address,
            socket_address: plan.address.into(),
            request: plan.request.clone(),
            parting: plan.parting,
            expected_group: plan.expected_group,
            timeout: plan.timeout,
            input: vec![0; INPUT].into(),
            output: Vec::with_capacity(INPUT),
            plaintext: vec![0; PLAINTEXT].into(),
        }
    }

    pub(super) fn connection(&self, purpose: Purpose) -> Result<Box<dyn Connection>, Failure> {
        let connection = match (purpose, &self.endpoints.resuming) {
            (Purpose::Resumed, Some(endpoint)) => endpoint.connection(),
            (Purpose::Ticket, Some(endpoint)) => endpoint.issuing_connection(),
            _ => self.endpoints.full.connection(),
        };
        connection.map_err(|error| ClientError::of_tls(Stage::Handshake, error).into())
    }

    pub(super) fn tickets(&self) -> usize {
        let resuming = self.endpoints.resuming.as_ref();
        resuming.map_or(0, |endpoint| endpoint.tickets())
    }
}

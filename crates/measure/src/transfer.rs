//! Bulk data from server to client through one connection.

use std::time::Instant;

use experiment::{Handshake, Metric, Subject, Transfer};
use stack::{Connection, Credentials, NoGauge, Pair, PhaseTiming, StackError};

use crate::visit::{Value, Visit, VisitError, nanoseconds};

/// Plaintext that is sent between two readings of the clock, in bytes.
const BATCH: usize = 64 * 1024;
/// Batches counted in one visit, after one that is not.
const COUNTED: usize = 8;

pub(crate) struct TransferVisit {
    subject: Subject,
    record: Vec<u8>,
    client: Box<dyn Connection>,
    server: Box<dyn Connection>,
    encrypted: Vec<u8>,
    received: Vec<u8>,
}

impl TransferVisit {
    pub(crate) fn new(transfer: &Transfer, credentials: &Credentials) -> Result<Self, VisitError> {
        let scenario = &transfer.scenario;
        let handshake: Handshake = *scenario.handshake();
        let mut pair = Pair::new(scenario, credentials, PhaseTiming::Off, stack::by_name)?;
        let established = pair.handshake(&mut NoGauge)?;
        established.verify(&handshake)?;
        let (client, server) = (established.client, established.server);
        Ok(Self {
            subject: Subject::Transfer(transfer.clone()),
            record: vec![0x5a; transfer.record_size.into()],
            client,
            server,
            encrypted: Vec::with_capacity(2 * BATCH),
            received: vec![0; 2 * BATCH],
        })
    }

    /// One batch; gives nanoseconds per record of sender and receiver.
    fn batch(&mut self) -> Result<(i64, i64), VisitError> {
        let records = (BATCH / self.record.len()).max(1);
        self.encrypted.clear();
        let start = Instant::now();
        for _ in 0..records {
            self.server.send(&self.record, &mut self.encrypted)?;
        }
        let sent = nanoseconds(start.elapsed());
        let start = Instant::now();
        let count = self.client.receive(&self.encrypted, &mut self.received)?;
        let received = nanoseconds(start.elapsed());
        if count != records * self.record.len() || self.received[..count].iter().any(|b| *b != 0x5a)
        {
            return Err(StackError::Library("the plaintext that arrived is another".into()).into());
        }
        let per_record = |time: i64| (time as f64 / records as f64).round() as i64;
        Ok((per_record(sent), per_record(received)))
    }
}

impl Visit for TransferVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        self.batch()?;
        for _ in 0..COUNTED {
            let (sent, received) = self.batch()?;
            values.push(Value::new(Metric::Send, sent));
            values.push(Value::new(Metric::Receive, received));
        }
        Ok(())
    }
}

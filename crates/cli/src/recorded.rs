//! A connection that was made, as a trace reads it: its bytes and its secrets.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use client::Inspection;
use experiment::{Phase, Side};
use stack::KeyLog;
use trace::{Capture, Flight};

/// The secrets of the connections of this program, as they become known.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<String>>);

impl Secrets {
    /// A key log that keeps each line here, and tells it to `also`.
    pub(crate) fn key_log(&self, also: impl Fn(&str) + Send + Sync + 'static) -> KeyLog {
        let lines = self.0.clone();
        KeyLog::new(move |line| {
            also(line);
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push_str(line);
            lines.push('\n');
        })
    }

    /// What was recorded, for a trace to read.
    ///
    /// # Errors
    /// When the TLS library logs what is no key log.
    pub(crate) fn capture(&self, title: String, inspection: &Inspection) -> Result<Capture> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Capture {
            title,
            flights: flights(inspection),
            key_log: trace::KeyLog::parse(&lines)?,
        })
    }
}

/// What was recorded, with the work of this side.
fn flights(inspection: &Inspection) -> Vec<Flight> {
    let mut work = inspection.recording.first_work;
    let mut flights = Vec::new();
    for piece in &inspection.recording.pieces {
        let sender = if piece.is_own {
            Side::Client
        } else {
            Side::Server
        };
        let mut flight = Flight::new(sender, piece.bytes.clone());
        flight.offset = Some(piece.at);
        if piece.is_own {
            flight.cpu = Some(std::mem::take(&mut work)).filter(|work| !work.is_zero());
        } else {
            work += piece.work;
        }
        flights.push(flight);
    }
    let has_hello_retry = inspection
        .established
        .as_ref()
        .is_some_and(|established| established.has_hello_retry);
    if !has_hello_retry {
        add_phases(&mut flights, inspection);
    }
    flights
}

/// The phases of a client are summed over the handshake: its key share is part of its first
/// flight, everything else of its last one. With a second ClientHello that is not so.
fn add_phases(flights: &mut [Flight], inspection: &Inspection) {
    for phase in Phase::ALL {
        let time = inspection.phases.time(Side::Client, phase);
        let mut own = flights.iter_mut().filter(|f| f.sender == Side::Client);
        let flight = match phase {
            Phase::GenerateShare => own.next(),
            _ => own.next_back(),
        };
        if let (Some(flight), false) = (flight, time.is_zero()) {
            flight.phases.push((phase, time));
        }
    }
}

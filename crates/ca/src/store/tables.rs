//! Tables of the database, and transactions on them.

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::{Duration, OffsetDateTime};

use crate::log::sha256;
use crate::{Authority, CaError, Event, Issued, LogEntry};

/// Numbers about the store: its format, and whether its keys are encrypted.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// The hash of the log's last entry.
pub(super) const HEAD: TableDefinition<'_, &str, &str> = TableDefinition::new("head");
/// Id to authority.
pub(super) const AUTHORITIES: TableDefinition<'_, &str, &[u8]> =
    TableDefinition::new("authorities");
/// Serial number to certificate.
pub(super) const ISSUED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("issued");
/// SHA-256 to certificate in DER.
pub(super) const CERTIFICATES: TableDefinition<'_, &str, &[u8]> =
    TableDefinition::new("certificates");
/// Sequence to entry.
pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

/// Clocks that are synchronised differ by less.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);
/// A store that nobody wrote to for longer is a reason to look at the clock.
const CLOCK_LEAP: Duration = Duration::days(366);
/// This program is not older: 2026-01-01.
const EARLIEST: i64 = 1_767_225_600;

/// A view of the store that does not change.
pub(crate) struct Reading(pub(super) ReadTransaction);

impl Reading {
    pub(crate) fn authorities(&self) -> Result<Vec<Authority>, CaError> {
        all(&self.0.open_table(AUTHORITIES)?, "authority")
    }

    pub(crate) fn authority(&self, id: &str) -> Result<Authority, CaError> {
        find_authority(&self.0.open_table(AUTHORITIES)?, id)
    }

    pub(crate) fn issued(&self) -> Result<Vec<Issued>, CaError> {
        all(&self.0.open_table(ISSUED)?, "certificate")
    }

    pub(crate) fn certificate(
        &self,
        fingerprint: &str,
    ) -> Result<CertificateDer<'static>, CaError> {
        find_certificate(&self.0.open_table(CERTIFICATES)?, fingerprint)
    }

    /// The authority's certificate and those above it without the root, and the root. An
    /// authority that is a root has an empty chain.
    pub(crate) fn chain_of_authority(&self, id: &str) -> Result<Chain, CaError> {
        let authorities = self.0.open_table(AUTHORITIES)?;
        let certificates = self.0.open_table(CERTIFICATES)?;
        chain_of_authority(&authorities, &certificates, id)
    }

    /// The hash of the entry that was written last.
    pub(super) fn log_head(&self) -> Result<Option<String>, CaError> {
        let table = self.0.open_table(HEAD)?;
        let head = table.get("log")?;
        Ok(head.map(|head| head.value().to_owned()))
    }

    /// Entries, each with the bytes that are stored.
    pub(crate) fn log(&self) -> Result<Vec<(LogEntry, Vec<u8>)>, CaError> {
        let mut entries = Vec::new();
        for row in self.0.open_table(LOG)?.iter()? {
            let (sequence, bytes) = row?;
            let what = format!("entry {} of the log", sequence.value());
            entries.push((decode(&what, bytes.value())?, bytes.value().to_vec()));
        }
        Ok(entries)
    }
}

/// Certificates below the root, and the root where it is known.
type Chain = (
    Vec<CertificateDer<'static>>,
    Option<CertificateDer<'static>>,
);

fn chain_of_authority(
    authorities: &impl ReadableTable<&'static str, &'static [u8]>,
    certificates: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Chain, CaError> {
    let mut chain = Vec::new();
    let mut next = find_authority(authorities, id)?;
    loop {
        let fingerprint = next.fingerprint.as_deref().ok_or(CaError::AuthorityState {
            id: next.id.clone(),
            state: next.state.label(),
            hint: "it has no certificate yet",
        })?;
        let certificate = find_certificate(certificates, fingerprint)?;
        if !next.is_subordinate {
            return Ok((chain, Some(certificate)));
        }
        chain.push(certificate);
        let Some(issuer) = &next.issuer else {
            for fingerprint in &next.outside_chain {
                chain.push(find_certificate(certificates, fingerprint)?);
            }
            let root = next.outside_root.as_deref();
            let root = root.map(|root| find_certificate(certificates, root));
            return Ok((chain, root.transpose()?));
        };
        next = find_authority(authorities, issuer)?;
    }
}

fn find_authority(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    id: &str,
) -> Result<Authority, CaError> {
    match table.get(id)? {
        Some(bytes) => decode(&format!("authority {id}"), bytes.value()),
        None => {
            let known: Vec<Authority> = all(table, "authority")?;
            let known: Vec<_> = known.into_iter().map(|authority| authority.id).collect();
            Err(CaError::UnknownAuthority {
                id: id.to_owned(),
                known: known.join(", "),
            })
        }
    }
}

fn find_certificate(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    fingerprint: &str,
) -> Result<CertificateDer<'static>, CaError> {
    let found = table.get(fingerprint)?;
    let der =
        found.ok_or_else(|| CaError::damaged(format!("certificate {fingerprint}"), "gone"))?;
    Ok(der.value().to_vec().into())
}

fn all<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    what: &str,
) -> Result<Vec<T>, CaError> {
    let mut found = Vec::new();
    for row in table.iter()? {
        let (key, bytes) = row?;
        found.push(decode(&format!("{what} {}", key.value()), bytes.value())?);
    }
    Ok(found)
}

pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, CaError> {
    serde_json::from_slice(bytes).map_err(|error| CaError::damaged(what, error))
}

pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>, CaError> {
    serde_json::to_vec(value).map_err(|error| CaError::damaged("a new entry", error))
}

/// A transaction that may change the store.
pub(crate) struct Writing {
    pub(super) transaction: WriteTransaction,
    pub(super) now: OffsetDateTime,
}

impl Writing {
    pub(crate) fn authorities(&self) -> Result<Vec<Authority>, CaError> {
        all(&self.transaction.open_table(AUTHORITIES)?, "authority")
    }

    pub(crate) fn authority(&self, id: &str) -> Result<Authority, CaError> {
        find_authority(&self.transaction.open_table(AUTHORITIES)?, id)
    }

    pub(crate) fn put_authority(&self, authority: &Authority) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(AUTHORITIES)?;
        table.insert(authority.id.as_str(), encode(authority)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn issued(&self, serial: &str) -> Result<Issued, CaError> {
        let table = self.transaction.open_table(ISSUED)?;
        let found = table.get(serial)?;
        let bytes = found.ok_or_else(|| CaError::UnknownCertificate(serial.to_owned()))?;
        decode(&format!("certificate {serial}"), bytes.value())
    }

    pub(crate) fn all_issued(&self) -> Result<Vec<Issued>, CaError> {
        all(&self.transaction.open_table(ISSUED)?, "certificate")
    }

    pub(crate) fn put_issued(&self, issued: &Issued) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(ISSUED)?;
        table.insert(issued.serial.as_str(), encode(issued)?.as_slice())?;
        Ok(())
    }

    pub(crate) fn certificate(
        &self,
        fingerprint: &str,
    ) -> Result<CertificateDer<'static>, CaError> {
        find_certificate(&self.transaction.open_table(CERTIFICATES)?, fingerprint)
    }

    /// Keeps a certificate and gives its SHA-256.
    pub(crate) fn put_certificate(&self, der: &CertificateDer<'_>) -> Result<String, CaError> {
        let fingerprint = sha256(der);
        let mut table = self.transaction.open_table(CERTIFICATES)?;
        table.insert(fingerprint.as_str(), der.as_ref())?;
        Ok(fingerprint)
    }

    /// Keeps what is known of a certificate that was signed, and notes it.
    pub(crate) fn record(&self, issued: &Issued) -> Result<(), CaError> {
        let table = self.transaction.open_table(ISSUED)?;
        if table.get(issued.serial.as_str())?.is_some() {
            // One in 2^134: something is wrong with the random numbers.
            return Err(CaError::Random);
        }
        drop(table);
        self.put_issued(issued)?;
        self.note(Event::Issued {
            authority: issued.authority.clone(),
            serial: issued.serial.clone(),
            kind: issued.kind.name().to_owned(),
            names: issued.names.iter().map(ToString::to_string).collect(),
            fingerprint: issued.fingerprint.clone(),
        })
    }

    /// Appends to the log.
    pub(crate) fn note(&self, event: Event) -> Result<(), CaError> {
        let mut table = self.transaction.open_table(LOG)?;
        let (sequence, previous) = match table.last()? {
            Some((sequence, bytes)) => (sequence.value(), sha256(bytes.value())),
            None => (0, sha256(&[])),
        };
        let entry = LogEntry {
            sequence: sequence + 1,
            at: self.now,
            event,
            previous,
        };
        let bytes = encode(&entry)?;
        table.insert(entry.sequence, bytes.as_slice())?;
        let mut head = self.transaction.open_table(HEAD)?;
        head.insert("log", sha256(&bytes).as_str())?;
        Ok(())
    }

    /// What is signed under a wrong clock would be valid in another time. One that is behind
    /// the log contradicts it; one that is far beyond it may be right.
    pub(super) fn check_clock(&self, is_accepted: bool) -> Result<(), CaError> {
        let wrong = |what, then| CaError::Clock {
            now: self.now,
            what,
            then,
        };
        let earliest = OffsetDateTime::from_unix_timestamp(EARLIEST);
        let earliest = earliest.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        if self.now < earliest {
            return Err(wrong("this program", earliest));
        }
        let last = {
            let table = self.transaction.open_table(LOG)?;
            let Some((_, bytes)) = table.last()? else {
                return Ok(());
            };
            let last: LogEntry = decode("the last entry of the log", bytes.value())?;
            last.at
        };
        let is_behind = self.now + CLOCK_TOLERANCE < last;
        if !is_behind && self.now - last < CLOCK_LEAP {
            return Ok(());
        }
        if !is_accepted {
            return Err(wrong("the last entry of the log", last));
        }
        self.note(Event::ClockAccepted {
            last: last.to_string(),
        })
    }
}

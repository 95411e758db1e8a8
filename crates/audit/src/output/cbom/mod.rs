//! A cryptography bill of materials: CycloneDX 1.6 and 1.7 (ECMA-424).
//!
//! Only what was seen is in it. An answer that is unknown is no asset: the service that owes
//! it stands in `compositions` as incomplete, with the questions in its properties.

mod algorithms;
mod document;
mod material;
mod services;
mod ssh;
mod symmetric;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use time::OffsetDateTime;

use self::document::Document;
use crate::{Endpoint, Estate};

/// Versions of CycloneDX that know cryptographic assets in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CbomVersion {
    /// 1.6 has no field for named groups: they are algorithms that the protocol refers to.
    V1_6,
    /// 1.7 has named groups, families of algorithms, curves from a list, and fingerprints.
    V1_7,
}

impl CbomVersion {
    /// As `specVersion` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

impl fmt::Display for CbomVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The bill of materials of what scans and inventories saw.
///
/// The same estate and the same `now` give the same document, whatever the order in which
/// endpoints were scanned; of an endpoint that was scanned twice the later scan counts. The
/// `serialNumber` follows from the content. A caller that numbers its documents replaces it.
pub fn cbom(estate: &Estate, version: CbomVersion, now: OffsetDateTime) -> Value {
    let mut document = Document::new(version);
    let mut latest: BTreeMap<_, &Endpoint> = BTreeMap::new();
    for endpoint in &estate.endpoints {
        let same = latest
            .entry((&endpoint.target, endpoint.address))
            .or_insert(endpoint);
        if same.scanned <= endpoint.scanned {
            *same = endpoint;
        }
    }
    for endpoint in latest.into_values() {
        document.add_endpoint(endpoint);
    }
    if let Some(inventory) = &estate.inventory {
        document.add_inventory(inventory);
    }
    document.finish(now)
}

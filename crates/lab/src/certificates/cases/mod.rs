//! Every case, one file for each group of faults.

mod algorithms;
mod clients;
mod names;
mod paths;
mod post_quantum;
mod revocation;
mod time;
mod usage;

use super::case::Case;

/// Every case, related ones next to each other; the first is a control without fault.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let groups = [
        time::CASES,
        names::CASES,
        paths::CASES,
        usage::CASES,
        algorithms::CASES,
        post_quantum::CASES,
        clients::CASES,
        revocation::CASES,
    ];
    groups.into_iter().flatten()
}

//! Algorithms against policies, and where these disagree.

use std::collections::BTreeSet;

use time::Date;
use wire::NamedGroup;

use crate::{
    Algorithm, Conflict, Limit, Matrix, MatrixRow, Policy, Profile, Role, RuleVerdict, Usage,
    Verdict,
};

/// Algorithms that stand in every matrix, since a migration chooses among them.
fn choices() -> impl Iterator<Item = (Role, Algorithm)> {
    let groups = [
        NamedGroup::X25519,
        NamedGroup::SECP256R1,
        NamedGroup::SECP384R1,
        NamedGroup::X25519MLKEM768,
        NamedGroup::SECP256R1MLKEM768,
        NamedGroup::SECP384R1MLKEM1024,
        NamedGroup::MLKEM768,
        NamedGroup::MLKEM1024,
    ];
    let signatures = [
        Algorithm::Rsa(2048),
        Algorithm::Rsa(3072),
        Algorithm::Ec(crate::Curve::P256),
        Algorithm::MlDsa(44),
        Algorithm::MlDsa(65),
        Algorithm::MlDsa(87),
    ];
    let groups = groups.into_iter().map(Algorithm::of_group);
    groups
        .map(|algorithm| (Role::KeyEstablishment, algorithm))
        .chain(signatures.map(|algorithm| (Role::Signature, algorithm)))
}

/// The matrix for subjects that have the tags of all.
pub(crate) fn matrix(uses: &[Usage], policies: &[Policy], profile: &Profile, at: Date) -> Matrix {
    let used: BTreeSet<(Role, Algorithm)> = uses
        .iter()
        .filter(|usage| usage.not_observed.is_none())
        .filter_map(|usage| Some((usage.role?, usage.algorithm.clone())))
        .collect();
    let mut keys: BTreeSet<(Role, Algorithm)> = used.clone();
    keys.extend(choices());
    let rows = keys.into_iter().map(|(role, algorithm)| {
        let cell = |policy: &Policy| policy.verdict(Some(role), &algorithm, &profile.tags, at);
        MatrixRow {
            role,
            cells: policies.iter().map(cell).collect(),
            in_use: used.contains(&(role, algorithm.clone())),
            algorithm,
        }
    });
    Matrix {
        policies: policies
            .iter()
            .map(|policy| policy.header.id.clone())
            .collect(),
        rows: rows.collect(),
    }
}

/// The rows to which some policy agrees for good, and another does not.
pub(crate) fn conflicts(matrix: &Matrix) -> Vec<Conflict> {
    matrix.rows.iter().filter_map(conflict).collect()
}

fn conflict(row: &MatrixRow) -> Option<Conflict> {
    let mut conforms = Vec::new();
    let mut limited = Vec::new();
    let mut violates = Vec::new();
    for RuleVerdict {
        policy, verdict, ..
    } in row.cells.iter().flatten()
    {
        let policy = policy.clone();
        match verdict {
            Verdict::Conforms => conforms.push(policy),
            Verdict::WillViolate { from } => limited.push(Limit {
                policy,
                from: *from,
            }),
            Verdict::Violates { .. } => violates.push(policy),
            Verdict::NotObserved { .. } => {}
        }
    }
    if conforms.is_empty() || limited.is_empty() && violates.is_empty() {
        return None;
    }
    let mut text = format!(
        "{} ({}) conforms to {}",
        row.algorithm,
        row.role,
        conforms.join(", ")
    );
    for Limit { policy, from } in &limited {
        text.push_str(&format!("; until {from} to {policy}"));
    }
    if !violates.is_empty() {
        text.push_str(&format!("; and not to {}", violates.join(", ")));
    }
    Some(Conflict {
        role: row.role,
        algorithm: row.algorithm.clone(),
        conforms,
        limited,
        violates,
        text,
    })
}

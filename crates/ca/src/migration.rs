//! The way of a classical hierarchy to ML-DSA, with both served on the way.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::bundle::quote;
use crate::{Authority, AuthorityState, CaError, Issued, Kind, Store};

/// What there is, what it becomes, and the steps between.
#[derive(Debug, Clone)]
pub struct MigrationPlan {
    /// The authorities of the old hierarchy, the root first.
    pub from: Vec<Authority>,
    /// The authorities of the new algorithm, the root first; empty if there are none yet.
    pub to: Vec<Authority>,
    /// The new algorithm.
    pub algorithm: SignatureAlgorithm,
    /// Figures of the store.
    pub figures: Figures,
    /// In this order.
    pub steps: Vec<Step>,
}

/// What a plan is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Valid certificates of servers under the old hierarchy.
    pub servers: usize,
    /// Those of them that have a twin of the new algorithm.
    pub servers_with_twin: usize,
    /// Valid certificates of clients under the old hierarchy.
    pub clients: usize,
    /// When the last of all these ends; `None` without any.
    pub last_end: Option<OffsetDateTime>,
    /// When the old root ends.
    pub root_end: OffsetDateTime,
    /// Bytes of what a server sends of its chain today: of the newest certificate, or, without
    /// one, as calculated.
    pub old_chain: usize,
    /// The same with the new algorithm.
    pub new_chain: usize,
    /// Whether the two were taken from certificates of the store; otherwise they are sums of
    /// keys and signatures with what the old certificates hold beside them.
    pub is_new_chain_measured: bool,
}

/// One step. The next one begins when this one is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub title: String,
    /// Why, and why now.
    pub why: String,
    /// What is typed.
    pub commands: Vec<String>,
    /// How one sees that it is done.
    pub done_when: String,
    /// How it is taken back.
    pub undo: String,
    /// Whether the store shows that it is done.
    pub is_done: bool,
}

/// Names, dates and extensions of a certificate, where there is none to measure: what the
/// certificates of this program have beside key and signature, in bytes.
const BESIDE: usize = 330;

impl Store {
    /// Plans the way of a hierarchy to another algorithm.
    ///
    /// # Errors
    /// When `from` is no root of this store, has no certificate, or is as strong already.
    pub fn migration_plan(
        &self,
        from: &str,
        algorithm: SignatureAlgorithm,
        now: OffsetDateTime,
    ) -> Result<MigrationPlan, CaError> {
        let all = self.authorities()?;
        let root = self.authority(from)?;
        let wrong = |why| CaError::Migration {
            id: from.to_owned(),
            why,
        };
        if root.is_subordinate {
            return Err(wrong(
                "a migration begins at a root, and this is an intermediate",
            ));
        }
        if root.algorithm.facts().post_quantum || !algorithm.facts().post_quantum {
            return Err(wrong("the way leads from a classical root to ML-DSA"));
        }
        let below = family(&all, &root);
        let new_root = all.iter().find(|a| {
            !a.is_subordinate && a.algorithm == algorithm && a.state == AuthorityState::Active
        });
        let to = new_root.map_or_else(Vec::new, |root| family(&all, root));
        let issued = self.issued()?;
        let figures = self.figures(&below, &to, algorithm, &issued, now)?;
        let steps = steps(&below, &to, algorithm, &figures, &issued, now);
        Ok(MigrationPlan {
            from: below,
            to,
            algorithm,
            figures,
            steps,
        })
    }

    fn figures(
        &self,
        from: &[Authority],
        to: &[Authority],
        algorithm: SignatureAlgorithm,
        issued: &[Issued],
        now: OffsetDateTime,
    ) -> Result<Figures, CaError> {
        let valid: Vec<&Issued> = of_family(issued, from)
            .filter(|issued| is_valid(issued, now))
            .collect();
        let (servers, clients): (Vec<&Issued>, Vec<&Issued>) =
            valid.iter().partition(|issued| issued.kind == Kind::Server);
        let clients = clients.iter().filter(|issued| issued.kind == Kind::Client);
        let with_twin = servers.iter().filter(|old| has_twin(old, issued, to, now));
        let fingerprint = from[0].fingerprint.as_deref().unwrap_or_default();
        let root = self.certificate(fingerprint)?;
        let root = pki::Certificate::from_der(&root)
            .map_err(|error| CaError::damaged("the root's certificate", error))?;
        let old = self.chain_bytes(issued, from)?;
        let old_chain = old.unwrap_or_else(|| calculated(from[0].algorithm, from.len()));
        let new = self.chain_bytes(issued, to)?;
        let levels = from.len();
        Ok(Figures {
            servers: servers.len(),
            servers_with_twin: with_twin.count(),
            clients: clients.count(),
            last_end: valid
                .iter()
                .filter(|issued| issued.kind != Kind::Authority)
                .map(|issued| issued.not_after)
                .max(),
            root_end: root.not_after,
            old_chain,
            new_chain: new.unwrap_or_else(|| calculated(algorithm, levels)),
            is_new_chain_measured: new.is_some(),
        })
    }

    /// What the newest server of a family sends.
    fn chain_bytes(
        &self,
        issued: &[Issued],
        family: &[Authority],
    ) -> Result<Option<usize>, CaError> {
        let is_own = |issued: &&Issued| {
            let same = family.first().map(|root| root.algorithm);
            issued.kind == Kind::Server && Some(issued.algorithm) == same
        };
        match of_family(issued, family).filter(is_own).last() {
            Some(newest) => {
                let chain = self.chain(newest)?;
                Ok(Some(chain.iter().map(|der| der.len()).sum()))
            }
            None => Ok(None),
        }
    }
}

/// A root and everything below it, the root first.
fn family(all: &[Authority], root: &Authority) -> Vec<Authority> {
    let mut family = vec![root.clone()];
    let mut at = 0;
    while at < family.len() {
        let id = family[at].id.clone();
        let below = all.iter().filter(|a| a.issuer.as_ref() == Some(&id));
        family.extend(below.cloned());
        at += 1;
    }
    family
}

fn all_of(family: &[Authority]) -> BTreeSet<&str> {
    family
        .iter()
        .map(|authority| authority.id.as_str())
        .collect()
}

fn of_family<'a>(
    issued: &'a [Issued],
    family: &'a [Authority],
) -> impl Iterator<Item = &'a Issued> {
    let ids = all_of(family);
    issued
        .iter()
        .filter(move |issued| ids.contains(issued.authority.as_str()))
}

fn is_valid(issued: &Issued, now: OffsetDateTime) -> bool {
    issued.revocation.is_none() && issued.not_after > now
}

/// Whether the new hierarchy has a certificate for the same side and names.
fn has_twin(old: &Issued, issued: &[Issued], to: &[Authority], now: OffsetDateTime) -> bool {
    let names = |issued: &Issued| -> BTreeSet<String> {
        issued.names.iter().map(ToString::to_string).collect()
    };
    of_family(issued, to).any(|new| {
        let is_strong = new.algorithm.facts().post_quantum;
        new.kind == old.kind && is_strong && names(new) == names(old) && is_valid(new, now)
    })
}

/// What a server sends: one certificate for each level but the root's.
fn calculated(algorithm: SignatureAlgorithm, levels: usize) -> usize {
    let facts = algorithm.facts();
    let one = usize::from(facts.public_key) + usize::from(facts.signature) + BESIDE;
    one * levels.max(1)
}

fn steps(
    from: &[Authority],
    to: &[Authority],
    algorithm: SignatureAlgorithm,
    figures: &Figures,
    issued: &[Issued],
    now: OffsetDateTime,
) -> Vec<Step> {
    let old = &from[0];
    let active = from.iter().filter(|a| a.state == AuthorityState::Active);
    let issuers: Vec<String> = match from {
        [root] => vec![root.id.clone()],
        [_, below @ ..] => below.iter().map(|a| a.id.clone()).collect(),
        [] => Vec::new(),
    };
    let issuers: Vec<String> = active
        .map(|a| a.id.clone())
        .filter(|id| issuers.contains(id))
        .collect();
    let new_issuer = last_id(to);
    let new_issuer = new_issuer.unwrap_or_else(|| format!("issuing-{algorithm}"));
    let new_root = to.first().map(|root| root.id.clone());
    let new_root = new_root.unwrap_or_else(|| format!("root-{algorithm}"));
    let mut steps = vec![
        Step {
            title: format!("Make the {algorithm} hierarchy beside the old one"),
            why: format!(
                "A root takes longest to reach every client, so it comes first. Nothing that \
                 {} issued changes.",
                old.id
            ),
            commands: vec![init(old, algorithm)],
            done_when: format!("`pqlab ca list authorities` shows {new_root} ACTIVE"),
            undo: "nobody trusts it yet: leave it, or disable it".to_owned(),
            is_done: to.last().is_some_and(|a| a.state == AuthorityState::Active),
        },
        Step {
            title: "Distribute the new root beside the old one".to_owned(),
            why: "A client that has the new root and no ML-DSA is not harmed by it; one that \
                  has ML-DSA and lacks the root would refuse the server in the next step."
                .to_owned(),
            commands: vec![format!(
                "pqlab ca bundle --authority {} --authority {new_root}",
                old.id
            )],
            done_when: "every trust store that you manage lists both roots".to_owned(),
            undo: "take the new root out of the trust stores".to_owned(),
            is_done: false,
        },
    ];
    let left = |kind| -> Vec<&Issued> {
        of_family(issued, from)
            .filter(|i| i.kind == kind && is_valid(i, now) && !has_twin(i, issued, to, now))
            .collect()
    };
    let (servers, clients) = (left(Kind::Server), left(Kind::Client));
    let commands = issuing(&servers, algorithm, &new_issuer);
    steps.push(Step {
        title: format!(
            "Give each server a second certificate ({} of {} to do)",
            servers.len(),
            figures.servers
        ),
        why: format!(
            "A server with both shows {algorithm} to clients that offer it and the old one to \
             all others. To the former it sends {} bytes of chain and not {}; a first flight \
             beyond ten segments costs a round trip (RFC 6928).",
            figures.new_chain, figures.old_chain
        ),
        commands,
        done_when: "each server of the old hierarchy has a twin in the new one".to_owned(),
        undo: "revoke the twin; the old certificate was never touched".to_owned(),
        is_done: figures.servers > 0 && servers.is_empty(),
    });
    steps.push(Step {
        title: "Serve both, with hybrid key exchange".to_owned(),
        why: "The key exchange is what protects recorded traffic, and needs no certificate: \
              it can go first. Signatures count only once a quantum computer exists."
            .to_owned(),
        commands: vec![
            "pqlab serve --cert NEW.pem --key NEW-key.pem --cert OLD.pem --key OLD-key.pem \
             --metrics 127.0.0.1:9090"
                .to_owned(),
            "pqlab connect HOST:PORT --ca trust/roots.pem".to_owned(),
            "pqlab connect HOST:PORT --ca trust/roots.pem --groups X25519 --tls 1.2".to_owned(),
        ],
        done_when: "the first connection says ML-DSA and X25519MLKEM768, the second the old \
                    algorithm, and both are trusted"
            .to_owned(),
        undo: "take the new --cert and --key away and restart".to_owned(),
        is_done: false,
    });
    steps.push(Step {
        title: format!(
            "Give clients of mutual TLS their second certificate ({} of {} to do)",
            clients.len(),
            figures.clients
        ),
        why: "A server asks for both kinds; an old client answers with what it has. Both roots \
              stand in the server's trust store until the last client has moved."
            .to_owned(),
        commands: [
            issuing(&clients, algorithm, &new_issuer),
            vec!["pqlab ca crl --out lists.pem".to_owned()],
        ]
        .concat(),
        done_when: "the server's log and metrics show no client with the old algorithm".to_owned(),
        undo: "the client goes back to its old certificate, which stays valid".to_owned(),
        is_done: false,
    });
    let disable = issuers.iter().map(|id| format!("pqlab ca disable {id}"));
    steps.push(Step {
        title: "Stop issuing from the old hierarchy".to_owned(),
        why: "From here on it only runs out. Its revocation lists are still signed.".to_owned(),
        commands: disable.collect(),
        done_when: "`pqlab ca list authorities` shows it DISABLED".to_owned(),
        undo: "`pqlab ca enable` lets it issue again".to_owned(),
        is_done: from.iter().all(|a| !issuers.contains(&a.id)),
    });
    let end = figures.last_end.map_or_else(
        || "there is no valid certificate under it now".to_owned(),
        |end| format!("the last certificate under it ends on {}", end.date()),
    );
    steps.push(Step {
        title: "Take the old root out of the trust stores".to_owned(),
        why: format!(
            "As long as a client trusts it, who breaks its key can impersonate every server to \
             that client, whatever the server shows: {end}, and the root itself on {}.",
            figures.root_end.date()
        ),
        commands: vec![format!("pqlab ca bundle --authority {new_root}")],
        done_when: "no trust store that you manage lists the old root".to_owned(),
        undo: "put it back: it stays in the store".to_owned(),
        is_done: false,
    });
    steps
}

/// One command for each set of names. Where the key is not of this store, its owner makes
/// another one.
fn issuing(old: &[&Issued], algorithm: SignatureAlgorithm, issuer: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for issued in old {
        let names = issued.names.iter().map(|name| quote(&name.to_string()));
        let names = names.collect::<Vec<_>>().join(" ");
        let client = match issued.kind {
            Kind::Client => " --client",
            Kind::Server | Kind::Authority => "",
        };
        let command = match issued.has_key {
            true => format!(
                "pqlab ca issue {names}{client} --algorithm {algorithm} --authority {issuer} --out {algorithm}"
            ),
            false => format!(
                "pqlab ca sign NEW-REQUEST.pem{client} --authority {issuer}  # by the owner of {names}"
            ),
        };
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    commands
}

/// The new hierarchy has the limits of the old one.
fn init(old: &Authority, algorithm: SignatureAlgorithm) -> String {
    let permit = old
        .permitted_dns
        .iter()
        .map(|d| format!(" --permit-dns {d}"));
    let permit: String = permit.collect();
    format!("pqlab ca init --add --algorithm {algorithm}{permit}")
}

/// The authority of a family that issues to end entities: the deepest.
fn last_id(family: &[Authority]) -> Option<String> {
    family.last().map(|authority| authority.id.clone())
}

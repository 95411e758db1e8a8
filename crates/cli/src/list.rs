//! `pqlab list`

use anyhow::Result;
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use experiment::{Handshake, KeyExchange, Scenario, Side};
use stack::STACKS;
use wire::{ChainAlgorithms, GroupKind, GroupStatus, NamedGroup, NistCategory, SignatureAlgorithm};

use crate::Ending;
use crate::matrices::{Preset, Selection};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What to list.
    what: What,

    #[command(flatten)]
    selection: Selection,

    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// TLS libraries, their versions, and what to know before using them.
    Stacks,
    /// Key exchange groups, and which stack has which.
    Groups,
    /// Certificate algorithms.
    Auth,
    /// What can lie between client and server.
    Networks,
    /// Every handshake of a matrix (the whole one), and why a stack can't do it.
    Scenarios,
    /// What `pqlab assess` judges by: status, date, and how sure it is.
    Policies,
}

/// A table of text, and the same as JSON.
struct Listing {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let listing = match arguments.what {
        What::Stacks => stacks(),
        What::Groups => groups(),
        What::Auth => auth(),
        What::Networks => networks(),
        What::Scenarios => scenarios(arguments.selection)?,
        What::Policies => policies(),
    };
    if arguments.json {
        say!("{}", listing.json()?);
    } else {
        listing.print();
    }
    Ok(Ending::Good)
}

impl Listing {
    fn print(&self) {
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_header(&self.header)
            .add_rows(&self.rows);
        say!("{table}");
        for note in &self.notes {
            say!("\n{note}");
        }
    }

    fn json(&self) -> Result<String> {
        let object = |row: &Vec<String>| {
            let fields = self.header.iter().zip(row);
            fields
                .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
                .collect()
        };
        let rows: Vec<serde_json::Map<_, _>> = self.rows.iter().map(object).collect();
        Ok(serde_json::to_string_pretty(&rows)?)
    }
}

fn stacks() -> Listing {
    let built = STACKS.iter().map(|stack| {
        let library = stack.library();
        vec![
            library.name,
            library.version,
            library.caveat.unwrap_or_default(),
        ]
    });
    let left_out = stack::LEFT_OUT.iter().map(|(name, feature)| {
        let how = format!("not in this build: build with `--features {feature}`");
        vec![(*name).to_owned(), "-".to_owned(), how]
    });
    Listing {
        header: vec!["stack", "library", "note"],
        rows: built.chain(left_out).collect(),
        notes: Vec::new(),
    }
}

fn policies() -> Listing {
    let rows = audit::Policy::known().into_iter().map(|policy| {
        let header = policy.header;
        vec![
            header.id,
            header.status.to_string(),
            header.as_of.to_string(),
            header.confidence.to_string(),
            policy.rules.len().to_string(),
            header.title,
        ]
    });
    Listing {
        header: vec!["id", "status", "as of", "known from", "rules", "title"],
        rows: rows.collect(),
        notes: vec![
            "Confirm against the documents before you rely on it. A file of your own is named by \
             its path: see crates/audit/policies/example-organisation.toml."
                .to_owned(),
        ],
    }
}

fn groups() -> Listing {
    let mut rows = Vec::new();
    for facts in NamedGroup::known() {
        let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
        let group = KeyExchange::Group(facts.code_point);
        let handshake = Handshake::builder(group, chain).build();
        let has_it = |handshake: &Handshake| -> Vec<String> {
            let supports = |stack: &&&dyn stack::TlsStack| {
                Side::BOTH
                    .iter()
                    .all(|side| stack.supports(*side, handshake).is_ok())
            };
            STACKS
                .iter()
                .filter(supports)
                .map(|stack| stack.name().to_string())
                .collect()
        };
        rows.push(vec![
            facts.name.to_owned(),
            format!("0x{:04x}", facts.code_point.0),
            match facts.kind {
                GroupKind::Classical => "classical",
                GroupKind::PostQuantum => "post-quantum",
                GroupKind::Hybrid => "hybrid",
            }
            .to_owned(),
            match facts.nist_category {
                NistCategory::None => "-",
                NistCategory::One => "1",
                NistCategory::Three => "3",
                NistCategory::Five => "5",
            }
            .to_owned(),
            format!("{}/{}", facts.client_share, facts.server_share),
            match facts.status {
                GroupStatus::Standard => "standard",
                GroupStatus::Draft => "draft",
                GroupStatus::Obsolete => "obsolete",
                GroupStatus::Experimental => "experimental, private use",
            }
            .to_owned(),
            facts.reference.to_owned(),
            handshake.as_ref().map(has_it).unwrap_or_default().join(" "),
        ]);
    }
    Listing {
        header: vec![
            "group",
            "code point",
            "kind",
            "category",
            "share bytes up/down",
            "status",
            "reference",
            "stacks",
        ],
        rows,
        notes: vec![
            "static-rsa, which is no group: TLS 1.2 key transport under the certificate's key, \
             obsolete, without forward secrecy; openssl only."
                .to_owned(),
            "Groups of rustls-pqcrypto come from the pqcrypto family, which is unmaintained and \
             has security advisories: for measuring and interoperability, not for traffic."
                .to_owned(),
        ],
    }
}

fn auth() -> Listing {
    let rows = SignatureAlgorithm::ALL.map(|algorithm| {
        let facts = algorithm.facts();
        vec![
            facts.name.to_owned(),
            facts.scheme.to_string(),
            facts.certificate_scheme.to_string(),
            facts.public_key.to_string(),
            facts.signature.to_string(),
            if facts.post_quantum { "yes" } else { "no" }.to_owned(),
            facts.reference.to_owned(),
        ]
    });
    Listing {
        header: vec![
            "algorithm",
            "handshake scheme",
            "certificate scheme",
            "key bytes",
            "signature bytes",
            "post-quantum",
            "reference",
        ],
        rows: rows.to_vec(),
        notes: vec![
            "A chain is leaf and intermediate, with the root as trust anchor. Mixed chains are \
             written from the leaf upwards: ecdsa-p256+ml-dsa-65."
                .to_owned(),
        ],
    }
}

fn networks() -> Listing {
    let describe = |name: &str| match name {
        "memory" => "flights handed over in memory: CPU time, no waiting",
        "loopback" => "TCP over the loopback interface: what a client waits without a network",
        _ => "",
    };
    let row =
        |name: &experiment::NetworkName| vec![name.to_string(), describe(name.as_str()).to_owned()];
    let rows = measure::networks().iter().map(row).collect();
    Listing {
        header: vec!["network", "what it is"],
        rows,
        notes: Vec::new(),
    }
}

fn scenarios(selection: Selection) -> Result<Listing> {
    let matrix = selection.read(Preset::Full)?.matrix;
    let mut seen: Vec<&Scenario> = Vec::new();
    let mut rows = Vec::new();
    let mut unsupported = 0;
    for scenario in matrix
        .cells
        .iter()
        .filter_map(|(_, subject)| subject.scenario())
    {
        if seen.contains(&scenario) {
            continue;
        }
        seen.push(scenario);
        let reason = why_not(scenario);
        unsupported += usize::from(reason.is_some());
        rows.push(vec![
            scenario.to_string(),
            reason.unwrap_or_else(|| "supported".to_owned()),
        ]);
    }
    let total = rows.len();
    Ok(Listing {
        header: vec!["scenario", "support"],
        rows,
        notes: vec![format!(
            "{total} scenarios, {unsupported} of them unsupported"
        )],
    })
}

fn why_not(scenario: &Scenario) -> Option<String> {
    for (side, name) in [
        (Side::Client, scenario.client()),
        (Side::Server, scenario.server()),
    ] {
        let supported =
            stack::by_name(name).and_then(|stack| stack.supports(side, scenario.handshake()));
        if let Err(unsupported) = supported {
            return Some(unsupported.to_string());
        }
    }
    None
}

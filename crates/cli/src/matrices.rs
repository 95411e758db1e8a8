//! The matrices that come with pqlab, and those of the user.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use experiment::{Filter, Matrix};

use crate::bad_input;

const QUICK: &str = include_str!("../../../benches/definitions/quick.toml");
const DEFAULT: &str = include_str!("../../../benches/definitions/default.toml");
const FULL: &str = include_str!("../../../benches/definitions/full.toml");

/// Which handshakes are meant.
#[derive(Args)]
pub(crate) struct Selection {
    /// A matrix file (TOML); see benches/definitions for examples.
    #[arg(conflicts_with_all = ["quick", "full"])]
    pub(crate) matrix: Option<PathBuf>,

    /// A small matrix, measured in a minute.
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,

    /// The whole matrix, measured in forty minutes.
    #[arg(long)]
    pub(crate) full: bool,

    /// Only what matches: `kx=X25519MLKEM768|x25519,auth=ecdsa-p256`. Axes: client,
    /// server, stack, version, kx, auth, kind, mutual, tickets, suite, network, provider,
    /// operation. Without a matrix it selects from the whole one. May be given again: one
    /// of them must match.
    #[arg(long, value_name = "AXIS=VALUE,…")]
    pub(crate) filter: Vec<String>,
}

/// A matrix with its source.
pub(crate) struct Selected {
    pub(crate) matrix: Matrix,
    pub(crate) text: String,
    pub(crate) filters: Vec<String>,
}

impl Selection {
    /// Reads the matrix that is meant, or `otherwise` where nothing says which.
    pub(crate) fn read(self, otherwise: Preset) -> Result<Selected> {
        let text = match (&self.matrix, self.quick, self.full) {
            (Some(path), ..) => read(path).map_err(bad_input)?,
            (None, false, true) => FULL.to_owned(),
            // Who filters asks for something particular: it may stand in any matrix.
            (None, ..) if !self.filter.is_empty() => FULL.to_owned(),
            (None, true, _) => QUICK.to_owned(),
            (None, false, false) => otherwise.text().to_owned(),
        };
        let place = self
            .matrix
            .as_deref()
            .map_or("the built-in matrix".into(), Path::to_string_lossy);
        let mut matrix = measure::parse_matrix(&text)
            .with_context(|| format!("in {place}"))
            .map_err(bad_input)?;
        let filters: Vec<Filter> = self
            .filter
            .iter()
            .map(|filter| filter.parse().map_err(bad_input))
            .collect::<Result<_>>()?;
        if !filters.is_empty() {
            let budget = if self.quick {
                Preset::Quick
            } else {
                Preset::Default
            };
            let is_built_in = self.matrix.is_none();
            matrix.retain(&filters);
            if is_built_in {
                // The time is that of the matrix asked for, not of the one selected from.
                let total = measure::parse_matrix(budget.text()).map(|m| m.budget.total());
                matrix.budget = matrix.budget.scaled_to(total.map_err(bad_input)?);
            }
        }
        if matrix.cells.is_empty() {
            return Err(bad_input(anyhow::anyhow!(
                "nothing in {place} matches {}: see `pqlab list scenarios`",
                self.filter.join(" or ")
            )));
        }
        Ok(Selected {
            matrix,
            text,
            filters: self.filter,
        })
    }
}

/// The matrices that come with pqlab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preset {
    Quick,
    Default,
    Full,
}

impl Preset {
    const fn text(self) -> &'static str {
        match self {
            Self::Quick => QUICK,
            Self::Default => DEFAULT,
            Self::Full => FULL,
        }
    }
}

fn read(path: &Path) -> Result<String> {
    if path.is_dir() {
        bail!("{} is a folder: name a matrix file", path.display());
    }
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

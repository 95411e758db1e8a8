//! `pqlab schema`: the JSON Schemas of what is written.

use anyhow::Result;
use audit::output::{SchemaKind, schema};
use clap::{Args, ValueEnum};

use crate::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Of what.
    of: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A line of `pqlab scan --json`.
    Endpoint,
    /// `pqlab inventory --json`.
    Inventory,
    /// `pqlab assess --format json`.
    Assessment,
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    let kind = match arguments.of {
        Kind::Endpoint => SchemaKind::Endpoint,
        Kind::Inventory => SchemaKind::Inventory,
        Kind::Assessment => SchemaKind::Assessment,
    };
    say!("{}", schema(kind).trim_end());
    Ok(Ending::Good)
}

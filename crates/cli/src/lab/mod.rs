//! `pqlab lab`: experiments.

mod certs;
mod cross_cloud;
mod mitm;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::Ending;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    experiment: Experiment,
}

#[derive(Subcommand)]
enum Experiment {
    /// Offer every kind of bad certificate, and compare what rustls and OpenSSL say.
    Certs(certs::Arguments),
    /// Put an attacker between client and server.
    Mitm(mitm::Arguments),
    /// Speak mutual TLS between two clouds, across a transit.
    CrossCloud(cross_cloud::Arguments),
}

pub(crate) fn main(arguments: Arguments) -> Result<Ending> {
    match arguments.experiment {
        Experiment::Certs(arguments) => certs::main(arguments),
        Experiment::Mitm(arguments) => mitm::main(arguments),
        Experiment::CrossCloud(arguments) => cross_cloud::main(arguments),
    }
}

//! `pqlab ca migrate-plan`, `enable`, `disable`

use ::ca::{AuthorityState, MigrationPlan};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use wire::SignatureAlgorithm;

use super::{Options, fault, now, stamp};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

#[derive(Args)]
pub(super) struct MigratePlan {
    /// The root that is to be left.
    #[arg(value_name = "ID")]
    from: String,

    /// What the new hierarchy signs with.
    #[arg(long, default_value = "ml-dsa-65", value_name = "ALGORITHM")]
    to: SignatureAlgorithm,
}

pub(super) fn plan(options: &Options, arguments: &MigratePlan) -> Result<Ending> {
    let store = options.open()?;
    let plan = store.migration_plan(&arguments.from, arguments.to, now());
    let mut plan = plan.map_err(fault)?;
    for command in plan.steps.iter_mut().flat_map(|step| &mut step.commands) {
        if let Some(rest) = command.strip_prefix("pqlab ca ") {
            *command = options.command(rest);
        }
    }
    if options.json {
        say!("{:#}", json(&plan));
    } else {
        text(&plan);
    }
    Ok(Ending::Good)
}

fn json(plan: &MigrationPlan) -> serde_json::Value {
    let ids = |family: &[::ca::Authority]| -> Vec<String> {
        family
            .iter()
            .map(|authority| authority.id.clone())
            .collect()
    };
    let figures = &plan.figures;
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            json!({
                "title": step.title,
                "why": step.why,
                "commands": step.commands,
                "done_when": step.done_when,
                "undo": step.undo,
                "done": step.is_done,
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "tool_version": TOOL_VERSION,
        "from": ids(&plan.from),
        "to": ids(&plan.to),
        "algorithm": plan.algorithm.to_string(),
        "servers": figures.servers,
        "servers_with_twin": figures.servers_with_twin,
        "clients": figures.clients,
        "last_certificate_ends": figures.last_end.map(stamp),
        "old_root_ends": stamp(figures.root_end),
        "old_chain_bytes": figures.old_chain,
        "new_chain_bytes": figures.new_chain,
        "new_chain_is_measured": figures.is_new_chain_measured,
        "steps": steps,
    })
}

fn text(plan: &MigrationPlan) {
    let figures = &plan.figures;
    let old = &plan.from[0];
    say!("From {} ({}) to {}", old.id, old.algorithm, plan.algorithm);
    say!(
        "Valid certificates: servers {} (with a twin: {}), clients {}.",
        figures.servers,
        figures.servers_with_twin,
        figures.clients
    );
    let how = match figures.is_new_chain_measured {
        true => "measured",
        false => "calculated",
    };
    say!(
        "A server sends {} bytes of chain today, and {} with {} ({how}).",
        figures.old_chain,
        figures.new_chain,
        plan.algorithm
    );
    for (at, step) in (1..).zip(&plan.steps) {
        let done = if step.is_done { " (done)" } else { "" };
        say!("\n{at}. {}{done}", step.title);
        say!("   {}", step.why);
        for command in &step.commands {
            say!("     $ {command}");
        }
        say!("   Done when {}.", step.done_when);
        say!("   Back: {}.", step.undo);
    }
}

#[derive(Args)]
pub(super) struct Switch {
    /// The authority.
    #[arg(value_name = "ID")]
    authority: String,
}

pub(super) fn switch(
    options: &Options,
    arguments: &Switch,
    state: AuthorityState,
) -> Result<Ending> {
    let store = options.open()?;
    let authority = store.set_authority_state(&arguments.authority, state, now());
    let authority = authority.map_err(fault)?;
    if options.json {
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "authority": super::authority::json(&store, &authority),
        });
        say!("{json:#}");
    } else {
        say!("{} is {}.", authority.id, authority.state.label());
    }
    Ok(Ending::Good)
}

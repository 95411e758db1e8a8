//! `pqlab ca bundle`

use std::path::PathBuf;

use ::ca::TrustStore;
use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::export::replace;
use super::{Options, fault};
use crate::Ending;
use crate::output::{SCHEMA, TOOL_VERSION};

#[derive(Args)]
pub(super) struct Bundle {
    /// What is to trust the roots: curl, debian, redhat, java, node, go, python, windows,
    /// macos. Commands for all of them, if none is named.
    #[arg(long = "for", value_name = "PROGRAM")]
    stores: Vec<TrustStore>,

    /// The roots above these authorities; all, if none is named.
    #[arg(long, value_name = "ID")]
    authority: Vec<String>,

    /// The folder for roots.pem and a file for each root; files are replaced.
    #[arg(long, default_value = "trust", value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn bundle(options: &Options, arguments: &Bundle) -> Result<Ending> {
    let store = options.open()?;
    let mut roots = store.named_roots().map_err(fault)?;
    if !arguments.authority.is_empty() {
        let wanted: Result<Vec<_>, _> = arguments
            .authority
            .iter()
            .map(|id| store.root(id))
            .collect();
        let wanted = wanted.map_err(fault)?;
        roots.retain(|(_, root)| wanted.contains(root));
    }
    std::fs::create_dir_all(&arguments.out)?;
    let mut files = Vec::new();
    let mut has_ml_dsa = false;
    for (name, root) in &roots {
        let parsed = pki::Certificate::from_der(root)?;
        has_ml_dsa |= parsed.key.is_post_quantum;
        let path = arguments.out.join(format!("{name}.pem"));
        replace(&path, pki::certificate_pem(root).as_bytes())?;
        files.push((path, name, parsed));
    }
    for entry in std::fs::read_dir(&arguments.out)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_root = name.starts_with("root-") && name.ends_with(".pem");
        if is_root && !files.iter().any(|(written, ..)| *written == path) {
            eprintln!(
                "Still there from before, and not of these: {}",
                path.display()
            );
        }
    }
    let all = arguments.out.join("roots.pem");
    let text = roots.iter().map(|(_, root)| pki::certificate_pem(root));
    let text: String = text.collect();
    replace(&all, text.as_bytes())?;

    let stores = match arguments.stores.as_slice() {
        [] => TrustStore::ALL.to_vec(),
        named => named.to_vec(),
    };
    let mut sections = Vec::new();
    for target in stores {
        let mut commands = Vec::new();
        if target.takes_one_root() {
            for (path, name, _) in &files {
                commands.extend(target.commands(&path.display().to_string(), name));
            }
        } else {
            commands.extend(target.commands(&all.display().to_string(), "roots"));
        }
        // Several roots need one refresh.
        let last = commands.clone();
        let mut at = 0;
        commands.retain(|command| {
            at += 1;
            !last[at..].contains(command)
        });
        sections.push((target, commands));
    }
    if options.json {
        let sections: Vec<_> = sections
            .iter()
            .map(|(target, commands)| {
                let commands: Vec<_> = commands
                    .iter()
                    .map(|c| json!({"command": c.line, "remark": c.remark}))
                    .collect();
                json!({"for": target.name(), "ml_dsa": target.ml_dsa(), "commands": commands})
            })
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|(path, _, root)| {
                json!({"file": path, "subject": root.subject, "key": root.key.name})
            })
            .collect();
        let json = json!({
            "schema": SCHEMA,
            "tool_version": TOOL_VERSION,
            "bundle_file": all,
            "roots": files,
            "trust_stores": sections,
        });
        say!("{json:#}");
        return Ok(Ending::Good);
    }
    say!("{}: {} roots", all.display(), roots.len());
    for (path, _, root) in &files {
        say!("{}: {} ({})", path.display(), root.subject, root.key.name);
    }
    for (target, commands) in &sections {
        say!("\n{target}");
        for command in commands {
            say!("  {}", command.line);
            if !command.remark.is_empty() {
                say!("      {}", command.remark);
            }
        }
        if has_ml_dsa {
            say!("  ML-DSA: {}", target.ml_dsa());
        }
    }
    Ok(Ending::Good)
}

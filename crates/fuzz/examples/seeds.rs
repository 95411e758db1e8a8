//! Writes the seeds of a target into a folder: `seeds TARGET FOLDER`; `--list` names the
//! targets.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [list] if list == "--list" => {
            for target in fuzz::TARGETS {
                println!("{}", target.name);
            }
            ExitCode::SUCCESS
        }
        [name, folder] if fuzz::target(name).is_some() => {
            for (at, seed) in fuzz::seeds(name).iter().enumerate() {
                let path = Path::new(folder).join(format!("seed-{at}"));
                if let Err(error) = std::fs::write(&path, seed) {
                    eprintln!("seeds: {}: {error}", path.display());
                    return ExitCode::FAILURE;
                }
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: seeds TARGET FOLDER, or seeds --list");
            ExitCode::from(2)
        }
    }
}

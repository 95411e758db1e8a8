//! Writes a report of made-up numbers, to look at: `cargo run -p report --example demo -- DIR`.
//! With a folder of a real run as a second argument, that run is reported instead.

#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("name a folder to write the report into");
        return ExitCode::from(2);
    };
    let run = match arguments
        .next()
        .map(|run| experiment::Run::load(Path::new(&run)))
    {
        None => synthetic::run(300),
        Some(Ok(run)) => run,
        Some(Err(error)) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let written = std::fs::create_dir_all(&folder)
        .map_err(|error| error.to_string())
        .and_then(|()| {
            report::write_report(&run, Path::new(&folder)).map_err(|error| error.to_string())
        });
    match written {
        Ok(files) => {
            print!("{}", report::terminal_summary(&run));
            eprintln!("{} files in {folder}", files.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

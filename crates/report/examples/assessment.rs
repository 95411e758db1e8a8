//! Writes the page of a made-up estate, to look at:
//! `cargo run -p report --example assessment -- FILE`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/estate/mod.rs"]
mod estate;

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("name a file to write the page to");
        return ExitCode::from(2);
    };
    let estate = estate::estate();
    let assessment = estate::assessed(&estate, &audit::Profile::default());
    let page = report::render_assessment(&assessment, &estate.endpoints);
    let written = page
        .map_err(|error| error.to_string())
        .and_then(|page| std::fs::write(&file, page).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

//! What the proxies share: configurations from templates, and requests through them. As a
//! client, a proxy takes plain HTTP and forwards it over TLS.

use std::path::Path;

use anyhow::{Result, bail};

use crate::http::request;
use crate::party::{Run, patience};
use crate::process::{Process, Written};
use crate::terms::{ClientTerms, Seen, View};

/// Replaces `{name}` by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
}

/// For a template: peers take paths as text.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Requests `terms.path` through a proxy. An answer other than 200 means that it did not get
/// through; `refusal` finds the reason in what it wrote.
pub(crate) fn exchange(
    process: &Process,
    port: u16,
    terms: &ClientTerms,
    run: &Run,
    refusal: impl Fn(&Written) -> Option<String>,
) -> Result<Seen> {
    let (status, body) = request(port, terms.path, run)?;
    if status == 200 {
        return Ok(Seen::Agreed(View {
            // Its configuration says to verify the chain and the name.
            is_trusted: Some(true),
            body: Some(body),
            ..View::default()
        }));
    }
    match process.wait_for(patience(run), refusal) {
        Some(reason) => Ok(Seen::Refused(reason)),
        None => bail!("status {status}: {}", process.written().tail()),
    }
}

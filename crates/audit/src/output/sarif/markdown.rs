//! A finding as Markdown, with its remedy ready to copy.

use std::fmt::Write as _;

use crate::output::text::{typed, visible};
use crate::{Finding, Price};

/// The finding's title, what was seen, what rules say, and what to change.
///
/// Writing to a `String` can't fail.
pub(super) fn remedy_markdown(finding: &Finding) -> String {
    let mut markdown = format!("**{}**\n", inline(&finding.title));
    if !finding.evidence.is_empty() {
        markdown.push_str("\nSeen:\n\n");
    }
    for evidence in &finding.evidence {
        let _ = match &evidence.location {
            Some(location) => writeln!(
                markdown,
                "- {} ({})",
                inline(&evidence.text),
                inline(&location.to_string())
            ),
            None => writeln!(markdown, "- {}", inline(&evidence.text)),
        };
    }
    if !finding.verdicts.is_empty() {
        markdown
            .push_str("\n| policy | rule | status | confidence | says |\n|---|---|---|---|---|\n");
    }
    for verdict in &finding.verdicts {
        let rule = match &verdict.clause {
            Some(clause) => format!("{} ({clause})", verdict.text),
            None => verdict.text.clone(),
        };
        let _ = writeln!(
            markdown,
            "| {} | {} | {} | {} | {} |",
            inline(&verdict.policy),
            inline(&rule),
            verdict.status,
            verdict.confidence,
            inline(&verdict.verdict.to_string())
        );
    }
    if let Some(risk) = &finding.risk {
        let _ = writeln!(markdown, "\nRisk: {}", inline(&risk.text));
    }
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(markdown, "\nRemedy: {}", inline(&remedy.summary));
        for (index, step) in remedy.steps.iter().enumerate() {
            let before = if index == 0 { "\n" } else { "" };
            let _ = writeln!(markdown, "{before}{}. {}", index + 1, inline(step));
        }
        for edit in &remedy.edits {
            let place = match &edit.location {
                Some(location) => format!("{location}, {}", edit.context),
                None => edit.context.clone(),
            };
            let _ = writeln!(markdown, "\nIn {}:\n", inline(&place));
            markdown.push_str(&match &edit.diff {
                Some(diff) => fenced("diff", diff),
                None => fenced("", &edit.new),
            });
        }
        for source in &remedy.sources {
            let _ = writeln!(
                markdown,
                "\nSource ({}): {}",
                source.confidence,
                inline(&source.text)
            );
        }
    }
    match &finding.price {
        Some(Price::Measured(price)) => {
            let _ = writeln!(
                markdown,
                "\nEach handshake then costs {:+.1} µs on the client, {:+.1} µs on the server, \
                 {:+} bytes up and {:+} bytes down (run {}).",
                price.client.value,
                price.server.value,
                price.bytes_up,
                price.bytes_down,
                inline(&price.run)
            );
        }
        Some(Price::NotMeasured { reason }) => {
            let _ = writeln!(markdown, "\nCost not measured: {}", inline(reason));
        }
        None => {}
    }
    // Braces are placeholders in a message (SARIF section 3.11.5).
    markdown.replace('{', "{{").replace('}', "}}")
}

/// Text in which nothing is markup, link or mention.
fn inline(text: &str) -> String {
    let mut inline = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if "\\`*_[]<>#+!|~&@:=$^{}".contains(character) {
            inline.push('\\');
        }
        inline.push(character);
    }
    inline
}

/// A code block whose fence is longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<_> = text.lines().map(typed).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

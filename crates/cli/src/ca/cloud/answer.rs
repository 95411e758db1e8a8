//! Answers in the shapes of the AWS CLI.

use clap::ValueEnum;
use serde_json::Value;

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// An object.
    Json,
    /// What is in it, in lines with tabs.
    Text,
}

pub(super) fn print(form: Form, answer: &Value) {
    match form {
        Form::Json => say!("{answer:#}"),
        Form::Text => lines(None, answer, &mut |line| say!("{line}")),
    }
}

/// A line for each object: its name, and what is in it by the names of the fields; then those
/// within it.
fn lines(name: Option<&str>, value: &Value, write: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            let is_plain = |value: &&Value| !value.is_object() && !value.is_array();
            let title = name.map(str::to_uppercase);
            let plain = fields.values().filter(is_plain).map(text);
            let line: Vec<String> = title.into_iter().chain(plain).collect();
            if fields.values().any(|value| is_plain(&value)) {
                write(&line.join("\t"));
            }
            for (name, value) in fields.iter().filter(|(_, value)| !is_plain(value)) {
                lines(Some(name), value, write);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| lines(name, item, write)),
        plain => match name {
            Some(name) => write(&format!("{}\t{}", name.to_uppercase(), text(plain))),
            None => write(&text(plain)),
        },
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As the AWS CLI's text formatter has it: fields by name, nested ones on lines of their own.
    #[test]
    fn text_has_a_line_for_each_object() {
        let shown = |value: Value| {
            let mut shown = Vec::new();
            lines(None, &value, &mut |line| shown.push(line.to_owned()));
            shown
        };
        assert_eq!(shown(json!({"CertificateArn": "arn:x"})), ["arn:x"]);
        let nested = json!({"Certificate": {
            "Status": "ISSUED", "Names": ["a", "b"], "Arn": "arn:x", "Subject": {"CN": "n"},
        }});
        assert_eq!(
            shown(nested),
            [
                "CERTIFICATE\tarn:x\tISSUED",
                "NAMES\ta",
                "NAMES\tb",
                "SUBJECT\tn"
            ]
        );
        assert_eq!(shown(json!({"List": []})), [""; 0]);
    }
}

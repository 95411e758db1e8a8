//! Numbers and lists as words of a sentence.

use std::fmt::Display;

/// `1 endpoint`, `2 endpoints`.
pub(super) fn count(number: usize, one: &str, several: &str) -> String {
    let number_text = crate::number::count(number as f64);
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number_text} {several}"),
    }
}

/// The first of several names, and how many more there are.
pub(super) fn list<T: Display>(names: impl IntoIterator<Item = T>, most: usize) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let more = names.len().saturating_sub(most);
    names.truncate(most);
    match (names.pop(), names.is_empty(), more) {
        (None, ..) => String::new(),
        (Some(last), true, 0) => last,
        (Some(last), false, 0) => format!("{} and {last}", names.join(", ")),
        (Some(last), _, more) => {
            names.push(last);
            format!("{} and {more} more", names.join(", "))
        }
    }
}

/// `5.0`, or `5.0 to 10.0` where subjects differ.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values[..] {
        [] => String::new(),
        [first, .., last] if last - first > 0.05 => format!("{first:.1} to {last:.1}"),
        [first, ..] => format!("{first:.1}"),
    }
}

/// The text with a capital at its beginning.
pub(super) fn begin(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

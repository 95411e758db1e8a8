//! Lines and words of line-oriented configurations.

/// One logical line: continuations joined, its number that of its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) text: String,
}

/// The logical lines of a text in which a backslash at the end of a line continues it.
pub(super) fn continued_lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut is_open = false;
    for (number, text) in numbered(text) {
        // An even number of backslashes is so many escaped ones.
        let backslashes = text.len() - text.trim_end_matches('\\').len();
        let continues = backslashes % 2 == 1;
        let part = if continues {
            text.get(..text.len() - 1).unwrap_or_default()
        } else {
            text
        };
        match lines.last_mut() {
            Some(line) if is_open => line.text.push_str(part.trim_start()),
            _ => lines.push(Line {
                number,
                text: part.to_owned(),
            }),
        }
        is_open = continues;
    }
    lines
}

/// The physical lines with their numbers, from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}

/// A quotation that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unterminated;

/// The words of a line as shells part them: quotes of both kinds, a backslash before any
/// character, a comment after `#` at the beginning of a word.
pub(super) fn words(line: &str) -> Result<Vec<String>, Unterminated> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Unterminated);
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_as_shells_do() {
        assert_eq!(
            words("bind :443  ssl crt '/a b.pem' # end").unwrap(),
            ["bind", ":443", "ssl", "crt", "/a b.pem"]
        );
        assert_eq!(
            words(r#"a\ b "c \" d" e#f"#).unwrap(),
            ["a b", "c \" d", "e#f"]
        );
        assert_eq!(words("\"\"").unwrap(), [""]);
        assert_eq!(words("a 'b"), Err(Unterminated));
        assert_eq!(words("a \\").unwrap(), ["a", ""]);
    }

    #[test]
    fn continued_lines_keep_the_number_of_their_beginning() {
        let lines = continued_lines("a \\\n  b\nc\\\\\nd");
        let found: Vec<_> = lines
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        assert_eq!(found, [(1, "a b"), (3, "c\\\\"), (4, "d")]);
    }
}

//! Text of peers and files, made safe to show.
//!
//! Subjects, aliases, banners and paths are chosen by others. A control character can end a
//! line or drive a terminal, and a right-to-left override can make a name read as another.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with `\u{202e}` and the like in the place of what can't be seen.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_hidden(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], with tabs kept: for lines that are typed as they stand.
pub fn typed(line: &str) -> String {
    line.split('\t').map(visible).collect::<Vec<_>>().join("\t")
}

/// Control characters, what changes the direction of text (Unicode Standard Annex 9), line
/// separators, characters without width, and the two that no XML document may hold.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Text as a part of an identifier or of a URI (RFC 3986 section 2.1): what is neither
/// unreserved nor in `allowed` is percent-encoded.
pub(super) fn encoded(text: &str, allowed: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        let is_unreserved = byte.is_ascii_alphanumeric() || "-._~".contains(character);
        match is_unreserved || (byte.is_ascii() && allowed.contains(character)) {
            true => encoded.push(character),
            // Writing to a String can't fail.
            false => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

/// `text` in lower case if it is a SHA-256 in hexadecimal.
pub(super) fn sha256(text: &str) -> Option<String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}

/// `text` if it is a date and time as RFC 3339 writes it.
pub(super) fn date_time(text: &str) -> Option<&str> {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_is_escaped_and_the_rest_stays() {
        assert_eq!(visible("Zürich, 東京 \"CA\""), "Zürich, 東京 \"CA\"");
        assert_eq!(visible("a\nb\u{1b}[31m"), "a\\u{a}b\\u{1b}[31m");
        assert_eq!(visible("moc\u{202e}.elpmaxe"), "moc\\u{202e}.elpmaxe");
        assert_eq!(visible("\u{ffff}\u{0}"), "\\u{ffff}\\u{0}");
    }

    #[test]
    fn identifiers_hold_no_byte_that_a_uri_may_not() {
        assert_eq!(encoded("/etc/a b#1", "/"), "/etc/a%20b%231");
        assert_eq!(encoded("é", "/"), "%C3%A9");
    }
}

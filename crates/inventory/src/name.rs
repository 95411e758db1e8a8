//! Distinguished names as RFC 4514 writes them.

use std::fmt::Write as _;

use x509_parser::asn1_rs::{Any, Class, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::fingerprint::hex;

/// The names that RFC 4514 section 3 asks for, and those that people know from OpenSSL.
const ATTRIBUTES: [(&str, &str); 16] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.12", "title"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.97", "organizationIdentifier"),
];

/// A name in the order of RFC 4514 section 2.1: the last part first.
pub(crate) fn text(name: &X509Name<'_>) -> String {
    let mut relative: Vec<String> = name
        .iter_rdn()
        .map(|relative| relative.iter().map(attribute).collect::<Vec<_>>().join("+"))
        .collect();
    relative.reverse();
    relative.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let known = ATTRIBUTES.iter().find(|(known, _)| *known == oid);
    let value = attribute.attr_value();
    match (known, string(value)) {
        (Some((_, short)), Some(text)) => format!("{short}={}", escaped(&text)),
        // Section 2.4: the BER encoding where type or value have no string form.
        (known, _) => {
            let name = known.map_or(oid.as_str(), |(_, short)| *short);
            let encoding = value.to_der_vec().unwrap_or_default();
            format!("{name}=#{}", hex(&encoding))
        }
    }
}

/// The text of a DirectoryString or its like.
fn string(value: &Any<'_>) -> Option<String> {
    if value.class() != Class::Universal {
        return None;
    }
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => str::from_utf8(value.data).ok().map(str::to_owned),
        // What stands in these in practice is Latin-1.
        Tag::T61String => Some(value.data.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => Some(utf16(value.data)),
        _ => None,
    }
}

/// The text of a BMPString; what is no character in it is replaced.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// Section 2.4; control characters too, so that a name stays on its line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            ' ' if index == 0 || index == last => escaped.push_str("\\ "),
            '#' if index == 0 => escaped.push_str("\\#"),
            control if control.is_control() => {
                for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a String does not fail.
                    let _ = write!(escaped, "\\{byte:02X}");
                }
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_names_is_escaped() {
        assert_eq!(
            escaped("Example, Inc. + \"x\""),
            "Example\\, Inc. \\+ \\\"x\\\""
        );
        assert_eq!(escaped(" a "), "\\ a\\ ");
        assert_eq!(escaped("#a#"), "\\#a#");
        assert_eq!(escaped("a\nb\u{85}"), "a\\0Ab\\C2\\85");
        assert_eq!(escaped(""), "");
    }

    #[test]
    fn bmp_strings_are_utf16() {
        assert_eq!(utf16(&[0, b'a', 0x20, 0xac, 0]), "a\u{20ac}");
    }
}

//! Steps through ASN.1 in DER, and in BER where old programs write it.

use x509_parser::asn1_rs::{Any, FromBer, Oid};
use zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub(crate) const CONTEXT_1: u8 = 0xa1;

const CONSTRUCTED: u8 = 0x20;

/// One element: its identifier octet, content and whole encoding.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) identifier: u8,
    pub(crate) content: &'a [u8],
    pub(crate) encoded: &'a [u8],
}

/// A cursor over elements that follow one another.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, if it has this identifier.
    pub(crate) fn expect(&mut self, identifier: u8) -> Option<Element<'a>> {
        match self.0.first() == Some(&identifier) {
            true => self.next(),
            false => None,
        }
    }

    /// What is in the next element, if it has this identifier.
    pub(crate) fn enter(&mut self, identifier: u8) -> Option<Self> {
        self.expect(identifier).map(|element| element.inside())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    /// Ends at the first byte that begins no whole element.
    fn next(&mut self) -> Option<Element<'a>> {
        let (rest, any) = Any::from_ber(self.0).ok()?;
        let encoded = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element {
            identifier: *encoded.first()?,
            content: any.data,
            encoded,
        })
    }
}

impl<'a> Element<'a> {
    pub(crate) fn inside(&self) -> Elements<'a> {
        Elements(self.content)
    }

    /// The bytes of an OCTET STRING, whose constructed form (X.690 section 8.7.3) comes in parts.
    pub(crate) fn octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        if self.identifier & CONSTRUCTED == 0 {
            return Some(Zeroizing::new(self.content.to_vec()));
        }
        let mut all = Zeroizing::new(Vec::with_capacity(self.content.len()));
        for part in self.inside() {
            if part.identifier != OCTET_STRING {
                return None;
            }
            all.extend_from_slice(part.content);
        }
        Some(all)
    }
}

/// The only element of these bytes: nothing may follow it.
pub(crate) fn whole(bytes: &[u8]) -> Option<Element<'_>> {
    let mut elements = Elements::of(bytes);
    let element = elements.next()?;
    elements.is_empty().then_some(element)
}

/// An OBJECT IDENTIFIER in dotted form.
pub(crate) fn dotted(content: &[u8]) -> String {
    Oid::new(content.into()).to_id_string()
}

/// The object identifier and the parameters of an AlgorithmIdentifier's content.
pub(crate) fn algorithm_identifier<'a>(
    mut content: Elements<'a>,
) -> Option<(String, Option<Element<'a>>)> {
    let oid = content.expect(OBJECT_IDENTIFIER)?;
    Some((dotted(oid.content), content.next()))
}

/// Bits of a positive INTEGER, from its content.
pub(crate) fn bits(integer: &[u8]) -> u32 {
    let significant = integer.iter().position(|byte| *byte != 0);
    let Some(significant) = significant.map(|first| &integer[first..]) else {
        return 0;
    };
    let bits = significant.len() * 8 - significant[0].leading_zeros() as usize;
    u32::try_from(bits).unwrap_or(u32::MAX)
}

/// An element with a definite length.
pub(crate) fn encode(identifier: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut encoded = vec![identifier];
    match u8::try_from(length) {
        Ok(short @ ..0x80) => encoded.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let leading = bytes.iter().take_while(|byte| **byte == 0).count();
            // A length has at most eight bytes.
            encoded.push(0x80 | (bytes.len() - leading) as u8);
            encoded.extend_from_slice(&bytes[leading..]);
        }
    }
    for part in parts {
        encoded.extend_from_slice(part);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructed_strings_of_indefinite_length_are_joined() {
        let ber = [0x24, 0x80, 0x04, 2, 1, 2, 0x04, 1, 3, 0, 0];
        let element = whole(&ber).unwrap();
        assert_eq!(*element.octets().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn lengths_that_overrun_end_the_elements() {
        for bytes in [
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..],
            &[0x04, 2, 1],
            &[0x30, 0x80],
            &[],
        ] {
            assert!(whole(bytes).is_none(), "{bytes:?}");
        }
        let deep = [0x30, 0x80].repeat(100_000);
        assert!(whole(&deep).is_none());
    }

    #[test]
    fn long_lengths_are_written_and_read() {
        for length in [0, 127, 128, 255, 256, 70_000] {
            let encoded = encode(OCTET_STRING, &[&vec![7; length]]);
            assert_eq!(whole(&encoded).unwrap().content.len(), length);
        }
        assert_eq!(bits(&[0, 0x7f, 0xff]), 15);
        assert_eq!(bits(&[0, 0]), 0);
    }
}

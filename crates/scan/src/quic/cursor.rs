//! A cursor over the fields of packets and frames.

/// Every read ends at the end of the bytes, whatever length they declare.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    /// A variable-length integer (RFC 9000 section 16).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = self.u8()?;
        let rest = self.take((1 << (first >> 6)) - 1)?;
        let begin = u64::from(first & 0x3f);
        Some(
            rest.iter()
                .fold(begin, |value, byte| (value << 8) | u64::from(*byte)),
        )
    }

    /// Bytes behind a length that is a variable-length integer.
    pub(super) fn vector(&mut self) -> Option<&'a [u8]> {
        let length = self.varint()?;
        self.take(usize::try_from(length).ok()?)
    }
}

/// Writes a variable-length integer in its shortest form. Values of more than 62 bits, which
/// have none, do not occur.
pub(super) fn put_varint(to: &mut Vec<u8>, value: u64) {
    let bytes = value.to_be_bytes();
    let (width, prefix) = match value {
        0..0x40 => (1, 0x00),
        0x40..0x4000 => (2, 0x40),
        0x4000..0x4000_0000 => (4, 0x80),
        _ => (8, 0xc0),
    };
    let start = to.len();
    to.extend(&bytes[8 - width..]);
    to[start] |= prefix;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000 appendix A.1.
    #[test]
    fn integers_of_the_standard() {
        for (value, encoded) in [
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..],
            ),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (15_293, &[0x7b, 0xbd]),
            (37, &[0x25]),
        ] {
            let mut written = Vec::new();
            put_varint(&mut written, value);
            assert_eq!(written, encoded);
            assert_eq!(Cursor(encoded).varint(), Some(value));
            for cut in 0..encoded.len() {
                assert_eq!(Cursor(&encoded[..cut]).varint(), None);
            }
        }
        assert_eq!(Cursor(&[0x40, 0x25]).varint(), Some(37));
    }
}

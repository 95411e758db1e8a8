//! The TLS record layer (RFC 8446 section 5.1), as an observer reads it.

use std::fmt;

/// The type of a record; an encrypted record of TLS 1.3 shows as application data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// 20
    ChangeCipherSpec,
    /// 21
    Alert,
    /// 22
    Handshake,
    /// 23
    ApplicationData,
    /// Any other value: not TLS, or not a version that is known here.
    Unknown(u8),
}

impl ContentType {
    /// The type that a byte stands for.
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            other => Self::Unknown(other),
        }
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
            Self::Unknown(byte) => byte,
        }
    }
}

/// One record: header fields and its payload, encrypted or not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What the header says it carries.
    pub content_type: ContentType,
    /// The legacy version field; 0x0303 in nearly every record.
    pub legacy_version: u16,
    /// The bytes after the header.
    pub payload: &'a [u8],
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{} B]", self.content_type, self.payload.len())
    }
}

/// The bytes do not hold whole TLS records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end inside a record.
    #[error("a record is cut short: its header or length asks for {missing} more bytes")]
    Truncated {
        /// Bytes missing, at least.
        missing: usize,
    },
    /// A length that no version of TLS allows (RFC 8446 section 5.2: and RFC 5246 section 6.2.3).
    #[error("a record claims {0} bytes, more than TLS allows: the peer does not speak TLS")]
    TooLong(usize),
    /// The first byte is no content type: this is something else than TLS.
    #[error("content type {0} is none of TLS: the peer does not speak TLS")]
    NotTls(u8),
}

/// Reads whole records off a byte string; stops for good at the first error.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    /// Starts at the first byte of a record header.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let result = split_record(self.rest);
        self.rest = match &result {
            Ok((_, rest)) => rest,
            Err(_) => &[],
        };
        Some(result.map(|(record, _)| record))
    }
}

const HEADER: usize = 5;
/// TLS 1.3 allows 256 bytes beyond 2^14, TLS 1.2 2048 (RFC 5246 section 6.2.3).
const MAX_PAYLOAD: usize = (1 << 14) + 2048;
/// The longest record of any version, with its header, in bytes.
pub const MAX_RECORD: usize = HEADER + MAX_PAYLOAD;

fn split_record(bytes: &[u8]) -> Result<(Record<'_>, &[u8]), RecordError> {
    let content_type = ContentType::from_byte(bytes[0]);
    if let ContentType::Unknown(byte) = content_type {
        return Err(RecordError::NotTls(byte));
    }
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Err(RecordError::Truncated {
            missing: HEADER - bytes.len(),
        });
    };
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if length > MAX_PAYLOAD {
        return Err(RecordError::TooLong(length));
    }
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Err(RecordError::Truncated {
            missing: length - rest.len(),
        });
    };
    let legacy_version = u16::from_be_bytes([header[1], header[2]]);
    Ok((
        Record {
            content_type,
            legacy_version,
            payload,
        },
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_whole_records_and_names_what_is_wrong_with_others() {
        let bytes = [22, 3, 3, 0, 2, 1, 2, 20, 3, 3, 0, 1, 1];
        let records: Vec<_> = Records::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(records[0].content_type, ContentType::Handshake);
        assert_eq!(records[0].payload, [1, 2]);
        assert_eq!(records[1].content_type, ContentType::ChangeCipherSpec);

        let errors = |bytes: &[u8]| Records::new(bytes).find_map(Result::err);
        assert_eq!(
            errors(&bytes[..9]),
            Some(RecordError::Truncated { missing: 3 })
        );
        assert_eq!(
            errors(&bytes[..6]),
            Some(RecordError::Truncated { missing: 1 })
        );
        assert_eq!(errors(b"HTTP/1.1 400"), Some(RecordError::NotTls(b'H')));
        assert_eq!(
            errors(&[22, 3, 3, 0xff, 0xff]),
            Some(RecordError::TooLong(0xffff))
        );
        assert_eq!(errors(&[]), None);
    }
}

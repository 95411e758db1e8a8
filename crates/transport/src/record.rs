//! Where records end.

const HEADER: usize = 5;

/// Follows the record layer (RFC 8446 section 5.1) through bytes that come in any pieces.
#[derive(Debug, Default)]
pub(crate) struct RecordCursor {
    header: [u8; HEADER],
    /// Bytes of the current header seen; 0 between header and payload.
    header_seen: usize,
    /// Bytes of the current payload that are still to come.
    payload_left: usize,
}

impl RecordCursor {
    /// How many of `bytes` belong to the current record, or begin the next one. They
    /// count as seen.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if self.payload_left == 0 {
            taken = bytes.len().min(HEADER - self.header_seen);
            let place = self.header_seen..self.header_seen + taken;
            self.header[place].copy_from_slice(&bytes[..taken]);
            self.header_seen += taken;
            if self.header_seen < HEADER {
                return taken;
            }
            self.header_seen = 0;
            self.payload_left = u16::from_be_bytes([self.header[3], self.header[4]]).into();
        }
        let payload = self.payload_left.min(bytes.len() - taken);
        self.payload_left -= payload;
        taken + payload
    }

    /// Whether the last record is complete.
    pub(crate) const fn is_at_boundary(&self) -> bool {
        self.header_seen == 0 && self.payload_left == 0
    }
}

/// The first record of `bytes`, or as much of it as there is.
pub(crate) fn first_record(bytes: &[u8]) -> &[u8] {
    let length = RecordCursor::default().advance(bytes);
    &bytes[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_at_the_same_places_however_the_bytes_come() {
        let records: &[&[u8]] = &[
            &[22, 3, 3, 0, 2, 7, 7],
            &[20, 3, 3, 0, 0],
            &[23, 3, 3, 0, 4, 1, 2, 3, 4],
        ];
        let bytes = records.concat();
        for size in 1..=bytes.len() {
            let mut cursor = RecordCursor::default();
            let (mut at, mut ends) = (0, Vec::new());
            for mut piece in bytes.chunks(size) {
                while !piece.is_empty() {
                    let taken = cursor.advance(piece);
                    at += taken;
                    piece = &piece[taken..];
                    if cursor.is_at_boundary() {
                        ends.push(at);
                    }
                }
            }
            assert_eq!(ends, [7, 12, 21], "in pieces of {size}");
        }
    }
}

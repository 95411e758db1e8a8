//! Reads the presentation language of TLS (RFC 8446 section 3).

use crate::{ExtensionType, HelloError, KeyShare, NamedGroup};

/// A cursor over bytes whose lengths come from the peer.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], HelloError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(HelloError::Overrun(what))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, HelloError> {
        Ok(self.take(1, what)?[0])
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, HelloError> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector behind a length of `width` bytes.
    pub(crate) fn vector(
        &mut self,
        width: usize,
        what: &'static str,
    ) -> Result<Reader<'a>, HelloError> {
        let length = self
            .take(width, what)?
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        Ok(Reader {
            bytes: self.take(length, what)?,
        })
    }

    pub(crate) fn u24(&mut self, what: &'static str) -> Result<u32, HelloError> {
        let bytes = self.take(3, what)?;
        Ok(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, HelloError> {
        let bytes = self.take(4, what)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(crate) fn random(&mut self) -> Result<[u8; 32], HelloError> {
        let mut random = [0; 32];
        random.copy_from_slice(self.take(32, "the random")?);
        Ok(random)
    }

    /// Code points up to the end.
    pub(crate) fn list<T>(
        mut self,
        what: &'static str,
        code_point: impl Fn(u16) -> T,
    ) -> Result<Vec<T>, HelloError> {
        let mut list = Vec::with_capacity(self.bytes.len() / 2);
        while !self.bytes.is_empty() {
            list.push(code_point(self.u16(what)?));
        }
        Ok(list)
    }

    /// The protocol names of ALPN (RFC 7301 section 3.1).
    pub(crate) fn protocols(mut self) -> Result<Vec<Vec<u8>>, HelloError> {
        let mut names = self.vector(2, "the application protocols")?;
        let mut protocols = Vec::new();
        while !names.bytes.is_empty() {
            protocols.push(names.vector(1, "an application protocol")?.bytes.to_vec());
        }
        Ok(protocols)
    }

    pub(crate) fn key_share(&mut self) -> Result<KeyShare, HelloError> {
        let group = NamedGroup(self.u16("a key share's group")?);
        let length = self.vector(2, "a key share")?.bytes.len();
        Ok(KeyShare { group, length })
    }

    /// Visits the extensions block, which TLS 1.2 allows to be absent.
    pub(crate) fn extensions(
        mut self,
        mut visit: impl FnMut(ExtensionType, Reader<'a>) -> Result<(), HelloError>,
    ) -> Result<(), HelloError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut extensions = self.vector(2, "the extensions")?;
        while !extensions.bytes.is_empty() {
            let kind = ExtensionType(extensions.u16("an extension's type")?);
            let content = extensions.vector(2, "an extension")?;
            visit(kind, content)?;
        }
        Ok(())
    }
}

//! Versions of programs and of their TLS libraries, as these write them.

/// The first three numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) [u32; 3]);

impl Version {
    /// The first number in a text with what follows it: `OpenSSH_9.2p1` is 9.2,
    /// `OpenSSL 1.1.1w` is 1.1.1.
    pub(super) fn find(text: &str) -> Option<Self> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let digits = text.get(start..)?;
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(digits.len());
        let mut numbers = [0; 3];
        let parts = digits
            .get(..end)?
            .split('.')
            .filter(|part| !part.is_empty());
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = part.parse().ok()?;
        }
        Some(Self(numbers))
    }
}

/// A TLS library that understands OpenSSL's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) kind: LibraryKind,
    pub(super) version: Version,
}

/// OpenSSL and its relatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LibraryKind {
    /// OpenSSL.
    OpenSsl,
    /// BoringSSL, AWS-LC, LibreSSL and others, whose defaults differ.
    Other,
}

impl Library {
    /// A bare number is a version of OpenSSL.
    pub(super) fn find(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let is_other = ["boring", "aws", "libre", "wolf", "quictls"]
            .iter()
            .any(|name| lower.contains(name));
        let kind = if is_other {
            LibraryKind::Other
        } else {
            LibraryKind::OpenSsl
        };
        let version = Version::find(text);
        Some(Self {
            kind,
            version: match kind {
                LibraryKind::OpenSsl => version?,
                LibraryKind::Other => version.unwrap_or(Version([0; 3])),
            },
        })
    }

    /// Whether it is OpenSSL of this version or a later one.
    pub(super) fn is_openssl_since(self, version: [u32; 3]) -> bool {
        self.kind == LibraryKind::OpenSsl && self.version >= Version(version)
    }

    /// Whether it is OpenSSL before this version.
    pub(super) fn is_openssl_before(self, version: [u32; 3]) -> bool {
        self.kind == LibraryKind::OpenSsl && self.version < Version(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_as_programs_print_them() {
        for (text, expected) in [
            ("1.22.1", [1, 22, 1]),
            ("OpenSSH_9.2p1 Debian-2+deb12u6", [9, 2, 0]),
            ("openssl 3.0.2", [3, 0, 2]),
            ("OpenSSL 1.1.1w  11 Sep 2023", [1, 1, 1]),
            ("v2.10.0", [2, 10, 0]),
            ("27", [27, 0, 0]),
            ("1.8.0_402", [1, 8, 0]),
        ] {
            assert_eq!(Version::find(text), Some(Version(expected)), "{text}");
        }
        assert_eq!(Version::find("unknown"), None);
        assert_eq!(Version::find("99999999999"), None);
        assert_eq!(Library::find("BoringSSL").unwrap().kind, LibraryKind::Other);
        assert_eq!(
            Library::find("AWS-LC 1.40.0").unwrap().kind,
            LibraryKind::Other
        );
        assert!(Library::find("3.5.0").unwrap().is_openssl_since([3, 5, 0]));
    }
}

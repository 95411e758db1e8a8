//! Named groups: key exchange algorithms as TLS numbers them.

use crate::code_point::code_point;

code_point!(
    /// A TLS named group (RFC 8446 section 4.2.7), by its IANA code point.
    NamedGroup,
    GroupFacts,
    GROUPS,
    "named group"
);

/// What is known about one named group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupFacts {
    /// The code point on the wire.
    pub code_point: NamedGroup,
    /// The name in the IANA registry; for a private-use code point, the one used here.
    pub name: &'static str,
    /// Bytes of the client's key share.
    pub client_share: u16,
    /// Bytes of the server's key share.
    pub server_share: u16,
    /// What protects the shared secret.
    pub kind: GroupKind,
    /// Strength against a quantum computer.
    pub nist_category: NistCategory,
    /// How settled the code point is.
    pub status: GroupStatus,
    /// The document that defines it.
    pub reference: &'static str,
}

/// What a group's shared secret rests upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// Discrete logarithms alone: falls to a quantum computer.
    Classical,
    /// A post-quantum KEM alone.
    PostQuantum,
    /// Both at once; safe while either holds.
    Hybrid,
}

/// The security category of NIST's post-quantum call, or none for a classical group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NistCategory {
    /// No resistance to a quantum computer.
    None,
    /// As hard as a key search on AES-128.
    One,
    /// As hard as a key search on AES-192.
    Three,
    /// As hard as a key search on AES-256.
    Five,
}

/// How settled a code point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupStatus {
    /// In a published RFC.
    Standard,
    /// In an Internet-Draft; the code point is registered.
    Draft,
    /// Replaced, and still seen.
    Obsolete,
    /// Private use, for experiments between consenting peers only.
    Experimental,
}

/// One row of the table below, in the order of its columns.
const fn row(
    code_point: u16,
    name: &'static str,
    shares: (u16, u16),
    kind: GroupKind,
    nist_category: NistCategory,
    status: GroupStatus,
    reference: &'static str,
) -> GroupFacts {
    GroupFacts {
        code_point: NamedGroup(code_point),
        name,
        client_share: shares.0,
        server_share: shares.1,
        kind,
        nist_category,
        status,
        reference,
    }
}

use GroupKind::{Classical, Hybrid, PostQuantum};
use GroupStatus::{Draft, Experimental, Obsolete, Standard};
use NistCategory::{Five, None as NoCategory, One, Three};

#[rustfmt::skip]
static GROUPS: &[GroupFacts] = &[
    row(0x0017, "secp256r1", (65, 65), Classical, NoCategory, Standard, "RFC 8422"),
    row(0x0018, "secp384r1", (97, 97), Classical, NoCategory, Standard, "RFC 8422"),
    row(0x0019, "secp521r1", (133, 133), Classical, NoCategory, Standard, "RFC 8422"),
    row(0x001d, "x25519", (32, 32), Classical, NoCategory, Standard, "RFC 8446"),
    row(0x001e, "x448", (56, 56), Classical, NoCategory, Standard, "RFC 8446"),
    row(0x001f, "brainpoolP256r1tls13", (65, 65), Classical, NoCategory, Standard, "RFC 8734"),
    row(0x0020, "brainpoolP384r1tls13", (97, 97), Classical, NoCategory, Standard, "RFC 8734"),
    row(0x0021, "brainpoolP512r1tls13", (129, 129), Classical, NoCategory, Standard, "RFC 8734"),
    row(0x0029, "curveSM2", (65, 65), Classical, NoCategory, Standard, "RFC 8998"),
    row(0x0100, "ffdhe2048", (256, 256), Classical, NoCategory, Standard, "RFC 7919"),
    row(0x0101, "ffdhe3072", (384, 384), Classical, NoCategory, Standard, "RFC 7919"),
    row(0x0102, "ffdhe4096", (512, 512), Classical, NoCategory, Standard, "RFC 7919"),
    row(0x0103, "ffdhe6144", (768, 768), Classical, NoCategory, Standard, "RFC 7919"),
    row(0x0104, "ffdhe8192", (1024, 1024), Classical, NoCategory, Standard, "RFC 7919"),
    row(0x0200, "MLKEM512", (800, 768), PostQuantum, One, Draft, "draft-ietf-tls-mlkem-11"),
    row(0x0201, "MLKEM768", (1184, 1088), PostQuantum, Three, Draft, "draft-ietf-tls-mlkem-11"),
    row(0x0202, "MLKEM1024", (1568, 1568), PostQuantum, Five, Draft, "draft-ietf-tls-mlkem-11"),
    row(0x11eb, "SecP256r1MLKEM768", (1249, 1153), Hybrid, Three, Standard, "RFC 10024"),
    row(0x11ec, "X25519MLKEM768", (1216, 1120), Hybrid, Three, Standard, "RFC 10024"),
    row(0x11ed, "SecP384r1MLKEM1024", (1665, 1665), Hybrid, Five, Standard, "RFC 10024"),
    row(0x11ee, "curveSM2MLKEM768", (1249, 1153), Hybrid, Three, Draft, "draft-yang-tls-hybrid-sm2-mlkem"),
    row(0x6399, "X25519Kyber768Draft00", (1216, 1120), Hybrid, Three, Obsolete, "draft-tls-westerbaan-xyber768d00"),
    row(0x639a, "SecP256r1Kyber768Draft00", (1249, 1153), Hybrid, Three, Obsolete, "draft-kwiatkowski-tls-ecdhe-kyber"),
    // No TLS code point is registered for HQC: private use (RFC 8446 section 4.2.7).
    row(0xfe10, "X25519HQC128", (2273, 4465), Hybrid, One, Experimental, "private use"),
    row(0xfe11, "HQC128", (2241, 4433), PostQuantum, One, Experimental, "private use"),
];

impl NamedGroup {
    /// NIST P-256.
    pub const SECP256R1: Self = Self(0x0017);
    /// NIST P-384.
    pub const SECP384R1: Self = Self(0x0018);
    /// Curve25519.
    pub const X25519: Self = Self(0x001d);
    /// ML-KEM-512 alone.
    pub const MLKEM512: Self = Self(0x0200);
    /// ML-KEM-768 alone.
    pub const MLKEM768: Self = Self(0x0201);
    /// ML-KEM-1024 alone.
    pub const MLKEM1024: Self = Self(0x0202);
    /// P-256 with ML-KEM-768.
    pub const SECP256R1MLKEM768: Self = Self(0x11eb);
    /// Curve25519 with ML-KEM-768: today's default of browsers and libraries.
    pub const X25519MLKEM768: Self = Self(0x11ec);
    /// P-384 with ML-KEM-1024.
    pub const SECP384R1MLKEM1024: Self = Self(0x11ed);
    /// Curve25519 with HQC-128, on a private-use code point.
    pub const X25519HQC128: Self = Self(0xfe10);
    /// HQC-128 alone, on a private-use code point.
    pub const HQC128: Self = Self(0xfe11);

    /// The classical group and the KEM that a hybrid joins; `None` where it is no hybrid, or
    /// where a half has no code point of its own.
    pub const fn halves(self) -> Option<[Self; 2]> {
        Some(match self {
            Self::SECP256R1MLKEM768 => [Self::SECP256R1, Self::MLKEM768],
            Self::X25519MLKEM768 => [Self::X25519, Self::MLKEM768],
            Self::SECP384R1MLKEM1024 => [Self::SECP384R1, Self::MLKEM1024],
            Self::X25519HQC128 => [Self::X25519, Self::HQC128],
            _ => return None,
        })
    }

    /// Whether a later quantum computer can't open what this group protected.
    pub fn is_post_quantum(self) -> bool {
        self.facts().is_some_and(|facts| facts.kind != Classical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_code_points_are_unique_and_parse_back() {
        for facts in NamedGroup::known() {
            let same = |other: &&GroupFacts| {
                other.code_point == facts.code_point || other.name == facts.name
            };
            assert_eq!(
                NamedGroup::known().iter().filter(same).count(),
                1,
                "{}",
                facts.name
            );
            assert_eq!(facts.name.parse(), Ok(facts.code_point));
        }
        assert_eq!("X25519".parse(), Ok(NamedGroup::X25519));
        assert_eq!("0x1234".parse(), Ok(NamedGroup(0x1234)));
        assert_eq!(NamedGroup(0x1234).to_string(), "0x1234");
        assert!("x25591".parse::<NamedGroup>().is_err());
    }

    /// RFC 10024: a hybrid share is the concatenation of its halves' shares.
    #[test]
    fn hybrid_shares_are_the_sum_of_their_halves() {
        for facts in NamedGroup::known() {
            let Some([classical, kem]) = facts.code_point.halves() else {
                continue;
            };
            let hybrid = facts.code_point;
            let [hybrid, classical, kem] =
                [hybrid, classical, kem].map(|group| group.facts().expect("in the table"));
            assert_eq!(
                [hybrid.kind, classical.kind, kem.kind],
                [Hybrid, Classical, PostQuantum]
            );
            assert_eq!(
                hybrid.client_share,
                classical.client_share + kem.client_share
            );
            assert_eq!(
                hybrid.server_share,
                classical.server_share + kem.server_share
            );
        }
    }
}

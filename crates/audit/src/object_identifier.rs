//! Object identifiers of algorithms whose parameter set is part of the identifier, and of
//! curves: the one table for these.

use crate::Algorithm;

/// Curves: RFC 5480 section 2.1.1.1, RFC 5639, RFC 8998, SEC 2, RFC 8410. ML-KEM: RFC 9935.
/// ML-DSA: RFC 9881. SLH-DSA: RFC 9909.
const TABLE: [(&str, &str); 31] = [
    ("1.3.132.0.33", "P-224"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.156.10197.1.301", "curveSM2"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
    ("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f"),
    ("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s"),
    ("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f"),
    ("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s"),
    ("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f"),
    ("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s"),
    ("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f"),
    ("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s"),
    ("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f"),
    ("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s"),
    ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
];

impl Algorithm {
    /// The object identifier in dotted form; `None` where the algorithm has none that tells its
    /// parameters.
    pub fn object_identifier(&self) -> Option<&'static str> {
        let name = self.to_string();
        let row = TABLE
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(&name))?;
        Some(row.0)
    }

    /// The algorithm of an object identifier in dotted form; `None` where the identifier leaves
    /// its parameters open, as that of RSA does, or is not known here.
    pub fn of_object_identifier(oid: &str) -> Option<Self> {
        let (_, name) = TABLE.iter().find(|(known, _)| *known == oid)?;
        name.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_to_algorithms_and_back() {
        for (oid, name) in TABLE {
            let algorithm = Algorithm::of_object_identifier(oid).unwrap();
            assert_eq!(algorithm.to_string(), name);
            assert!(!matches!(algorithm, Algorithm::Other(_)), "{name}");
            assert_eq!(algorithm.object_identifier(), Some(oid));
        }
        assert_eq!(Algorithm::Rsa(2048).object_identifier(), None);
        assert_eq!(Algorithm::of_object_identifier("1.2.3"), None);
    }
}

//! The names under which programs know key exchange.

use audit::Algorithm;

/// One algorithm and its names.
struct Row {
    /// As `audit::Algorithm` spells it.
    algorithm: &'static str,
    /// Of TLS groups, in lower case: IANA's, OpenSSL's, Go's, BoringSSL's, Java's.
    tls: &'static [&'static str],
    /// Of OpenSSH's `KexAlgorithms`.
    ssh: &'static [&'static str],
}

#[rustfmt::skip]
static NAMES: &[Row] = &[
    Row { algorithm: "X25519", tls: &["x25519", "curvex25519", "ecdh_x25519"], ssh: &["curve25519-sha256", "curve25519-sha256@libssh.org"] },
    Row { algorithm: "X448", tls: &["x448", "ecdh_x448"], ssh: &["curve448-sha512"] },
    Row { algorithm: "P-224", tls: &["secp224r1", "p-224", "p224"], ssh: &[] },
    Row { algorithm: "P-256", tls: &["secp256r1", "prime256v1", "p-256", "p256", "curvep256"], ssh: &["ecdh-sha2-nistp256"] },
    Row { algorithm: "P-384", tls: &["secp384r1", "p-384", "p384", "curvep384"], ssh: &["ecdh-sha2-nistp384"] },
    Row { algorithm: "P-521", tls: &["secp521r1", "p-521", "p521", "curvep521"], ssh: &["ecdh-sha2-nistp521"] },
    Row { algorithm: "secp256k1", tls: &["secp256k1"], ssh: &[] },
    Row { algorithm: "brainpoolP256r1", tls: &["brainpoolp256r1", "brainpoolp256r1tls13", "b-256"], ssh: &[] },
    Row { algorithm: "brainpoolP384r1", tls: &["brainpoolp384r1", "brainpoolp384r1tls13", "b-384"], ssh: &[] },
    Row { algorithm: "brainpoolP512r1", tls: &["brainpoolp512r1", "brainpoolp512r1tls13", "b-512"], ssh: &[] },
    Row { algorithm: "curveSM2", tls: &["curvesm2", "sm2"], ssh: &[] },
    Row { algorithm: "DH-2048", tls: &["ffdhe2048"], ssh: &["diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1"] },
    Row { algorithm: "DH-3072", tls: &["ffdhe3072"], ssh: &["diffie-hellman-group15-sha512"] },
    Row { algorithm: "DH-4096", tls: &["ffdhe4096"], ssh: &["diffie-hellman-group16-sha512"] },
    Row { algorithm: "DH-6144", tls: &["ffdhe6144"], ssh: &["diffie-hellman-group17-sha512"] },
    Row { algorithm: "DH-8192", tls: &["ffdhe8192"], ssh: &["diffie-hellman-group18-sha512"] },
    Row { algorithm: "DH-1024", tls: &[], ssh: &["diffie-hellman-group1-sha1"] },
    // The size is agreed in the handshake (RFC 4419).
    Row { algorithm: "DH", tls: &[], ssh: &["diffie-hellman-group-exchange-sha256", "diffie-hellman-group-exchange-sha1"] },
    Row { algorithm: "ML-KEM-512", tls: &["mlkem512"], ssh: &[] },
    Row { algorithm: "ML-KEM-768", tls: &["mlkem768"], ssh: &[] },
    Row { algorithm: "ML-KEM-1024", tls: &["mlkem1024"], ssh: &[] },
    Row { algorithm: "X25519+ML-KEM-768", tls: &["x25519mlkem768"], ssh: &["mlkem768x25519-sha256"] },
    Row { algorithm: "P-256+ML-KEM-768", tls: &["secp256r1mlkem768"], ssh: &["mlkem768nistp256-sha256"] },
    Row { algorithm: "P-384+ML-KEM-1024", tls: &["secp384r1mlkem1024"], ssh: &["mlkem1024nistp384-sha384"] },
    Row { algorithm: "curveSM2+ML-KEM-768", tls: &["curvesm2mlkem768"], ssh: &[] },
    Row { algorithm: "X25519+Kyber768Draft00", tls: &["x25519kyber768draft00", "x25519_kyber768"], ssh: &[] },
    Row { algorithm: "P-256+Kyber768Draft00", tls: &["secp256r1kyber768draft00", "p256_kyber768"], ssh: &[] },
    Row { algorithm: "X25519+sntrup761", tls: &[], ssh: &["sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com"] },
];

/// The algorithm of a TLS group's name; `None` where no library that is known here has it.
pub(super) fn of_group(name: &str) -> Option<Algorithm> {
    let lower = name.to_lowercase();
    find(|row| row.tls.contains(&lower.as_str()))
}

/// The algorithm of an OpenSSH key exchange method; an unknown one by its name.
pub(super) fn of_kex(name: &str) -> Algorithm {
    find(|row| row.ssh.contains(&name)).unwrap_or_else(|| Algorithm::Other(name.to_owned()))
}

fn find(is_it: impl Fn(&Row) -> bool) -> Option<Algorithm> {
    NAMES.iter().find(|row| is_it(row))?.algorithm.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit::Resistance;

    #[test]
    fn every_name_stands_for_one_known_algorithm() {
        let mut seen = std::collections::BTreeSet::new();
        for row in NAMES {
            let algorithm: Algorithm = row.algorithm.parse().unwrap();
            assert_eq!(algorithm.to_string(), row.algorithm);
            assert_ne!(
                algorithm.resistance(),
                Resistance::Unknown,
                "{}",
                row.algorithm
            );
            for name in row.tls.iter().chain(row.ssh) {
                assert!(seen.insert(*name), "{name} stands twice");
                assert_eq!(*name, name.to_lowercase());
            }
        }
    }

    #[test]
    fn every_tls_group_of_the_wire_tables_has_its_name() {
        for facts in wire::NamedGroup::known() {
            if facts.status == wire::GroupStatus::Experimental {
                continue;
            }
            let expected = Algorithm::of_group(facts.code_point);
            assert_eq!(of_group(facts.name), Some(expected), "{}", facts.name);
        }
    }
}

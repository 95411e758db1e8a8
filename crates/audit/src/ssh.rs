//! Names of SSH key exchange methods.

use crate::{Algorithm, Curve};

impl Algorithm {
    /// The algorithm of an SSH key exchange method; `None` for markers in the list that are no
    /// methods (RFC 8308 section 2.1, and OpenSSH's strict key exchange).
    pub fn of_ssh_key_exchange(method: &str) -> Option<Self> {
        let hybrid = |curve, kem| Self::Hybrid(Box::new(Self::Ec(curve)), Box::new(kem));
        let base = method.split('@').next().unwrap_or(method);
        Some(match base {
            "ext-info-c" | "ext-info-s" => return None,
            _ if base.starts_with("kex-strict-") => return None,
            "curve25519-sha256" => Self::Ec(Curve::X25519),
            "curve448-sha512" => Self::Ec(Curve::X448),
            "ecdh-sha2-nistp256" => Self::Ec(Curve::P256),
            "ecdh-sha2-nistp384" => Self::Ec(Curve::P384),
            "ecdh-sha2-nistp521" => Self::Ec(Curve::P521),
            "sntrup761x25519-sha512" => hybrid(
                Curve::X25519,
                Self::OtherPostQuantum("sntrup761".to_owned()),
            ),
            "mlkem768x25519-sha256" => hybrid(Curve::X25519, Self::MlKem(768)),
            "mlkem768nistp256-sha256" => hybrid(Curve::P256, Self::MlKem(768)),
            "mlkem1024nistp384-sha384" => hybrid(Curve::P384, Self::MlKem(1024)),
            // RFC 4253 section 8.1, RFC 8268 section 3.
            "diffie-hellman-group1-sha1" => Self::Dh(1024),
            "diffie-hellman-group14-sha1" | "diffie-hellman-group14-sha256" => Self::Dh(2048),
            "diffie-hellman-group15-sha512" => Self::Dh(3072),
            "diffie-hellman-group16-sha512" => Self::Dh(4096),
            "diffie-hellman-group17-sha512" => Self::Dh(6144),
            "diffie-hellman-group18-sha512" => Self::Dh(8192),
            // The server chooses the prime (RFC 4419).
            _ if base.starts_with("diffie-hellman-group-exchange-") => Self::Dh(0),
            _ => Self::Other(method.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_the_algorithms_of_their_standards() {
        for (method, expected) in [
            ("mlkem768x25519-sha256", Some("X25519+ML-KEM-768")),
            (
                "sntrup761x25519-sha512@openssh.com",
                Some("X25519+sntrup761"),
            ),
            ("curve25519-sha256@libssh.org", Some("X25519")),
            ("diffie-hellman-group14-sha256", Some("DH-2048")),
            ("diffie-hellman-group-exchange-sha256", Some("DH")),
            ("kex-strict-s-v00@openssh.com", None),
            ("ext-info-s", None),
            ("new-method@example.test", Some("new-method@example.test")),
        ] {
            let algorithm = Algorithm::of_ssh_key_exchange(method);
            let name = algorithm.map(|algorithm| algorithm.to_string());
            assert_eq!(name.as_deref(), expected, "{method}");
        }
    }
}

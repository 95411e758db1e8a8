//! Key exchange methods of which a first message can be made.

use audit::Cause;
use rand::RngExt as _;
use wire::NamedGroup;

use super::packet::put_string;
use crate::dial::Stopped;
use crate::share::Share;

/// SSH_MSG_KEXDH_INIT, SSH_MSG_KEX_ECDH_INIT and SSH_MSG_KEX_HYBRID_INIT.
const INIT: u8 = 30;
/// Their replies, which begin with the host key.
pub(super) const REPLY: u8 = 31;

/// A method, by what its client sends.
pub(super) struct Method {
    pub(super) name: &'static str,
    public: Public,
}

enum Public {
    /// Public keys in the order in which they stand on the wire.
    Shares(&'static [NamedGroup]),
    /// A number below a prime of so many bytes.
    Number(usize),
}

/// The cheapest for the server first.
const METHODS: &[Method] = &[
    shares("curve25519-sha256", &[NamedGroup::X25519]),
    shares("curve25519-sha256@libssh.org", &[NamedGroup::X25519]),
    shares("ecdh-sha2-nistp256", &[P256]),
    // ML-KEM comes first, whatever TLS has (draft-ietf-sshm-mlkem-hybrid-kex section 2.1).
    shares(
        "mlkem768x25519-sha256",
        &[NamedGroup::MLKEM768, NamedGroup::X25519],
    ),
    shares("mlkem768nistp256-sha256", &[NamedGroup::MLKEM768, P256]),
    shares("mlkem1024nistp384-sha384", &[NamedGroup::MLKEM1024, P384]),
    shares("ecdh-sha2-nistp384", &[P384]),
    shares("ecdh-sha2-nistp521", &[P521]),
    // RFC 8268 section 3, RFC 4253 section 8.
    number("diffie-hellman-group14-sha256", 2048),
    number("diffie-hellman-group14-sha1", 2048),
    number("diffie-hellman-group15-sha512", 3072),
    number("diffie-hellman-group16-sha512", 4096),
    number("diffie-hellman-group17-sha512", 6144),
    number("diffie-hellman-group18-sha512", 8192),
    number("diffie-hellman-group1-sha1", 1024),
];

const P256: NamedGroup = NamedGroup(0x0017);
const P384: NamedGroup = NamedGroup(0x0018);
const P521: NamedGroup = NamedGroup(0x0019);

const fn shares(name: &'static str, groups: &'static [NamedGroup]) -> Method {
    let public = Public::Shares(groups);
    Method { name, public }
}

const fn number(name: &'static str, bits: usize) -> Method {
    let public = Public::Number(bits / 8);
    Method { name, public }
}

impl Method {
    /// One that the server has.
    pub(super) fn among(names: &[String]) -> Result<&'static Self, Stopped> {
        let is_offered = |method: &&Self| names.iter().any(|name| name == method.name);
        METHODS.iter().find(is_offered).ok_or_else(|| {
            let detail = format!(
                "none of the server's key exchange methods can be begun here: {}",
                names.join(",").chars().take(200).collect::<String>()
            );
            Stopped::unknown(Cause::NotImplemented, detail)
        })
    }

    /// The client's first message.
    pub(super) fn init(&self) -> Result<Vec<u8>, Stopped> {
        let public = match self.public {
            Public::Shares(groups) => {
                let keys = groups.iter().map(|group| Share::generate(*group));
                let keys: Option<Vec<_>> = keys.collect();
                let keys = keys.ok_or_else(|| {
                    let detail = format!("no key for {} could be made", self.name);
                    Stopped::unknown(Cause::NotImplemented, detail)
                })?;
                keys.iter().flat_map(|key| key.public().to_vec()).collect()
            }
            Public::Number(length) => {
                // The primes begin with 64 ones: a zero and a one make it smaller, positive
                // and as long as it can be.
                let mut number = vec![0; length];
                rand::rng().fill(&mut number[..]);
                number[0] = number[0] & 0x7f | 0x40;
                number
            }
        };
        let mut payload = vec![INIT];
        put_string(&mut payload, &public);
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_messages_have_the_lengths_of_their_standards() {
        for (name, length) in [
            ("curve25519-sha256", 32),
            ("ecdh-sha2-nistp256", 65),
            ("ecdh-sha2-nistp384", 97),
            ("ecdh-sha2-nistp521", 133),
            ("mlkem768x25519-sha256", 1184 + 32),
            ("mlkem768nistp256-sha256", 1184 + 65),
            ("mlkem1024nistp384-sha384", 1568 + 97),
            ("diffie-hellman-group14-sha256", 256),
            ("diffie-hellman-group16-sha512", 512),
        ] {
            let method = Method::among(&["none@example.test".to_owned(), name.to_owned()]);
            let init = method.ok().unwrap().init().unwrap();
            assert_eq!(init.len(), 1 + 4 + length, "{name}");
            assert!(name.contains("ecdh") || init[5] & 0x80 == 0 || !name.contains("hellman"));
        }
        assert!(Method::among(&["sntrup761x25519-sha512".to_owned()]).is_err());
    }

    /// Every method has the algorithm for which a policy judges it.
    #[test]
    fn methods_are_known_to_the_audit() {
        for method in METHODS {
            let algorithm = audit::Algorithm::of_ssh_key_exchange(method.name).unwrap();
            let is_known = !matches!(algorithm, audit::Algorithm::Other(_));
            assert!(is_known, "{}", method.name);
        }
    }
}

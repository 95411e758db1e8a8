//! One TLS handshake, described independently of any library.

use std::fmt;
use std::str::FromStr;

use wire::{ChainAlgorithms, CipherSuite, NamedGroup, ProtocolVersion, SignatureAlgorithm};

/// What is negotiated in a handshake, and how.
///
/// Built by [`Handshake::builder`], which refuses what the protocol does not have. Its
/// text form, `VERSION/KEY-EXCHANGE/AUTHENTICATION/KIND[+OPTION…]`, is the only id:
/// `1.3/X25519MLKEM768/ecdsa-p256/full`, `1.2/static-rsa/rsa-2048/full`,
/// `1.3/x25519/ml-dsa-65/resumed+mutual+tickets=2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handshake {
    version: ProtocolVersion,
    key_exchange: KeyExchange,
    cipher_suite: CipherSuite,
    authentication: ChainAlgorithms,
    client_authentication: Option<ChainAlgorithms>,
    kind: HandshakeKind,
    tickets: u8,
}

/// How the shared secret comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyExchange {
    /// Ephemeral key exchange in a named group: ECDHE, a KEM, or a hybrid.
    Group(NamedGroup),
    /// The client encrypts the premaster secret to the server's RSA key (RFC 5246
    /// section 7.4.7.1). Obsolete: no forward secrecy, gone from TLS 1.3.
    StaticRsa,
}

/// How the connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandshakeKind {
    /// Certificates, and a key share that fits at once.
    Full,
    /// The client's first key share is for another group: one more round trip.
    FullWithHelloRetryRequest,
    /// By ticket, with a fresh key exchange in TLS 1.3 (`psk_dhe_ke`).
    Resumed,
    /// By ticket, with application data in the client's first flight.
    EarlyData,
}

impl HandshakeKind {
    /// All of them, in the order of every table.
    pub const ALL: [Self; 4] = [
        Self::Full,
        Self::FullWithHelloRetryRequest,
        Self::Resumed,
        Self::EarlyData,
    ];

    /// Whether a ticket of an earlier connection takes the place of the certificates.
    pub const fn is_resumption(self) -> bool {
        matches!(self, Self::Resumed | Self::EarlyData)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FullWithHelloRetryRequest => "hrr",
            Self::Resumed => "resumed",
            Self::EarlyData => "0-rtt",
        }
    }
}

/// A combination that the protocol does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// TLS 1.3 removed static RSA.
    #[error("static RSA key transport exists in TLS 1.2 only: set the version to 1.2")]
    StaticRsaNeedsTls12,
    /// The client encrypts to the key in the certificate.
    #[error("static RSA encrypts to the certificate's key, and a key of {0} can't: use an RSA one")]
    StaticRsaNeedsRsaKey(SignatureAlgorithm),
    /// Post-quantum groups are defined for TLS 1.3 alone.
    #[error("{0} is defined for TLS 1.3 only: there is no post-quantum TLS 1.2")]
    GroupNeedsTls13(NamedGroup),
    /// ML-DSA is defined for TLS 1.3 alone.
    #[error("certificates of {0} are defined for TLS 1.3 only")]
    AuthenticationNeedsTls13(SignatureAlgorithm),
    /// HelloRetryRequest and 0-RTT came with TLS 1.3.
    #[error("a handshake of kind {0} exists in TLS 1.3 only")]
    KindNeedsTls13(HandshakeKind),
    /// The cipher suite is of the other version, or of the other key exchange.
    #[error("cipher suite {0} does not go with this version, key exchange and certificate")]
    CipherSuiteMismatch(CipherSuite),
    /// TLS 1.2 sends one NewSessionTicket at most (RFC 5077 section 3.1).
    #[error("TLS 1.2 issues one ticket at most")]
    TooManyTickets,
}

/// The text is no handshake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseHandshakeError {
    /// Not `VERSION/KEY-EXCHANGE/AUTHENTICATION/KIND`.
    #[error("{0:?} is not of the form VERSION/KEY-EXCHANGE/AUTHENTICATION/KIND[+OPTION]")]
    Form(String),
    /// One part is unknown.
    #[error("{0}")]
    Part(String),
    /// The parts do not go together.
    #[error(transparent)]
    Impossible(#[from] HandshakeError),
}

/// Collects the parts of a [`Handshake`]; what is not set follows from the rest.
#[derive(Debug, Clone, Copy)]
pub struct HandshakeBuilder {
    version: Option<ProtocolVersion>,
    key_exchange: KeyExchange,
    cipher_suite: Option<CipherSuite>,
    authentication: ChainAlgorithms,
    client_authentication: Option<ChainAlgorithms>,
    kind: HandshakeKind,
    tickets: u8,
}

impl HandshakeBuilder {
    /// Sets the version; TLS 1.3, or 1.2 for static RSA, if unset.
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// Sets the cipher suite; AES-256-GCM with SHA-384 of the fitting kind if unset.
    pub fn cipher_suite(mut self, suite: CipherSuite) -> Self {
        self.cipher_suite = Some(suite);
        self
    }

    /// Makes the client authenticate itself with such a chain.
    pub fn client_authentication(mut self, chain: ChainAlgorithms) -> Self {
        self.client_authentication = Some(chain);
        self
    }

    /// Sets how the connection begins; full if unset.
    pub fn kind(mut self, kind: HandshakeKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets how many tickets the server issues in the measured handshake; 0 if unset.
    pub fn tickets(mut self, tickets: u8) -> Self {
        self.tickets = tickets;
        self
    }

    /// Checks that the parts go together.
    ///
    /// # Errors
    /// When the protocol has no such handshake.
    pub fn build(self) -> Result<Handshake, HandshakeError> {
        let version = self.version.unwrap_or(match self.key_exchange {
            KeyExchange::StaticRsa => ProtocolVersion::Tls12,
            KeyExchange::Group(_) => ProtocolVersion::Tls13,
        });
        let handshake = Handshake {
            version,
            key_exchange: self.key_exchange,
            cipher_suite: self.cipher_suite.unwrap_or_else(|| {
                default_cipher_suite(version, self.key_exchange, self.authentication.leaf())
            }),
            authentication: self.authentication,
            client_authentication: self.client_authentication,
            kind: self.kind,
            tickets: self.tickets,
        };
        handshake.check().map(|()| handshake)
    }
}

impl Handshake {
    /// Starts from what every handshake has; the rest has defaults.
    pub const fn builder(
        key_exchange: KeyExchange,
        authentication: ChainAlgorithms,
    ) -> HandshakeBuilder {
        HandshakeBuilder {
            version: None,
            key_exchange,
            cipher_suite: None,
            authentication,
            client_authentication: None,
            kind: HandshakeKind::Full,
            tickets: 0,
        }
    }

    /// A builder that starts from this handshake, to change one axis of it.
    ///
    /// The cipher suite is kept only where it is not the default: it follows the
    /// version and the certificate otherwise.
    pub fn to_builder(&self) -> HandshakeBuilder {
        HandshakeBuilder {
            version: Some(self.version),
            key_exchange: self.key_exchange,
            cipher_suite: self.explicit_cipher_suite(),
            authentication: self.authentication,
            client_authentication: self.client_authentication,
            kind: self.kind,
            tickets: self.tickets,
        }
    }

    /// The same handshake with another key exchange, if the protocol has it.
    pub fn with_key_exchange(&self, key_exchange: KeyExchange) -> Option<Self> {
        HandshakeBuilder {
            key_exchange,
            ..self.to_builder()
        }
        .build()
        .ok()
    }

    /// The same handshake with another server certificate chain, if the protocol has it.
    pub fn with_authentication(&self, authentication: ChainAlgorithms) -> Option<Self> {
        HandshakeBuilder {
            authentication,
            ..self.to_builder()
        }
        .build()
        .ok()
    }

    /// The same handshake begun in another way, if the protocol has it.
    pub fn with_kind(&self, kind: HandshakeKind) -> Option<Self> {
        self.to_builder().kind(kind).build().ok()
    }

    /// The protocol version.
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The key exchange.
    pub const fn key_exchange(&self) -> KeyExchange {
        self.key_exchange
    }

    /// The named group, unless it is static RSA.
    pub const fn group(&self) -> Option<NamedGroup> {
        match self.key_exchange {
            KeyExchange::Group(group) => Some(group),
            KeyExchange::StaticRsa => None,
        }
    }

    /// The cipher suite; both sides offer no other.
    pub const fn cipher_suite(&self) -> CipherSuite {
        self.cipher_suite
    }

    /// The algorithms of the server's certificate chain.
    pub const fn authentication(&self) -> ChainAlgorithms {
        self.authentication
    }

    /// The algorithms of the client's certificate chain, in mutual TLS.
    pub const fn client_authentication(&self) -> Option<ChainAlgorithms> {
        self.client_authentication
    }

    /// How the connection begins.
    pub const fn kind(&self) -> HandshakeKind {
        self.kind
    }

    /// How many tickets the server issues in this handshake.
    pub const fn tickets(&self) -> u8 {
        self.tickets
    }

    fn explicit_cipher_suite(&self) -> Option<CipherSuite> {
        let default =
            default_cipher_suite(self.version, self.key_exchange, self.authentication.leaf());
        (self.cipher_suite != default).then_some(self.cipher_suite)
    }

    fn check(&self) -> Result<(), HandshakeError> {
        let leaf = self.authentication.leaf();
        if self.key_exchange == KeyExchange::StaticRsa {
            if self.version != ProtocolVersion::Tls12 {
                return Err(HandshakeError::StaticRsaNeedsTls12);
            }
            if leaf.rsa_bits().is_none() {
                return Err(HandshakeError::StaticRsaNeedsRsaKey(leaf));
            }
        }
        if self.version == ProtocolVersion::Tls12 {
            self.check_tls12()?;
        }
        if !suite_fits(self.cipher_suite, self.version, self.key_exchange, leaf) {
            return Err(HandshakeError::CipherSuiteMismatch(self.cipher_suite));
        }
        Ok(())
    }

    fn check_tls12(&self) -> Result<(), HandshakeError> {
        if let KeyExchange::Group(group) = self.key_exchange
            && group.is_post_quantum()
        {
            return Err(HandshakeError::GroupNeedsTls13(group));
        }
        let chains = [Some(self.authentication), self.client_authentication];
        for chain in chains.into_iter().flatten() {
            for algorithm in [chain.leaf(), chain.intermediate(), chain.root()] {
                if algorithm.facts().post_quantum {
                    return Err(HandshakeError::AuthenticationNeedsTls13(algorithm));
                }
            }
        }
        if matches!(
            self.kind,
            HandshakeKind::FullWithHelloRetryRequest | HandshakeKind::EarlyData
        ) {
            return Err(HandshakeError::KindNeedsTls13(self.kind));
        }
        if self.tickets > 1 {
            return Err(HandshakeError::TooManyTickets);
        }
        Ok(())
    }
}

fn default_cipher_suite(
    version: ProtocolVersion,
    key_exchange: KeyExchange,
    leaf: SignatureAlgorithm,
) -> CipherSuite {
    match (version, key_exchange) {
        (ProtocolVersion::Tls13, _) => CipherSuite::AES_256_GCM_SHA384,
        (ProtocolVersion::Tls12, KeyExchange::StaticRsa) => CipherSuite::RSA_AES_256_GCM_SHA384,
        (ProtocolVersion::Tls12, _) if leaf.rsa_bits().is_some() => {
            CipherSuite::ECDHE_RSA_AES_256_GCM_SHA384
        }
        (ProtocolVersion::Tls12, _) => CipherSuite::ECDHE_ECDSA_AES_256_GCM_SHA384,
    }
}

fn suite_fits(
    suite: CipherSuite,
    version: ProtocolVersion,
    key_exchange: KeyExchange,
    leaf: SignatureAlgorithm,
) -> bool {
    let Some(facts) = suite.facts() else {
        return false;
    };
    if version == ProtocolVersion::Tls13 {
        return facts.tls13;
    }
    if key_exchange == KeyExchange::StaticRsa {
        return facts.static_rsa;
    }
    // In TLS 1.2 the suite names the certificate's key too; Ed25519 goes with the
    // ECDSA suites (RFC 8422 section 5.1.1).
    let kind = match leaf.rsa_bits() {
        Some(_) => "TLS_ECDHE_RSA_",
        None => "TLS_ECDHE_ECDSA_",
    };
    !facts.tls13 && facts.name.starts_with(kind)
}

impl fmt::Display for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            key_exchange,
            authentication,
            kind,
            ..
        } = self;
        write!(f, "{version}/{key_exchange}/{authentication}/{kind}")?;
        match self.client_authentication {
            Some(chain) if chain == *authentication => f.write_str("+mutual")?,
            Some(chain) => write!(f, "+mutual={chain}")?,
            None => {}
        }
        if self.tickets != 0 {
            write!(f, "+tickets={}", self.tickets)?;
        }
        if let Some(suite) = self.explicit_cipher_suite() {
            write!(f, "+{suite}")?;
        }
        Ok(())
    }
}

impl FromStr for Handshake {
    type Err = ParseHandshakeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || ParseHandshakeError::Form(text.to_owned());
        let mut parts = text.splitn(4, '/');
        let mut part = || parts.next().ok_or_else(form);
        let version = parse_part(part()?)?;
        let key_exchange = parse_part(part()?)?;
        let authentication: ChainAlgorithms = parse_part(part()?)?;
        let (kind, options) = split_options(part()?);
        let mut builder = Self::builder(key_exchange, authentication)
            .version(version)
            .kind(parse_part(kind)?);
        for option in options {
            builder = match option.split_once('=') {
                Some(("tickets", number)) => builder.tickets(parse_part(number)?),
                Some(("mutual", chain)) => builder.client_authentication(parse_part(chain)?),
                None if option == "mutual" => builder.client_authentication(authentication),
                None => builder.cipher_suite(parse_part(&option)?),
                Some(_) => return Err(form()),
            };
        }
        Ok(builder.build()?)
    }
}

fn parse_part<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, ParseHandshakeError> {
    text.parse()
        .map_err(|error: T::Err| ParseHandshakeError::Part(error.to_string()))
}

/// Splits `kind+option+option`. A mixed client chain, `mutual=a+b+c`, has the same
/// separator within: what is no option of its own belongs to the one before.
fn split_options(text: &str) -> (&str, Vec<String>) {
    let mut parts = text.split('+');
    let kind = parts.next().unwrap_or_default();
    let mut options: Vec<String> = Vec::new();
    for part in parts {
        match options.last_mut() {
            Some(chain) if chain.starts_with("mutual=") && is_algorithm(part) => {
                chain.push('+');
                chain.push_str(part);
            }
            _ => options.push(part.to_owned()),
        }
    }
    (kind, options)
}

fn is_algorithm(text: &str) -> bool {
    text.parse::<SignatureAlgorithm>().is_ok()
}

impl fmt::Display for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => group.fmt(f),
            Self::StaticRsa => f.pad("static-rsa"),
        }
    }
}

impl FromStr for KeyExchange {
    type Err = wire::UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("static-rsa") {
            return Ok(Self::StaticRsa);
        }
        text.parse().map(Self::Group)
    }
}

impl fmt::Display for HandshakeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for HandshakeKind {
    type Err = wire::UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| wire::UnknownName {
                what: "handshake kind (full, hrr, resumed or 0-rtt)",
                name: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(id: &str) -> Result<Handshake, ParseHandshakeError> {
        id.parse()
    }

    #[test]
    fn ids_parse_back_to_the_same_handshake() {
        for id in [
            "1.3/X25519MLKEM768/ecdsa-p256/full",
            "1.3/x25519/ml-dsa-65/resumed+mutual+tickets=2",
            "1.3/x25519/ecdsa-p256+rsa-4096/hrr+mutual=ed25519+rsa-2048+tickets=1",
            "1.3/MLKEM1024/ml-dsa-87/0-rtt+TLS_CHACHA20_POLY1305_SHA256",
            "1.2/static-rsa/rsa-2048/full",
            "1.2/secp256r1/ed25519/resumed",
            "1.3/0x2a2a/rsa-3072/full",
        ] {
            assert_eq!(parse(id).unwrap().to_string(), id);
        }
    }

    #[test]
    fn impossible_handshakes_are_refused_by_name() {
        use HandshakeError as E;
        let impossible = |id: &str| match parse(id) {
            Err(ParseHandshakeError::Impossible(error)) => error,
            other => panic!("{id}: {other:?}"),
        };
        let p256 = SignatureAlgorithm::EcdsaP256;
        for (id, error) in [
            ("1.3/static-rsa/rsa-2048/full", E::StaticRsaNeedsTls12),
            (
                "1.2/static-rsa/ecdsa-p256/full",
                E::StaticRsaNeedsRsaKey(p256),
            ),
            (
                "1.2/X25519MLKEM768/rsa-2048/full",
                E::GroupNeedsTls13(NamedGroup::X25519MLKEM768),
            ),
            (
                "1.2/x25519/ecdsa-p256+ml-dsa-44/full",
                E::AuthenticationNeedsTls13(SignatureAlgorithm::MlDsa44),
            ),
            (
                "1.2/x25519/rsa-2048/hrr",
                E::KindNeedsTls13(HandshakeKind::FullWithHelloRetryRequest),
            ),
            ("1.2/x25519/rsa-2048/full+tickets=2", E::TooManyTickets),
            (
                "1.3/x25519/rsa-2048/full+TLS_RSA_WITH_AES_128_GCM_SHA256",
                E::CipherSuiteMismatch(CipherSuite(0x009c)),
            ),
        ] {
            assert_eq!(impossible(id), error, "{id}");
        }
    }

    #[test]
    fn unknown_parts_are_named() {
        for (id, named) in [
            ("1.3/X25519MLKEM769/rsa-2048/full", "X25519MLKEM769"),
            ("1.4/x25519/rsa-2048/full", "1.4"),
            ("1.3/x25519/rsa-1024/full", "rsa-1024"),
            ("1.3/x25519/rsa-2048/half", "half"),
            ("1.3/x25519/rsa-2048", "VERSION/KEY-EXCHANGE"),
            (
                "1.3/x25519/rsa-2048/full+colour=red",
                "VERSION/KEY-EXCHANGE",
            ),
        ] {
            assert!(parse(id).unwrap_err().to_string().contains(named), "{id}");
        }
    }

    #[test]
    fn changing_one_axis_keeps_the_others() {
        let handshake = parse("1.3/x25519/rsa-2048/full+mutual").unwrap();
        let hybrid = handshake.with_key_exchange(KeyExchange::Group(NamedGroup::X25519MLKEM768));
        assert_eq!(
            hybrid.unwrap().to_string(),
            "1.3/X25519MLKEM768/rsa-2048/full+mutual"
        );
        assert_eq!(handshake.with_key_exchange(KeyExchange::StaticRsa), None);
    }
}

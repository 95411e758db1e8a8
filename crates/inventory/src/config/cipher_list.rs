//! Whether a cipher string turns on static RSA key transport.

/// The suites with RSA key transport in OpenSSL's name and IANA's, with the words of
/// openssl-ciphers(1) that select them.
#[rustfmt::skip]
const SUITES: &[(&str, &str, &[&str])] = &[
    ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", &["AES", "AES128", "AESGCM", "HIGH", "TLSv1.2", "AEAD", DEFAULT]),
    ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", &["AES", "AES256", "AESGCM", "HIGH", "TLSv1.2", "AEAD", DEFAULT]),
    ("AES128-CCM", "TLS_RSA_WITH_AES_128_CCM", &["AES", "AES128", "AESCCM", "HIGH", "TLSv1.2", "AEAD"]),
    ("AES256-CCM", "TLS_RSA_WITH_AES_256_CCM", &["AES", "AES256", "AESCCM", "HIGH", "TLSv1.2", "AEAD"]),
    ("AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8", &["AES", "AES128", "AESCCM", "AESCCM8", "HIGH", "TLSv1.2", "AEAD"]),
    ("AES256-CCM8", "TLS_RSA_WITH_AES_256_CCM_8", &["AES", "AES256", "AESCCM", "AESCCM8", "HIGH", "TLSv1.2", "AEAD"]),
    ("AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", &["AES", "AES128", "SHA256", "HIGH", "TLSv1.2", DEFAULT]),
    ("AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", &["AES", "AES256", "SHA256", "HIGH", "TLSv1.2", DEFAULT]),
    ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", &["AES", "AES128", "SHA1", "SHA", "HIGH", "SSLv3", "TLSv1", "TLSv1.0", DEFAULT]),
    ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", &["AES", "AES256", "SHA1", "SHA", "HIGH", "SSLv3", "TLSv1", "TLSv1.0", DEFAULT]),
    ("CAMELLIA128-SHA", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", &["CAMELLIA", "CAMELLIA128", "SHA1", "SHA", "HIGH", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("CAMELLIA256-SHA", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", &["CAMELLIA", "CAMELLIA256", "SHA1", "SHA", "HIGH", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("CAMELLIA128-SHA256", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256", &["CAMELLIA", "CAMELLIA128", "SHA256", "HIGH", "TLSv1.2"]),
    ("CAMELLIA256-SHA256", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256", &["CAMELLIA", "CAMELLIA256", "SHA256", "HIGH", "TLSv1.2"]),
    ("ARIA128-GCM-SHA256", "TLS_RSA_WITH_ARIA_128_GCM_SHA256", &["ARIA", "ARIA128", "ARIAGCM", "HIGH", "TLSv1.2", "AEAD"]),
    ("ARIA256-GCM-SHA384", "TLS_RSA_WITH_ARIA_256_GCM_SHA384", &["ARIA", "ARIA256", "ARIAGCM", "HIGH", "TLSv1.2", "AEAD"]),
    ("DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", &["3DES", "SHA1", "SHA", "MEDIUM", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("SEED-SHA", "TLS_RSA_WITH_SEED_CBC_SHA", &["SEED", "SHA1", "SHA", "MEDIUM", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("IDEA-CBC-SHA", "TLS_RSA_WITH_IDEA_CBC_SHA", &["IDEA", "SHA1", "SHA", "MEDIUM", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("RC4-SHA", "TLS_RSA_WITH_RC4_128_SHA", &["RC4", "SHA1", "SHA", "MEDIUM", "SSLv3", "TLSv1", "TLSv1.0"]),
    ("RC4-MD5", "TLS_RSA_WITH_RC4_128_MD5", &["RC4", "MD5", "MEDIUM", "SSLv3", "TLSv1", "TLSv1.0"]),
];

const DEFAULT: &str = "DEFAULT";

/// Words that every suite above answers to.
const ALL_SUITES: [&str; 5] = ["ALL", "RSA", "kRSA", "aRSA", "COMPLEMENTOFALL"];

/// Words that select other suites only.
#[rustfmt::skip]
const OTHER_WORDS: &[&str] = &[
    "kDHE", "kEDH", "DH", "DHE", "EDH", "kECDHE", "kEECDH", "ECDH", "ECDHE", "EECDH", "kECDH",
    "kECDHr", "kECDHe", "aNULL", "eNULL", "NULL", "ADH", "AECDH", "aDSS", "DSS", "aECDSA", "ECDSA",
    "aECDH", "CHACHA20", "CHACHA", "POLY1305", "PSK", "kPSK", "kECDHEPSK", "kDHEPSK", "kRSAPSK",
    "aPSK", "SRP", "kSRP", "aSRP", "GOST", "kGOST", "aGOST", "GOST94", "GOST89MAC", "LOW", "EXP",
    "EXPORT", "EXPORT40", "EXPORT56", "DES", "RC2", "SHA384", "SUITEB128", "SUITEB128ONLY", "SUITEB192",
    "SSLv2", "KRB5", "kKRB5", "aKRB5", "FZA", "CBC", "MD5", "kDHr", "kDHd", "kDH", "aDH", "TLSv1.3",
];

/// Whether a cipher string of openssl-ciphers(1) turns on static RSA where TLS 1.2 or earlier
/// is spoken; `None` where it can't be told.
pub(super) fn static_rsa(text: &str) -> Option<bool> {
    let mut state = [State::Off; SUITES.len()];
    let mut is_certain = true;
    // A command may follow its word without a separator, as in `DEFAULT@SECLEVEL=2`.
    let text = text.replace('@', ":@");
    for (index, word) in text
        .split([':', ' ', ',', ';'])
        .filter(|word| !word.is_empty())
        .enumerate()
    {
        if let Some(command) = word.strip_prefix('@') {
            // Level 3 demands forward secrecy (SSL_CTX_set_security_level(3)).
            if let Some(level) = command.strip_prefix("SECLEVEL=")
                && level.parse::<u8>().is_ok_and(|level| level >= 3)
            {
                return Some(false);
            }
            continue;
        }
        let (action, rest) = match word.split_at_checked(1) {
            Some(("!", rest)) => (State::Killed, rest),
            Some(("-", rest)) => (State::Off, rest),
            // It moves suites that are on, and turns none on.
            Some(("+", _)) => continue,
            _ => (State::On, word),
        };
        // DEFAULT is a string of its own, which only stands first.
        if rest == DEFAULT && index > 0 {
            continue;
        }
        let mut is_known = is_known(rest) || rest.split('+').all(is_known);
        for ((openssl, iana, words), state) in SUITES.iter().zip(&mut state) {
            let matches = rest == *openssl
                || rest == *iana
                || rest
                    .split('+')
                    .all(|part| ALL_SUITES.contains(&part) || words.contains(&part));
            is_known |= matches;
            if matches && *state != State::Killed {
                *state = action;
            }
        }
        // A policy of the system, as PROFILE=SYSTEM, or a word of a library that is not known.
        is_certain &= is_known || action == State::Killed;
    }
    let is_on = state.contains(&State::On);
    (is_on || is_certain).then_some(is_on)
}

/// Whether a word of a known meaning, or the name of a suite with another key exchange.
fn is_known(word: &str) -> bool {
    let other_names = [
        "ECDHE-", "DHE-", "EDH-", "ADH-", "AECDH-", "PSK-", "SRP-", "RSA-PSK-", "ECDH-", "TLS_",
    ];
    OTHER_WORDS.contains(&word)
        || ALL_SUITES.contains(&word)
        || SUITES.iter().any(|(_, _, words)| words.contains(&word))
        || other_names.iter().any(|name| word.starts_with(name))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    On,
    /// Off for good.
    Killed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const STRINGS: &[(&str, bool)] = &[
        ("DEFAULT", true),
        ("ALL", true),
        ("HIGH", true),
        ("HIGH:!aNULL:!MD5", true),
        ("HIGH:MEDIUM:+3DES:!aNULL", true),
        ("HIGH:!aNULL:!kRSA", false),
        ("HIGH:!aNULL:!RSA", false),
        ("DEFAULT:!kRSA", false),
        ("DEFAULT:-kRSA", false),
        ("DEFAULT@SECLEVEL=2", true),
        ("DEFAULT:@SECLEVEL=3", false),
        ("ECDHE+AESGCM", false),
        ("ECDHE+AESGCM:DHE+AESGCM", false),
        ("EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH", false),
        ("ECDHE+AESGCM:RSA+AESGCM", true),
        ("ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256", true),
        ("ECDHE-RSA-AES128-GCM-SHA256:!AES128-GCM-SHA256", false),
        ("AES128-GCM-SHA256:!AES", false),
        ("kRSA:!AES:!CAMELLIA:!ARIA:!3DES:!RC4:!SEED:!IDEA:!NULL:!eNULL", false),
        // Mozilla's intermediate list, version 5.
        ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305", false),
        // The end of Mozilla's old list.
        ("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA", true),
        ("ALL:!ADH:!EXPORT56:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP:+eNULL", true),
        ("TLSv1.2:!aNULL:!eNULL", true),
        ("ECDH+AES:!SHA1", false),
        ("EECDH:EDH:!aNULL", false),
        ("aRSA+AESGCM", true),
    ];

    #[test]
    fn usual_strings_are_told() {
        for (string, expected) in STRINGS {
            assert_eq!(static_rsa(string), Some(*expected), "{string}");
        }
        assert_eq!(static_rsa("PROFILE=SYSTEM"), None);
        assert_eq!(
            static_rsa("@SECLEVEL=2:kEECDH:kRSA:-aDSS:-3DES"),
            Some(true)
        );
        assert_eq!(static_rsa(""), Some(false));
    }

    #[test]
    fn openssl_itself_agrees() {
        for (string, expected) in STRINGS {
            let run = std::process::Command::new("openssl")
                .args(["ciphers", "-v", "-s", "-tls1_2", string])
                .output();
            let Ok(output) = run else {
                println!("skipped: there is no openssl here");
                return;
            };
            let text = String::from_utf8_lossy(&output.stdout);
            let found = text.lines().any(|line| line.contains("Kx=RSA "));
            assert_eq!(found, *expected, "{string}: {text}");
        }
    }
}

//! Lists of groups as OpenSSL and its relatives read them.

use audit::{Algorithm, Resistance, Software};

use super::default::{self, Source};
use super::name;
use super::version::{Library, LibraryKind, Version};

/// Names of one list; longer ones are cut.
const MOST_NAMES: usize = 128;

/// The groups that follow from a list or a default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Groups {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) is_default: bool,
    pub(super) remarks: Vec<String>,
}

impl Groups {
    /// The default of a source's version; none where it is not known, with a remark on how it
    /// can be told.
    pub(super) fn by_default(source: Source, version: Option<Version>, software: Software) -> Self {
        match version.and_then(|version| default::groups(source, version)) {
            Some(algorithms) => Self {
                algorithms,
                is_default: true,
                remarks: Vec::new(),
            },
            None => Self::unknown(software),
        }
    }

    /// The file is silent, and the version is not known.
    pub(super) fn unknown(software: Software) -> Self {
        let remark = format!(
            "names no key exchange: it follows from the version in use, which {} prints",
            how_to_tell(software)
        );
        Self {
            algorithms: Vec::new(),
            is_default: true,
            remarks: vec![remark],
        }
    }

    /// Names without any of OpenSSL's signs, as Go, Java and BoringSSL's callers list them.
    pub(super) fn named<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut groups = Self::default();
        for name in names.take(MOST_NAMES) {
            groups
                .algorithms
                .push(name::of_group(name).unwrap_or_else(|| {
                    groups
                        .remarks
                        .push(format!("{name} is no group that is known here"));
                    Algorithm::Other(name.to_owned())
                }));
        }
        groups
    }
}

/// The groups of OpenSSL's list (SSL_CTX_set1_groups_list(3)), or its default where there is
/// none.
pub(super) fn of_openssl(
    list: Option<&str>,
    library: Option<Library>,
    software: Software,
) -> Groups {
    let openssl = library.filter(|library| library.kind == LibraryKind::OpenSsl);
    let by_default = || {
        Groups::by_default(
            Source::Openssl,
            openssl.map(|library| library.version),
            software,
        )
    };
    let Some(list) = list else {
        return by_default();
    };

    let mut groups = Groups::default();
    // The slash parts tuples since OpenSSL 3.5; the order holds within and across them.
    for element in list.split([':', '/']).map(str::trim).take(MOST_NAMES) {
        let name = element.trim_start_matches(['?', '*', '-']).trim();
        let signs = element
            .get(..element.len() - name.len())
            .unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if name.eq_ignore_ascii_case("DEFAULT")
            && library.is_none_or(|library| library.is_openssl_since([3, 5, 0]))
        {
            groups.algorithms.extend(by_default().algorithms);
            continue;
        }
        let algorithm = name::of_group(name);
        if signs.contains('-') {
            groups
                .algorithms
                .retain(|one| Some(one) != algorithm.as_ref());
            continue;
        }
        let lack = lacks(library, name, algorithm.as_ref());
        let is_ignored = signs.contains('?')
            && library.is_some_and(|library| library.is_openssl_since([3, 3, 0]));
        match (lack, algorithm) {
            (None, Some(algorithm)) => groups.algorithms.push(algorithm),
            (None, None) => groups.algorithms.push(Algorithm::Other(name.to_owned())),
            (Some(lack), _) if is_ignored => {
                groups
                    .remarks
                    .push(format!("{lack}: it is ignored, as its ? allows"));
            }
            (Some(lack), _) => groups
                .remarks
                .push(format!("{lack}: {}", consequence(software))),
        }
        if library.is_none() && openssl_since(name).is_some_and(|since| since >= [3, 5, 0]) {
            groups.remarks.push(format!(
                "{name} needs OpenSSL 3.5 or a library of its generation, else {}; {} prints the version",
                consequence(software),
                how_to_tell(software)
            ));
        }
    }
    groups
}

/// What a library lacks of a group, in words.
fn lacks(library: Option<Library>, name: &str, algorithm: Option<&Algorithm>) -> Option<String> {
    let library = library.filter(|library| library.kind == LibraryKind::OpenSsl)?;
    let Version([major, minor, patch]) = library.version;
    match openssl_since(name) {
        Some(since) if library.is_openssl_before(since) => Some(format!(
            "OpenSSL {major}.{minor}.{patch} does not know {name}, which came with {}.{}",
            since[0], since[1]
        )),
        Some(_) => None,
        None if algorithm.is_some_and(|one| one.resistance() == Resistance::Hybrid) => {
            Some(format!("no OpenSSL knows {name}"))
        }
        None => None,
    }
}

/// The version of OpenSSL that brought a group; `None` where none has it, or it is not known.
fn openssl_since(name: &str) -> Option<[u32; 3]> {
    let lower = name.to_lowercase();
    if lower.contains("mlkem") {
        return Some([3, 5, 0]);
    }
    match lower.as_str() {
        "ffdhe2048" | "ffdhe3072" | "ffdhe4096" | "ffdhe6144" | "ffdhe8192" => Some([3, 0, 0]),
        "x448" => Some([1, 1, 1]),
        "x25519" => Some([1, 1, 0]),
        "prime256v1" | "secp256r1" | "p-256" | "secp384r1" | "p-384" | "secp521r1" | "p-521" => {
            Some([1, 0, 0])
        }
        _ => None,
    }
}

/// What happens where a list names a group that the library does not know.
fn consequence(software: Software) -> &'static str {
    match software {
        Software::Nginx => "nginx does not start",
        Software::Apache => "httpd does not start",
        Software::Haproxy => "HAProxy does not start",
        Software::Postgresql => "the server does not start",
        _ => "the whole list is refused",
    }
}

/// The command that prints the version on which defaults depend.
fn how_to_tell(software: Software) -> &'static str {
    match software {
        Software::Nginx => "nginx -V",
        Software::Apache => "the error log at the start of httpd (AH00489)",
        Software::Haproxy => "haproxy -vv",
        Software::Envoy => "envoy --version",
        Software::Caddy => "caddy version",
        Software::Openssl => "openssl version",
        Software::Openssh => "ssh -V",
        Software::Postgresql => "postgres --version",
        Software::Java => "java -version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: Option<&str>, library: Option<&str>) -> (Vec<String>, Vec<String>) {
        let groups = of_openssl(list, library.and_then(Library::find), Software::Nginx);
        (
            groups.algorithms.iter().map(ToString::to_string).collect(),
            groups.remarks,
        )
    }

    #[test]
    fn the_default_list_of_openssl_3_5_reads_as_its_own_default() {
        let written = "?*X25519MLKEM768 / ?*X25519:?secp256r1 / ?X448:?secp384r1:?secp521r1 / ?ffdhe2048:?ffdhe3072";
        assert_eq!(
            read(Some(written), Some("3.5.0")),
            read(None, Some("3.5.0"))
        );
        assert_eq!(
            read(Some("DEFAULT"), Some("3.6.3")),
            read(None, Some("3.5.0"))
        );
    }

    #[test]
    fn an_old_library_refuses_the_hybrid_and_a_new_one_does_not() {
        let (groups, remarks) = read(
            Some("X25519MLKEM768:X25519:prime256v1"),
            Some("openssl 3.0.2"),
        );
        assert_eq!(groups, ["X25519", "P-256"]);
        assert_eq!(remarks.len(), 1);
        assert!(
            remarks[0].contains("OpenSSL 3.0.2 does not know X25519MLKEM768"),
            "{remarks:?}"
        );
        assert!(remarks[0].contains("does not start"));

        let (groups, remarks) = read(Some("X25519MLKEM768:X25519"), Some("openssl 3.5.1"));
        assert_eq!(groups, ["X25519+ML-KEM-768", "X25519"]);
        assert!(remarks.is_empty());
    }

    #[test]
    fn the_question_mark_helps_from_3_3_on() {
        let (groups, remarks) = read(Some("?X25519MLKEM768:X25519"), Some("3.4.0"));
        assert_eq!(groups, ["X25519"]);
        assert!(remarks[0].contains("ignored"), "{remarks:?}");
        let (_, remarks) = read(Some("?X25519MLKEM768:X25519"), Some("3.2.0"));
        assert!(remarks[0].contains("does not start"), "{remarks:?}");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let (groups, remarks) = read(None, None);
        assert!(groups.is_empty());
        assert!(remarks[0].contains("nginx -V"));
        let (groups, remarks) = read(Some("X25519MLKEM768"), None);
        assert_eq!(groups, ["X25519+ML-KEM-768"]);
        assert!(remarks[0].contains("needs OpenSSL 3.5"));
        let (groups, remarks) = read(None, Some("BoringSSL"));
        assert!(
            groups.is_empty() && remarks.len() == 1,
            "its default is not OpenSSL's"
        );
    }

    #[test]
    fn a_minus_takes_a_group_out() {
        let (groups, _) = read(Some("DEFAULT:-X25519MLKEM768"), Some("3.5.0"));
        assert_eq!(groups[0], "X25519");
    }
}

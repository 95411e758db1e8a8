//! One scope of a configuration, as it is gathered, and what follows from it.

use audit::{Algorithm, Directive, Resistance, Settings, Software};

use super::cipher_list;
use super::group_list::{self, Groups};
use super::reading::{Reading, shorten};

/// Longer values are no part of any of these programs' configurations, and would be inherited
/// by every scope.
const LONGEST_VALUE: usize = 8192;

/// Values of one kind in a scope: certificates, names, directives.
const MOST_VALUES: usize = 256;

/// Bytes of the directives of one scope, which every scope within inherits.
const MOST_BYTES: usize = 64 << 10;

/// Remarks of one scope.
const MOST_REMARKS: usize = 64;

/// What the directives of one scope say.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) title: String,
    pub(super) serves: Vec<String>,
    pub(super) directives: Vec<Directive>,
    /// The list of groups, as it stands in the file.
    pub(super) groups: Option<String>,
    /// The cipher string of TLS 1.2 and earlier.
    pub(super) ciphers: Option<String>,
    /// The list of TLS 1.3 suites.
    pub(super) suites: Option<String>,
    pub(super) versions: Vec<String>,
    pub(super) files: Vec<String>,
    pub(super) remarks: Vec<String>,
}

impl Scope {
    pub(super) fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Records a directive beside others of its name.
    pub(super) fn add(
        &mut self,
        line: u32,
        name: &str,
        value: &str,
        reading: &mut Reading<'_>,
    ) -> bool {
        if value.len() > LONGEST_VALUE {
            reading.problem(
                line,
                format!("the value of {name} is longer than {LONGEST_VALUE} bytes"),
            );
            return false;
        }
        let bytes: usize = self.directives.iter().map(|one| one.value.len()).sum();
        if self.directives.len() >= MOST_VALUES || bytes + value.len() > MOST_BYTES {
            reading.problem(
                line,
                format!("{name}: one scope has too many directives to keep them all"),
            );
            return false;
        }
        self.directives.push(Directive {
            line,
            name: name.to_owned(),
            value: value.to_owned(),
        });
        true
    }

    /// Records a directive in the place of an earlier or inherited one of its name.
    pub(super) fn set(
        &mut self,
        line: u32,
        name: &str,
        value: &str,
        reading: &mut Reading<'_>,
    ) -> bool {
        self.directives.retain(|directive| directive.name != name);
        self.add(line, name, value, reading)
    }

    pub(super) fn file(&mut self, file: &str) {
        push_once(&mut self.files, file);
    }

    pub(super) fn serve(&mut self, address: &str) {
        push_once(&mut self.serves, address);
    }

    pub(super) fn remark(&mut self, remark: impl AsRef<str>) {
        if self.remarks.len() < MOST_REMARKS {
            let mut remark = remark.as_ref().to_owned();
            shorten(&mut remark);
            push_once(&mut self.remarks, &remark);
        }
    }

    /// Says that another file belongs to what was read.
    pub(super) fn remark_include(&mut self, path: &str) {
        self.remark(format!(
            "includes {path}, which is read as a file of its own where it is under the given paths"
        ));
    }

    /// The settings of a program that hands its lists to OpenSSL; `default_ciphers` is what it
    /// takes where the file names no cipher string.
    pub(super) fn into_openssl_settings(
        self,
        reading: &Reading<'_>,
        default_ciphers: Option<&str>,
    ) -> Settings {
        let groups = group_list::of_openssl(
            self.groups.as_deref(),
            reading.tls_library(),
            reading.software,
        );
        let ciphers = self.ciphers.as_deref().or(default_ciphers);
        let static_rsa = ciphers.and_then(cipher_list::static_rsa);
        self.into_settings(reading, groups, static_rsa)
    }

    /// The settings, where key exchange and static RSA (without regard to versions) are known.
    pub(super) fn into_settings(
        mut self,
        reading: &Reading<'_>,
        groups: Groups,
        static_rsa: Option<bool>,
    ) -> Settings {
        let has_tls13 = self
            .versions
            .iter()
            .any(|version| version.contains("1.3") || version.contains("v1_3"));
        let is_tls13_alone = has_tls13 && self.versions.len() == 1;
        for remark in &groups.remarks {
            self.remark(remark);
        }
        let hybrid = groups.algorithms.iter().find(|algorithm| {
            matches!(
                algorithm.resistance(),
                Resistance::Hybrid | Resistance::PostQuantum
            )
        });
        if let Some(algorithm) = hybrid
            && reading.software != Software::Openssh
            && !self.versions.is_empty()
            && !has_tls13
        {
            self.remark(format!(
                "{algorithm} is a group of TLS 1.3, which is not turned on: it will never be agreed"
            ));
        }
        // TLS 1.3 has no static RSA (RFC 8446 section 1.2).
        let static_rsa = if is_tls13_alone {
            Some(false)
        } else {
            static_rsa
        };
        shorten(&mut self.title);
        Settings {
            software: reading.software,
            scope: self.title,
            serves: self.serves,
            version: reading.version.map(str::to_owned),
            library: reading.library.map(str::to_owned),
            directives: self.directives,
            key_exchanges: once(groups.algorithms),
            key_exchanges_by_default: groups.is_default,
            versions: self.versions,
            suites: self.suites.into_iter().chain(self.ciphers).collect(),
            static_rsa,
            files: self.files,
            remarks: self.remarks,
        }
    }
}

/// The versions between two ends, of `all` in ascending order; an end that is not there is open.
pub(super) fn between(all: &[&str], min: Option<&str>, max: Option<&str>) -> Vec<String> {
    let place = |end: Option<&str>| {
        all.iter()
            .position(|version| end.is_some_and(|end| version.eq_ignore_ascii_case(end)))
    };
    let first = place(min).unwrap_or(0);
    let last = place(max).unwrap_or(all.len().saturating_sub(1));
    all.iter()
        .enumerate()
        .filter(|(index, _)| (first..=last).contains(index))
        .map(|(_, version)| (*version).to_owned())
        .collect()
}

/// Adds what is not yet there.
fn push_once(list: &mut Vec<String>, value: &str) {
    if list.len() < MOST_VALUES
        && value.len() <= LONGEST_VALUE
        && !list.iter().any(|one| one == value)
    {
        list.push(value.to_owned());
    }
}

/// Each algorithm at its first place: several methods of OpenSSH are one algorithm.
fn once(algorithms: Vec<Algorithm>) -> Vec<Algorithm> {
    let mut kept: Vec<Algorithm> = Vec::new();
    for algorithm in algorithms {
        if !kept.contains(&algorithm) {
            kept.push(algorithm);
        }
    }
    kept
}

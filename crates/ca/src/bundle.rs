//! How programs are told to trust a root.

use std::fmt;
use std::str::FromStr;

/// Something that keeps trust anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustStore {
    /// curl, for one call.
    Curl,
    /// Debian, Ubuntu and what is made of them.
    Debian,
    /// Red Hat, Fedora and their like.
    RedHat,
    /// A Java runtime.
    Java,
    /// Node.
    Node,
    /// Go.
    Go,
    /// Python's ssl module and requests.
    Python,
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
}

/// A command that a person runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The line, as it is typed.
    pub line: String,
    /// What to know about it; may be empty.
    pub remark: &'static str,
}

impl TrustStore {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Curl,
        Self::Debian,
        Self::RedHat,
        Self::Java,
        Self::Node,
        Self::Go,
        Self::Python,
        Self::Windows,
        Self::MacOs,
    ];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Debian => "debian",
            Self::RedHat => "redhat",
            Self::Java => "java",
            Self::Node => "node",
            Self::Go => "go",
            Self::Python => "python",
            Self::Windows => "windows",
            Self::MacOs => "macos",
        }
    }

    /// Whether it wants each root in a file of its own.
    pub const fn takes_one_root(self) -> bool {
        matches!(
            self,
            Self::Debian | Self::RedHat | Self::Java | Self::Windows | Self::MacOs
        )
    }

    /// From which version on it verifies ML-DSA, as far as that was found out; everything
    /// older takes the file and fails later, in the handshake.
    pub const fn ml_dsa(self) -> &'static str {
        match self {
            Self::Curl => "with OpenSSL 3.5 or later, or AWS-LC",
            Self::Debian | Self::RedHat => {
                "the folder takes any root; what counts is each program's library: OpenSSL from \
                 3.5 on, Go from 1.27 on, GnuTLS not found out"
            }
            Self::Java => {
                "java.security knows ML-DSA keys and signatures since JDK 24 (JEP 497); its TLS \
                 does not use them yet: keep a classical root beside it"
            }
            Self::Node => "from the versions on that are built with OpenSSL 3.5 (24.5, 22.20)",
            Self::Go => "from 1.27 on",
            Self::Python => "where its ssl module is built with OpenSSL 3.5 or later",
            Self::Windows | Self::MacOs => "not found out: try it before you plan with it",
        }
    }

    /// The commands that put the file `path`, a root under the name `name`, into it.
    pub fn commands(self, path: &str, name: &str) -> Vec<Command> {
        let file = quote(path);
        let line = |line: String, remark| Command { line, remark };
        match self {
            Self::Curl => vec![line(format!("curl --cacert {file} https://HOST/"), "")],
            Self::Debian => vec![
                line(
                    format!(
                        "sudo install -m 644 {file} /usr/local/share/ca-certificates/{name}.crt"
                    ),
                    "one certificate in a file, and the name must end in .crt",
                ),
                line("sudo update-ca-certificates".to_owned(), ""),
            ],
            Self::RedHat => vec![
                line(
                    format!(
                        "sudo install -m 644 {file} /etc/pki/ca-trust/source/anchors/{name}.pem"
                    ),
                    "",
                ),
                line("sudo update-ca-trust".to_owned(), ""),
            ],
            Self::Java => vec![line(
                format!(
                    "keytool -importcert -noprompt -cacerts -storepass changeit -alias {name} \
                     -file {file}"
                ),
                "changeit is the password that a fresh JDK has; for one program, use \
                 -keystore FILE and -Djavax.net.ssl.trustStore=FILE",
            )],
            Self::Node => vec![line(
                format!("NODE_EXTRA_CA_CERTS={file} node app.js"),
                "beside its own roots; read once, at the start",
            )],
            Self::Go => vec![line(
                format!("SSL_CERT_FILE={file} ./program"),
                "on Unix, in the place of the system's bundle",
            )],
            Self::Python => vec![
                line(
                    format!("SSL_CERT_FILE={file} python app.py"),
                    "for the ssl module",
                ),
                line(
                    format!("REQUESTS_CA_BUNDLE={file} python app.py"),
                    "for requests, which brings roots of its own",
                ),
            ],
            Self::Windows => vec![line(
                format!("certutil -addstore -f Root {}", quote_windows(path)),
                "as administrator; for one user, with -user",
            )],
            Self::MacOs => vec![line(
                format!(
                    "sudo security add-trusted-cert -d -r trustRoot -k \
                     /Library/Keychains/System.keychain {file}"
                ),
                "",
            )],
        }
    }
}

/// A word for a POSIX shell: as it is where it has nothing special, else in single quotes.
pub fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// For cmd.exe, where a path can't hold a double quote.
fn quote_windows(text: &str) -> String {
    if text.contains(' ') {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}

impl fmt::Display for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TrustStore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|store| store.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is no trust store; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_blanks_and_quotes_are_quoted() {
        assert_eq!(quote("/a/b-1.pem"), "/a/b-1.pem");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), "'it'\\''s'");
        let command = &TrustStore::Curl.commands("my root.pem", "x")[0];
        assert_eq!(command.line, "curl --cacert 'my root.pem' https://HOST/");
    }

    #[test]
    fn every_store_has_commands_and_a_name_that_is_read_back() {
        for store in TrustStore::ALL {
            assert_eq!(store.name().parse(), Ok(store));
            assert!(!store.commands("a", "b").is_empty());
        }
    }
}

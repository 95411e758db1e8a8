//! From a finding to what to change.

use crate::directives::{Ability, Aim, ability, needs, present, saying, typed};
use crate::estate::{Platform, Scope};
use crate::patch::{Change, unified};
use crate::{Confidence, Directive, Edit, Estate, Location, Remedy, Software, Source};

/// What is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A hybrid group, first.
    Hybrid,
    /// Cipher suites without static RSA.
    ForwardSecrecy,
    /// TLS 1.2 and 1.3 only.
    Versions,
    /// A hybrid key exchange of SSH.
    SshHybrid,
    /// Signatures that stand, beside those that all clients know.
    Certificates,
    /// What is only words.
    Words(String, Vec<String>, Vec<Source>),
}

/// Where a remedy is for.
pub(crate) struct Place<'a> {
    pub(crate) estate: &'a Estate,
    pub(crate) scope: Option<Scope<'a>>,
    pub(crate) platform: Platform,
}

/// What to change so that a wish comes true there.
pub(crate) fn remedy(wish: Wish, place: &Place<'_>) -> Remedy {
    match wish {
        Wish::Hybrid => hybrid(place),
        Wish::SshHybrid => place
            .as_openssh()
            .map_or_else(generic_ssh, |place| hybrid(&place)),
        Wish::ForwardSecrecy => directive(
            place,
            Aim::ForwardSecrecy,
            "Turn static RSA off: only cipher suites with ephemeral key exchange.",
            Source {
                text: "run: `openssl ciphers ECDHE+AESGCM:ECDHE+CHACHA20` lists no suite with \
                       static RSA (OpenSSL 3.0)"
                    .to_owned(),
                confidence: Confidence::Primary,
            },
        ),
        Wish::Versions => directive(
            place,
            Aim::Versions,
            "Allow TLS 1.2 and 1.3 only: hybrids exist in TLS 1.3 alone.",
            Source {
                text: "RFC 8996 deprecates TLS 1.0 and 1.1".to_owned(),
                confidence: Confidence::Unverified,
            },
        ),
        Wish::Certificates => certificates(place),
        Wish::Words(summary, steps, sources) => Remedy {
            summary,
            steps,
            software: place.platform.software,
            edits: Vec::new(),
            sources,
        },
    }
}

impl<'a> Place<'a> {
    fn as_openssh(&self) -> Option<Place<'a>> {
        (self.platform.software == Some(Software::Openssh)).then(|| Place {
            estate: self.estate,
            scope: self.scope,
            platform: self.platform.clone(),
        })
    }

    /// The program with its versions, in words.
    fn title(&self) -> String {
        let Platform {
            software,
            version,
            library,
        } = &self.platform;
        let mut title = software.map_or("the server", Software::title).to_owned();
        if let Some(version) = version {
            title = format!("{title} {version}");
        }
        match library {
            Some(library) => format!("{title} with {library}"),
            None => title,
        }
    }
}

/// What can stand before a server that can't be changed.
const PROXY: &str = "Or put something in front that terminates TLS with a hybrid, for example \
                     `pqlab proxy`.";

fn hybrid(place: &Place<'_>) -> Remedy {
    let Some(software) = place.platform.software else {
        return Remedy {
            summary: "Turn a hybrid group on, X25519MLKEM768 first; which program terminates TLS \
                      here is not known."
                .to_owned(),
            steps: vec![
                "Find out which program terminates TLS, with its version and that of its TLS \
                 library, and give them in the profile (`software`, `version`, `library`)."
                    .to_owned(),
                "With OpenSSL, 3.5 is the first version that knows X25519MLKEM768.".to_owned(),
                PROXY.to_owned(),
            ],
            software: None,
            edits: Vec::new(),
            sources: vec![needs(Software::Openssl).1],
        };
    };
    let Platform {
        version, library, ..
    } = &place.platform;
    let (need, source) = needs(software);
    let title = place.title();
    let mut remedy = Remedy {
        summary: String::new(),
        steps: Vec::new(),
        software: Some(software),
        edits: Vec::new(),
        sources: vec![source],
    };
    match ability(software, version.as_deref(), library.as_deref()) {
        Ability::Has => {
            remedy.summary = format!("Put the hybrid first: {title} knows it.");
            remedy.edits.extend(edit(place, software, Aim::Hybrid));
        }
        Ability::HasSntrup => {
            remedy.summary =
                format!("Put sntrup761 first: {title} has no ML-KEM, which OpenSSH 9.9 brings.");
            let value = "sntrup761x25519-sha512@openssh.com,curve25519-sha256";
            remedy
                .edits
                .extend(edit_to(place, software, Aim::Hybrid, value));
            remedy
                .steps
                .push(format!("Then update: this takes {need}."));
        }
        Ability::Lacks => {
            remedy.summary = format!("Update first: {title} does not know the hybrid.");
            remedy.steps.push(format!("This takes {need}."));
            if matches!(software, Software::Nginx | Software::Apache) {
                remedy.steps.push(
                    "Do not name the group before: with the library that is there the server \
                     would not start."
                        .to_owned(),
                );
            }
            if software != Software::Openssh {
                remedy.steps.push(PROXY.to_owned());
            }
        }
        Ability::NotKnown => {
            let way = match software {
                Software::Nginx => "`nginx -V`",
                Software::Apache => "`openssl version` with the library that mod_ssl loads",
                Software::Haproxy => "`haproxy -vv`",
                Software::Envoy => "`envoy --version`",
                Software::Caddy => "`caddy version`",
                Software::Openssl => "`openssl version`",
                Software::Openssh => "`ssh -V`",
                Software::Postgresql => "`postgres --version`, and `openssl version`",
                Software::Java => "`java -version`",
            };
            remedy.summary =
                format!("Find out whether {title} knows the hybrid, and then put it first.");
            remedy.steps.push(format!("Ask {way}. This takes {need}."));
            if let Some(saying) = saying(software, Aim::Hybrid) {
                remedy.steps.push(format!(
                    "Only then, in the {}: {}",
                    saying.context,
                    typed(software, saying.name, saying.value)
                ));
            }
            if software != Software::Openssh {
                remedy.steps.push(PROXY.to_owned());
            }
        }
    }
    remedy
}

fn generic_ssh() -> Remedy {
    let (need, source) = needs(Software::Openssh);
    Remedy {
        summary: "Turn post-quantum key exchange on; which SSH server this is, is not known."
            .to_owned(),
        steps: vec![
            "Find out which SSH server and which version answers here.".to_owned(),
            format!("Where it is OpenSSH, this takes {need}."),
        ],
        software: None,
        edits: Vec::new(),
        sources: vec![source],
    }
}

/// A directive that every version knows.
fn directive(place: &Place<'_>, aim: Aim, summary: &str, source: Source) -> Remedy {
    let software = place.platform.software;
    let edits: Vec<Edit> = software
        .and_then(|one| edit(place, one, aim))
        .into_iter()
        .collect();
    let steps = match (software, edits.is_empty()) {
        (_, false) => Vec::new(),
        (Some(software), true) => vec![format!(
            "How {} says that is not known here: see its documentation.",
            software.title()
        )],
        (None, true) => vec![
            "Find out which program terminates TLS, and give it in the profile (`software`)."
                .to_owned(),
        ],
    };
    Remedy {
        summary: summary.to_owned(),
        steps,
        software,
        edits,
        sources: vec![source],
    }
}

fn edit(place: &Place<'_>, software: Software, aim: Aim) -> Option<Edit> {
    let value = match aim {
        Aim::Hybrid => hybrid_value(place, software)?,
        _ => saying(software, aim)?.value.to_owned(),
    };
    edit_to(place, software, aim, &value)
}

/// The hybrid in front of what is there; what is there would otherwise be lost.
fn hybrid_value(place: &Place<'_>, software: Software) -> Option<String> {
    let standard = saying(software, Aim::Hybrid)?.value;
    let settings = place.scope.map(|scope| scope.settings);
    let present = settings.and_then(|settings| present(settings, Aim::Hybrid));
    let (key, separator) = match software {
        Software::Nginx | Software::Haproxy | Software::Openssl | Software::Postgresql => ("", ':'),
        Software::Apache => ("Groups ", ':'),
        // Lists of other shapes are replaced as a whole.
        _ => return Some(standard.to_owned()),
    };
    let Some(Directive { value, .. }) = present else {
        return Some(standard.to_owned());
    };
    let list = value.trim_matches(['\'', '"', ';', ' ']);
    let list = match software {
        Software::Apache => list.split_whitespace().nth(1).unwrap_or_default(),
        _ => list,
    };
    let is_plain = !list.is_empty()
        && list
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":-_".contains(&byte))
        && !matches!(list, "auto" | "DEFAULT");
    if !is_plain {
        return Some(standard.to_owned());
    }
    let others = list
        .split(separator)
        .filter(|group| !group.is_empty() && !is_hybrid_or_draft(group));
    let list: Vec<&str> = std::iter::once("X25519MLKEM768").chain(others).collect();
    Some(format!("{key}{}", list.join(&separator.to_string())))
}

/// The hybrid itself, and Kyber's draft groups, which no current library knows.
fn is_hybrid_or_draft(group: &str) -> bool {
    let lower = group.to_ascii_lowercase();
    lower == "x25519mlkem768" || lower.contains("kyber")
}

fn edit_to(place: &Place<'_>, software: Software, aim: Aim, value: &str) -> Option<Edit> {
    let saying = saying(software, aim)?;
    let old = place.scope.and_then(|scope| present(scope.settings, aim));
    let mut edit = Edit {
        location: None,
        context: saying.context.to_owned(),
        old: old.map(|old| typed(software, &old.name, &old.value)),
        new: typed(software, saying.name, value),
        diff: None,
    };
    // A setting of the command line stands in no file.
    let Some(scope) = place.scope.filter(|_| software != Software::Java) else {
        return Some(edit);
    };
    let path = &scope.asset.location.path;
    // One line holds all options: replaced as a whole, others would be lost.
    if (software, aim) == (Software::Haproxy, Aim::Versions) {
        edit.old = None;
        return Some(edit);
    }
    // HAProxy's `curves` on a bind line wins over the default: it is said there.
    if software == Software::Haproxy && old.is_some_and(|old| old.name == "curves") {
        edit.new = typed(software, "curves", value);
        edit.context = "the bind line, in place of its `curves`".to_owned();
    }
    let line = old.map(|old| old.line);
    edit.location = Some(Location {
        path: path.clone(),
        line: line.or(scope.asset.location.line),
        entry: None,
    });
    let text = place.estate.texts.get(path);
    edit.diff = text.and_then(|text| match old {
        Some(old) => replaced(path, text, old, &edit.new),
        None => inserted(path, text, scope, software, &edit.new),
    });
    Some(edit)
}

/// A diff where the directive stands on a line of its own, and is whole there.
fn replaced(path: &str, text: &str, old: &Directive, new: &str) -> Option<String> {
    let line = text
        .lines()
        .nth(usize::try_from(old.line).ok()?.checked_sub(1)?)?
        .trim();
    let is_named = line
        .get(..old.name.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(&old.name));
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let value = squeeze(old.value.trim_matches(['\'', '"', ';', ' ']));
    let is_whole = !value.is_empty() && squeeze(line).contains(&value);
    // Another directive behind the first semicolon would be lost.
    let is_alone = line.trim_end_matches(';').matches(';').count() == 0;
    (is_named && is_whole && is_alone)
        .then(|| unified(path, text, old.line, Change::Replace, new))
        .flatten()
}

/// A diff that adds a line after the last directive of the scope, where a line of its own is
/// all that the format asks for.
fn inserted(
    path: &str,
    text: &str,
    scope: Scope<'_>,
    software: Software,
    new: &str,
) -> Option<String> {
    let is_plain = match software {
        Software::Nginx | Software::Apache | Software::Postgresql => true,
        Software::Haproxy => scope.settings.scope == "global",
        _ => false,
    };
    let last = scope
        .settings
        .directives
        .iter()
        .map(|directive| directive.line)
        .max()?;
    let line = text
        .lines()
        .nth(usize::try_from(last).ok()?.checked_sub(1)?)?
        .trim_end();
    let is_complete = match software {
        Software::Nginx => line.ends_with(';') && line.matches(';').count() == 1,
        Software::Apache => !line.ends_with('\\') && !line.trim_start().starts_with('<'),
        _ => true,
    };
    (is_plain && is_complete)
        .then(|| unified(path, text, last, Change::After, new))
        .flatten()
}

fn certificates(place: &Place<'_>) -> Remedy {
    let mut steps = vec![
        "Keep an ECDSA certificate for clients that do not know ML-DSA.".to_owned(),
        "Find out whether the authority that clients trust issues ML-DSA, and whether the clients \
         know it: Go 1.27 and Node 24 do."
            .to_owned(),
    ];
    let Platform {
        software,
        version,
        library,
    } = &place.platform;
    let can = software.map(|software| {
        let ability = ability(software, version.as_deref(), library.as_deref());
        (software, ability)
    });
    steps.push(match can {
        Some((Software::Caddy, _)) => {
            "Caddy 2.11 does not take ML-DSA certificates: another program has to terminate TLS."
                .to_owned()
        }
        Some((software @ (Software::Nginx | Software::Apache | Software::Haproxy), found))
            if found != Ability::Has =>
        {
            format!(
                "First see that {} has OpenSSL 3.5 or later: an earlier one does not read the \
                 ML-DSA key.",
                software.title()
            )
        }
        _ => "Then add an ML-DSA-65 certificate as a second one on the same server: each client \
              gets the one that it knows."
            .to_owned(),
    });
    let fact = |text: &str, confidence| Source {
        text: text.to_owned(),
        confidence,
    };
    Remedy {
        summary: "Plan for two certificates: ECDSA for today's clients, ML-DSA for those that \
                  know it."
            .to_owned(),
        steps,
        software: *software,
        edits: Vec::new(),
        sources: vec![
            fact(
                "run: a server with both gave mldsa65 to a client that knows it, and ECDSA to an \
                 old one",
                Confidence::Primary,
            ),
            fact(
                "run: Go 1.27, Node 24 and 26, Envoy 1.39, and nginx, HAProxy and Apache with \
                 OpenSSL 3.6 take ML-DSA; Caddy 2.11 does not",
                Confidence::Primary,
            ),
        ],
    }
}

#[cfg(test)]
mod tests;

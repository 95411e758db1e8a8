//! What configurations show, alone and beside the answers of their servers.

use super::{Draft, hybrid};
use crate::directives::{Ability, Aim, CIPHERS, KEY_EXCHANGE, VERSIONS, ability, present};
use crate::estate::Scope;
use crate::remedies::Wish;
use crate::uses::place;
use crate::{
    Algorithm, Answer, Check, Endpoint, Evidence, Resistance, Role, Severity, Software, Subject,
    TlsService,
};

use Role::KeyEstablishment;

/// What one scope shows. Where its server was scanned, the answers count for what is on.
pub(super) fn of_scope(scope: Scope<'_>, is_scanned: bool) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = unknown_group(scope).into_iter().collect();
    if !is_scanned {
        drafts.extend(static_rsa(scope));
        drafts.extend(classical(scope));
        drafts.extend(versions(scope));
    }
    drafts
}

fn stands(algorithm: &Algorithm) -> bool {
    matches!(
        algorithm.resistance(),
        Resistance::Hybrid | Resistance::PostQuantum
    )
}

fn draft(check: Check, severity: Severity, scope: Scope<'_>, title: String, wish: Wish) -> Draft {
    Draft::new(check, severity, scope.subject(), title, wish)
}

fn unknown_group(scope: Scope<'_>) -> Option<Draft> {
    let settings = scope.settings;
    let found = ability(
        settings.software,
        settings.version.as_deref(),
        settings.library.as_deref(),
    );
    let names_one = !settings.key_exchanges_by_default
        && settings.key_exchanges.iter().any(|algorithm| match found {
            Ability::Lacks => stands(algorithm),
            // OpenSSH with sntrup761 and without ML-KEM.
            Ability::HasSntrup => algorithm
                .parts()
                .iter()
                .any(|part| matches!(part, Algorithm::MlKem(_))),
            Ability::Has | Ability::NotKnown => false,
        });
    if !names_one {
        return None;
    }
    let directive = present(settings, Aim::Hybrid);
    let software = settings.software;
    let consequence = match software {
        Software::Nginx | Software::Apache => "the server does not start",
        _ => "the group is not used, or the program does not start",
    };
    let version = settings.version.iter().map(|version| format!(" {version}"));
    let library = settings
        .library
        .iter()
        .map(|library| format!(" with {library}"));
    let title = format!(
        "A post-quantum group is named that {}{} does not know: {consequence}",
        software.title(),
        version.chain(library).collect::<String>()
    );
    let text = directive.map_or("a post-quantum group is named".to_owned(), |directive| {
        format!("{} {}", directive.name, directive.value)
    });
    let location = scope.location(KEY_EXCHANGE);
    let wish = match software {
        Software::Openssh => Wish::SshHybrid,
        _ => Wish::Hybrid,
    };
    Some(
        draft(Check::UnknownGroup, Severity::High, scope, title, wish)
            .seen(Evidence::in_file(text, location)),
    )
}

fn static_rsa(scope: Scope<'_>) -> Option<Draft> {
    (scope.settings.static_rsa == Some(true)).then(|| {
        let title = "Static RSA key transport is configured: the server's private key alone \
                     decrypts every recorded session, without a quantum computer";
        let location = scope.location(CIPHERS);
        let text = match scope.settings.suites.is_empty() {
            true => "by default".to_owned(),
            false => scope.settings.suites.join(", "),
        };
        let severity = Severity::High;
        draft(
            Check::StaticRsa,
            severity,
            scope,
            title.to_owned(),
            Wish::ForwardSecrecy,
        )
        .about(KeyEstablishment, Algorithm::Rsa(0))
        .seen(Evidence::in_file(text, location))
    })
}

fn classical(scope: Scope<'_>) -> Option<Draft> {
    let settings = scope.settings;
    let exchanges = &settings.key_exchanges;
    let all_fall = exchanges
        .iter()
        .all(|algorithm| algorithm.resistance() == Resistance::Vulnerable);
    let first = exchanges.first().filter(|_| all_fall)?;
    let names: Vec<String> = exchanges.iter().map(ToString::to_string).collect();
    let how = match settings.key_exchanges_by_default {
        true => " by default",
        false => "",
    };
    let title = "Only classical key exchange is configured: what is recorded now can be decrypted \
                 by a later quantum computer";
    let evidence = Evidence::in_file(
        format!("{}{how}", names.join(", ")),
        scope.location(KEY_EXCHANGE),
    );
    let (check, wish) = match settings.software {
        Software::Openssh => (Check::SshKeyExchange, Wish::SshHybrid),
        _ => (Check::ClassicalKeyExchange, Wish::Hybrid),
    };
    let found = draft(check, Severity::Medium, scope, title.to_owned(), wish)
        .about(KeyEstablishment, first.clone())
        .seen(evidence);
    Some(Draft {
        instead: (check == Check::ClassicalKeyExchange).then(hybrid),
        ..found
    })
}

fn versions(scope: Scope<'_>) -> Option<Draft> {
    let is_old = |version: &&String| {
        let lower = version.to_ascii_lowercase().replace(['_', ' ', 'v'], "");
        matches!(
            lower.as_str(),
            "tls1" | "tls1.0" | "tls1.1" | "tls10" | "tls11" | "ssl3"
        )
    };
    let old: Vec<&str> = scope
        .settings
        .versions
        .iter()
        .filter(is_old)
        .map(String::as_str)
        .collect();
    (!old.is_empty()).then(|| {
        let title = format!("{} is configured", old.join(", "));
        let location = scope.location(VERSIONS);
        let text = scope.settings.versions.join(", ");
        draft(
            Check::ProtocolVersion,
            Severity::High,
            scope,
            title,
            Wish::Versions,
        )
        .seen(Evidence::in_file(text, location))
    })
}

/// Where a server does not do what its configuration says.
pub(super) fn beside_answers(
    endpoint: &Endpoint,
    service: &TlsService,
    scope: Scope<'_>,
) -> Vec<Draft> {
    let settings = scope.settings;
    let location = scope.location(KEY_EXCHANGE);
    let mut drafts = Vec::new();
    for tried in &service.groups {
        let algorithm = Algorithm::of_group(tried.offer);
        let is_configured = settings.key_exchanges.contains(&algorithm);
        // Two code points can have one algorithm (brainpool in TLS 1.2 and 1.3).
        let is_taken = service.groups.iter().any(|other| {
            other.answer.is_supported() && Algorithm::of_group(other.offer) == algorithm
        });
        let says = match (&tried.answer, is_configured) {
            (Answer::Refused(refusal), true) if !is_taken => {
                format!("is configured, and refused: {}", refusal.said)
            }
            (Answer::Supported(_), false)
                if !settings.key_exchanges.is_empty() && !settings.key_exchanges_by_default =>
            {
                "is not configured, and taken".to_owned()
            }
            _ => continue,
        };
        let wish = Wish::Words(
            "See which configuration the server really runs with.".to_owned(),
            vec![
                "Reload it, and see that no other file, virtual host or listener comes first."
                    .to_owned(),
                "See whether something else terminates TLS before it.".to_owned(),
                "Where the library is older than the configuration expects, update it.".to_owned(),
            ],
            Vec::new(),
        );
        let title = format!("{} {says}", tried.offer);
        let subject = Subject::from(&endpoint.target);
        let line = present(settings, Aim::Hybrid);
        let configured = line.map_or_else(
            || format!("defaults of {}", settings.software.title()),
            |line| format!("{} {}", line.name, line.value),
        );
        drafts.push(
            Draft::new(Check::Disagreement, Severity::Medium, subject, title, wish)
                .detail(tried.offer.to_string())
                .about(KeyEstablishment, algorithm)
                .seen(Evidence::live(format!(
                    "{}: {} {says}",
                    place(endpoint),
                    tried.offer
                )))
                .seen(Evidence::in_file(configured, location.clone())),
        );
    }
    drafts
}

//! What is tried, and what is to come of it.

use wire::{AlertDescription, NamedGroup, SignatureAlgorithm};

use super::peers::Peers;
use super::{Account, FUNCTION_NAME, PROXY_NAME, Relayed, Request};

/// Who plays a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Pqlab,
    Node,
    Nginx,
    Envoy,
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pqlab => "pqlab",
            Self::Node => "node",
            Self::Nginx => "nginx",
            Self::Envoy => "envoy",
        }
    }
}

/// What the function shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    Valid,
    Revoked,
    Nothing,
    Stranger,
    Expired,
    Server,
}

impl Shown {
    pub(super) const ALL: [Self; 6] = [
        Self::Valid,
        Self::Revoked,
        Self::Nothing,
        Self::Stranger,
        Self::Expired,
        Self::Server,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Nothing => "none",
            Self::Stranger => "other-ca",
            Self::Expired => "expired",
            Self::Server => "server-usage",
        }
    }
}

/// What is to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The backend answers, and was told the right subject.
    Served,
    /// The proxy refuses with this alert.
    Alert(AlertDescription),
    /// The proxy completes the handshake and refuses with this status.
    Status(u16),
    /// The function refuses the proxy.
    Distrust,
}

impl Expected {
    pub(super) fn title(self) -> String {
        match self {
            Self::Served => "served".to_owned(),
            Self::Alert(alert) => alert.to_string(),
            Self::Status(status) => format!("status {status}"),
            Self::Distrust => "the function refuses the proxy".to_owned(),
        }
    }
}

/// One request of a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub(super) function: Program,
    pub(super) proxy: Program,
    pub(super) group: NamedGroup,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) shown: Shown,
    pub(super) expected: Expected,
}

pub(super) const ALGORITHMS: [SignatureAlgorithm; 2] =
    [SignatureAlgorithm::EcdsaP256, SignatureAlgorithm::MlDsa65];
/// Any OpenSSL has it.
pub(super) const NGINX_ALGORITHM: SignatureAlgorithm = ALGORITHMS[0];
pub(super) const ENVOY_ALGORITHM: SignatureAlgorithm = ALGORITHMS[1];
pub(super) const GROUPS: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::X25519MLKEM768];

/// The alerts that go with each certificate that is not taken (RFC 8446 section 6.2).
const REFUSALS: [(Shown, AlertDescription); 5] = [
    (Shown::Revoked, AlertDescription::CERTIFICATE_REVOKED),
    (Shown::Nothing, AlertDescription::CERTIFICATE_REQUIRED),
    (Shown::Stranger, AlertDescription::UNKNOWN_CA),
    (Shown::Expired, AlertDescription::CERTIFICATE_EXPIRED),
    (Shown::Server, AlertDescription::UNSUPPORTED_CERTIFICATE),
];

/// All trials, with those of the programs that are there.
pub(super) fn all(peers: &Peers) -> Vec<Trial> {
    let mut all = Vec::new();
    let [x25519, hybrid] = GROUPS;
    let [ecdsa, ml_dsa] = ALGORITHMS;
    let trial = |(function, proxy), group, algorithm, shown, expected| Trial {
        function,
        proxy,
        group,
        algorithm,
        shown,
        expected,
    };
    let ours = (Program::Pqlab, Program::Pqlab);
    for algorithm in ALGORITHMS {
        for group in GROUPS {
            all.push(trial(
                ours,
                group,
                algorithm,
                Shown::Valid,
                Expected::Served,
            ));
        }
    }
    for algorithm in ALGORITHMS {
        for (shown, alert) in REFUSALS {
            all.push(trial(
                ours,
                hybrid,
                algorithm,
                shown,
                Expected::Alert(alert),
            ));
        }
        all.push(trial(
            ours,
            hybrid,
            algorithm,
            Shown::Valid,
            Expected::Distrust,
        ));
    }
    let mut third = |parties, (group, algorithm), refusal| {
        all.push(trial(
            parties,
            group,
            algorithm,
            Shown::Valid,
            Expected::Served,
        ));
        all.push(trial(parties, group, algorithm, Shown::Revoked, refusal));
    };
    if let Ok(node) = &peers.node {
        let cell = match node.is_post_quantum {
            true => (hybrid, ml_dsa),
            false => (x25519, ecdsa),
        };
        third(
            (Program::Node, Program::Pqlab),
            cell,
            Expected::Alert(AlertDescription::CERTIFICATE_REVOKED),
        );
    }
    if peers.nginx.is_ok() {
        // It refuses when the handshake is over.
        let cell = (x25519, NGINX_ALGORITHM);
        third(
            (Program::Pqlab, Program::Nginx),
            cell,
            Expected::Status(400),
        );
    }
    if peers.envoy.is_ok() {
        let cell = (hybrid, ml_dsa);
        third(
            (Program::Pqlab, Program::Envoy),
            cell,
            Expected::Alert(AlertDescription::CERTIFICATE_REVOKED),
        );
    }
    all
}

/// What the path of every request begins with.
pub(super) const PATH: &str = "/orders/";
/// The end of every name that functions have.
pub(super) const CLOUD_A: &str = "cloud-a.internal";

/// That a request reached the backend while its trial was not on, or once more.
pub(super) fn stray(request: &Request) -> String {
    let path = &request.path;
    match path.strip_prefix(PATH) {
        Some(number) => format!("the request of trial {number} reached the backend out of turn"),
        None => format!("a request for {path:?} reached the backend, which nobody had to make"),
    }
}

/// What is otherwise than it should be.
pub(super) fn faults(
    trial: &Trial,
    account: &Account,
    relayed: Option<&Relayed>,
    request: Option<&Request>,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |is_met: bool, fault: &str| {
        if !is_met {
            faults.push(fault.to_owned());
        }
    };
    let facts = trial.algorithm.facts();
    let is_or_unknown = |said: &Option<String>, wanted: String| {
        said.as_ref()
            .is_none_or(|said| said.eq_ignore_ascii_case(&wanted))
    };
    match trial.expected {
        Expected::Served => {
            demand(account.status == Some(200), "the function got no answer");
            let subject = request.and_then(|request| request.subject.as_deref());
            demand(
                subject == Some(&format!("CN={FUNCTION_NAME}")),
                "the backend was not told the function's subject",
            );
            let told = request.and_then(|request| request.group.clone());
            demand(
                is_or_unknown(&account.group, trial.group.to_string())
                    && is_or_unknown(&told, trial.group.to_string()),
                "another group was negotiated",
            );
            demand(
                is_or_unknown(&account.proxy_scheme, facts.scheme.to_string())
                    && is_or_unknown(&account.function_scheme, facts.scheme.to_string()),
                "another signature scheme was used",
            );
        }
        Expected::Alert(alert) => {
            demand(account.status.is_none(), "the function got an answer");
            demand(account.alert == Some(alert.0), "there was no such alert");
        }
        Expected::Status(status) => {
            demand(account.status == Some(status), "there was no such status");
        }
        Expected::Distrust => {
            demand(account.is_refusal, "the function did not refuse the proxy");
        }
    }
    if trial.expected != Expected::Served {
        demand(request.is_none(), "the request reached the backend");
    }
    match relayed {
        None => demand(false, "the transit relayed no connection"),
        Some(relayed) => {
            let has = |word: &str| relayed.words.contains(word);
            // The ClientHello is not encrypted (RFC 6066 section 3).
            demand(has(PROXY_NAME), "the transit saw no server name");
            demand(
                !has(CLOUD_A) && !has(PATH),
                "the transit could read who asked, or for what",
            );
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_request_is_called_by_its_trial() {
        let request = |path: &str| Request {
            path: path.to_owned(),
            ..Request::default()
        };
        assert!(stray(&request("/orders/12")).contains("trial 12 "));
        assert!(stray(&request("/admin")).contains("\"/admin\""));
    }
}

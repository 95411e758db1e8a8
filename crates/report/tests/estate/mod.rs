//! An estate that was made up, with every kind of outcome of an ordinary client.

use audit::{
    Answer, Assessment, Cause, ClientOutcome, Endpoint, Estate, Interval, Measured, Policy, Prices,
    Profile, Refusal, Service, Tried, assess,
};
use time::Date;
use time::macros::date;
use wire::{CipherSuite, NamedGroup};

pub(crate) const TODAY: Date = date!(2026 - 11 - 26);

fn outcome(group: Option<NamedGroup>, version: u16, suite: u16) -> Answer<ClientOutcome> {
    Answer::Supported(ClientOutcome {
        version,
        group,
        suite: CipherSuite(suite),
        scheme: None,
        has_hello_retry: group == Some(NamedGroup::SECP256R1),
        round_trips: 1,
        client_hello: 1700,
        server_flight: 3000,
    })
}

fn answers() -> [(&'static str, Answer<ClientOutcome>); 6] {
    [
        (
            "Chrome 156",
            outcome(Some(NamedGroup::X25519MLKEM768), 0x0304, 0x1301),
        ),
        (
            "Go 1.27",
            outcome(Some(NamedGroup::MLKEM1024), 0x0304, 0x1301),
        ),
        (
            "OpenSSL 3.0",
            outcome(Some(NamedGroup::SECP256R1), 0x0304, 0x1301),
        ),
        ("Java 17", outcome(None, 0x0303, 0x009d)),
        (
            "a client of 2014",
            Answer::Refused(Refusal::by_choice("handshake_failure")),
        ),
        (
            "curl 8.5",
            Answer::unknown(Cause::Timeout, "nothing within 5 s"),
        ),
    ]
}

/// The estate of audit's own tests, with ordinary clients at each TLS endpoint, one less and in
/// another order at each.
pub(crate) fn estate() -> Estate {
    let text = include_str!("../../../audit/tests/estate.json");
    let mut estate: Estate = serde_json::from_str(text).unwrap();
    for (at, endpoint) in estate.endpoints.iter_mut().enumerate() {
        let Endpoint {
            service: Service::Tls(service),
            ..
        } = endpoint
        else {
            continue;
        };
        let answers = answers().into_iter().cycle().skip(at).take(6 - at);
        let tried = answers.map(|(_, answer)| answer);
        let names = self::answers().map(|(name, _)| name.to_owned());
        service.clients = names
            .into_iter()
            .zip(tried)
            .map(|(offer, answer)| Tried { offer, answer })
            .collect();
    }
    estate
}

/// Judged by all policies that are known, with prices of a made-up run.
pub(crate) fn assessed(estate: &Estate, profile: &Profile) -> Assessment {
    let exactly = |value: f64| Interval {
        value,
        low: value - 1.5,
        high: value + 1.5,
    };
    let measured = |name: &str, server: f64, bytes_up, bytes_down| Measured {
        algorithm: name.parse().unwrap(),
        client: exactly(2.0 * server),
        server: exactly(server),
        bytes_up,
        bytes_down,
        round_trips: 1.0,
    };
    let prices = Prices {
        run: "a made-up run".to_owned(),
        machine: "a made-up machine".to_owned(),
        key_establishment: vec![
            measured("X25519", 90.0, 232, 1000),
            measured("X25519+ML-KEM-768", 112.0, 1416, 2088),
        ],
        signatures: Vec::new(),
    };
    assess(estate, &Policy::known(), profile, TODAY, Some(&prices))
}

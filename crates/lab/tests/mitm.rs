//! Every scene with both libraries, over sockets.
#![allow(clippy::unwrap_used)]

use experiment::{Handshake, Library, Side, StackName};
use lab::mitm::{Cause, Outcome, Party, Play, Scene, perform, picture};
use stack::{
    ClientProfile, Credentials, Endpoint, PhaseTiming, STACKS, ServerProfile, StackError, TlsStack,
    Unsupported,
};

const LIBRARIES: [&str; 2] = ["rustls", "openssl"];

fn library(name: &str) -> &'static dyn TlsStack {
    let mut stacks = STACKS.iter().copied();
    stacks.find(|stack| stack.name().as_str() == name).unwrap()
}

fn play(scene: Scene, library_name: &str) -> Play {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(perform(scene, library(library_name)))
        .unwrap()
}

/// The scene with each library.
fn plays(scene: Scene) -> [Play; 2] {
    LIBRARIES.map(|library| play(scene, library))
}

/// What was said, and what the attacker had of it.
fn text(play: &Play) -> String {
    let acts = play.acts.iter();
    let lines = acts.map(|act| {
        let gain = act.gain.as_deref().unwrap_or_default();
        format!("{} > {}: {} [{gain}]\n", act.from, act.to, act.what)
    });
    lines.collect()
}

#[test]
fn whoever_does_not_verify_or_trusts_the_attacker_is_read_and_lied_to() {
    for scene in [
        Scene::PlainHttp,
        Scene::NoVerification,
        Scene::TrustedAuthority,
    ] {
        for play in plays(scene) {
            let what = format!("{scene} with {}", play.stack);
            assert!(play.is_as_expected(), "{what}: {}", text(&play));
            assert_eq!(play.outcome(), Outcome::Succeeds, "{what}");
            assert_eq!(play.read.as_deref(), Some("Bearer 8f1c-alice"), "{what}");
            let sent = play.sent.unwrap();
            let received = play.received.unwrap();
            assert!(sent.ends_with("SHOP-1000."), "{what}: {sent}");
            assert!(received.ends_with("MALLORY-66."), "{what}: {received}");
        }
    }
}

#[test]
fn certificates_that_the_anchors_do_not_vouch_for_are_refused() {
    let said = [
        (
            Scene::SelfSigned,
            ["UnknownIssuer", "self-signed certificate"],
        ),
        (
            Scene::LookalikeAuthority,
            ["BadSignature", "unable to get local issuer certificate"],
        ),
    ];
    for (scene, said) in said {
        for (play, words) in plays(scene).into_iter().zip(said) {
            let what = format!("{scene} with {}: {}", play.stack, text(&play));
            assert!(play.is_as_expected(), "{what}");
            let refusal = play.refusal.unwrap();
            assert!(refusal.words.contains(words), "{what}");
            assert!(refusal.alert.is_some(), "{what}");
            assert_eq!((play.read, play.received), (None, None), "{what}");
        }
    }
}

#[test]
fn a_stolen_chain_is_good_for_nothing_without_its_key() {
    for play in plays(Scene::StolenCertificate) {
        let what = format!("{}: {}", play.stack, text(&play));
        assert!(play.is_as_expected(), "{what}");
        let refusal = play.refusal.unwrap();
        assert_eq!(refusal.cause, Cause::CryptographicCheck, "{what}");
        assert_eq!(
            refusal.alert.as_deref(),
            Some("decrypt_error (51)"),
            "{what}"
        );
        // The chain itself is the real one.
        assert!(what.contains("signed by CN=Honest Root CA"), "{what}");
    }
}

#[test]
fn an_eavesdropper_has_names_and_lengths_alone() {
    for play in plays(Scene::Eavesdropper) {
        let what = format!("{}: {}", play.stack, text(&play));
        assert!(play.is_as_expected(), "{what}");
        assert_eq!(play.read, None, "{what}");
        assert_eq!(play.sent, play.received, "{what}");
        let sent = play.sent.as_deref().unwrap_or_default();
        assert!(sent.contains("SHOP"), "{what}");
        for part in [
            "reads: the server's name shop.pqlab.test",
            "X25519MLKEM768 (1216 B)",
            "x25519, 32 and 32 B: a quantum computer",
        ] {
            assert!(what.contains(part), "{part:?} is not in {what}");
        }
        let kept: Vec<_> = play
            .recordings()
            .map(|kept| (kept.group, kept.opens_later, kept.bytes > 1000))
            .collect();
        assert_eq!(
            kept,
            [("X25519MLKEM768", false, true), ("x25519", true, true)],
            "{what}"
        );
        let picture = picture(std::slice::from_ref(&play));
        for said in [&play.verdict(), &picture] {
            assert!(said.contains("opens later"), "{said}");
        }
        assert!(picture.contains("does not open later"), "{picture}");
    }
}

#[test]
fn a_client_hello_that_was_changed_ends_the_handshake() {
    for play in plays(Scene::Downgrade) {
        let what = format!("{}: {}", play.stack, text(&play));
        assert!(play.is_as_expected(), "{what}");
        let refusal = play.refusal.unwrap();
        assert_eq!(refusal.by, Party::Client, "{what}");
        // The server was taken in: it is the hash of the messages that gives the attacker away.
        assert!(what.contains("ServerHello: key share x25519"), "{what}");
        assert_eq!((play.sent, play.received), (None, None), "{what}");
    }
}

#[test]
fn a_server_that_asks_for_a_certificate_is_not_deceived_by_a_careless_client() {
    for play in plays(Scene::ClientCertificate) {
        let what = format!("{}: {}", play.stack, text(&play));
        assert!(play.is_as_expected(), "{what}");
        assert_eq!(play.outcome(), Outcome::InPart, "{what}");
        let refusal = play.refusal.unwrap();
        assert_eq!(refusal.by, Party::Server, "{what}");
        assert_eq!(
            refusal.alert.as_deref(),
            Some("decrypt_error (51)"),
            "{what}"
        );
        assert!(what.contains("alert certificate_required (116)"), "{what}");
        assert!(what.contains("CN=alice.pqlab.test"), "{what}");
        assert_eq!(play.received, None, "{what}");
    }
}

/// A library whose servers take clients without a certificate, though they are told not to.
struct Lenient(&'static dyn TlsStack);

impl TlsStack for Lenient {
    fn name(&self) -> StackName {
        self.0.name()
    }

    fn library(&self) -> Library {
        self.0.library()
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        self.0.supports(side, handshake)
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        self.0.endpoint(side, handshake, credentials, timing)
    }

    fn server(&self, profile: &ServerProfile) -> Result<Box<dyn Endpoint>, StackError> {
        let mut profile = profile.clone();
        if let Some(authentication) = &mut profile.client_authentication {
            authentication.is_required = false;
        }
        self.0.server(&profile)
    }

    fn client(&self, profile: &ClientProfile) -> Result<Box<dyn Endpoint>, StackError> {
        self.0.client(profile)
    }
}

#[tokio::test]
async fn a_server_that_takes_a_client_without_certificate_is_not_as_expected() {
    for name in LIBRARIES {
        let lenient: &'static Lenient = Box::leak(Box::new(Lenient(library(name))));
        let play = perform(Scene::ClientCertificate, lenient).await.unwrap();
        let what = format!("{name}: {}", text(&play));
        // The last attempt is refused as ever.
        assert_eq!(play.refusal.as_ref().unwrap().by, Party::Server, "{what}");
        assert!(!play.is_as_expected(), "{what}");
        assert_eq!(play.faults.len(), 1, "{what}");
    }
}

#[test]
fn the_picture_tells_everything_within_its_borders() {
    let plays = [
        Scene::Eavesdropper,
        Scene::Downgrade,
        Scene::TrustedAuthority,
    ]
    .map(|scene| play(scene, "openssl"));
    let picture = picture(&plays);
    let document = roxmltree::Document::parse(&picture).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let [width, height] = ["width", "height"].map(|name| number(root, name));
    assert!(width <= 1200.0, "{width}");
    let of = |name: &'static str| {
        root.descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    let description = of("desc").next().and_then(|node| node.text()).unwrap();
    let mut said = String::new();
    for text in of("text") {
        let content = text.text().unwrap_or_default().trim();
        let end = number(text, "x") + 6.0 * content.chars().count() as f64;
        assert!(
            end <= width && number(text, "y") <= height,
            "{content:?} ends at {end}"
        );
        said += content;
        said.push(' ');
    }
    for play in &plays {
        assert!(description.contains(&play.verdict()), "{description}");
        for act in &play.acts {
            assert!(said.contains(&act.what), "{:?} is not in {said}", act.what);
        }
    }
}

#[test]
fn scenes_are_found_by_their_names() {
    for scene in Scene::ALL {
        assert_eq!(scene.name().parse(), Ok(scene));
    }
    let unknown = "evil-twin".parse::<Scene>().unwrap_err();
    assert!(unknown.to_string().contains("lookalike-ca"), "{unknown}");
}

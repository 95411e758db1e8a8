//! curl_cffi: libcurl over BoringSSL, with a browser's ClientHello or its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use wire::{NamedGroup, SignatureAlgorithm};

use crate::abilities::{Abilities, ECDSA, ML_DSA, RSA};
use crate::installed::{absent, ask, find, source};
use crate::party::{Client, Peer, Run, run_client};
use crate::terms::{ClientTerms, Seen};

/// With Chrome's ClientHello.
pub(crate) fn chrome() -> Peer {
    peer(
        "curl_cffi chrome",
        Some("chrome"),
        Abilities {
            groups: vec![
                NamedGroup::X25519,
                NamedGroup::SECP256R1,
                NamedGroup::X25519MLKEM768,
            ],
            chains: vec![ECDSA, RSA, ML_DSA],
            dual: Some(SignatureAlgorithm::MlDsa65),
            fixed_groups: true,
            ..Abilities::default()
        },
    )
}

/// With libcurl's own ClientHello: a client from before post-quantum groups.
pub(crate) fn plain() -> Peer {
    peer(
        "curl_cffi plain",
        None,
        Abilities {
            groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            chains: vec![ECDSA, RSA],
            tls12: true,
            dual: Some(SignatureAlgorithm::EcdsaP256),
            fixed_groups: true,
            ..Abilities::default()
        },
    )
}

fn peer(name: &'static str, browser: Option<&'static str>, abilities: Abilities) -> Peer {
    let python = find("venv/bin/python", &["python3"]);
    let code = "import curl_cffi; print(curl_cffi.__version__)";
    let version = ask(python.as_ref(), "curl_cffi", &["-c", code])
        // A Python without it.
        .map_err(|_| absent("curl_cffi"))
        .map(|text| text.trim().to_owned());
    let client = CurlCffi {
        python: python.unwrap_or_default(),
        browser,
    };
    Peer {
        name,
        version,
        client: Some((abilities, Box::new(client))),
        server: None,
    }
}

struct CurlCffi {
    python: PathBuf,
    browser: Option<&'static str>,
}

impl Client for CurlCffi {
    fn connect(&self, terms: &ClientTerms, run: &Run) -> Result<Seen> {
        let mut command = Command::new(&self.python);
        command.arg(source("curl_cffi/client.py"));
        command.arg(serde_json::to_string(terms)?);
        run_client(command.args(self.browser), run)
    }

    fn refuses_by_alert(&self) -> bool {
        false
    }
}

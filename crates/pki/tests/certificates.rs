//! What is read out of certificates made here.
#![allow(clippy::unwrap_used)]

use pki::{Cache, Certificate, Role};
use wire::{ChainAlgorithms, SignatureAlgorithm};

#[test]
fn every_algorithm_is_named_and_every_name_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("pki")).unwrap();
    for algorithm in SignatureAlgorithm::ALL {
        let chain = ChainAlgorithms::uniform(algorithm);
        let identity = cache.identity(chain, Role::Server).unwrap();
        let [leaf, intermediate] = identity.chain() else {
            panic!("a chain of two");
        };
        let leaf = Certificate::from_der(leaf).unwrap();
        let intermediate = Certificate::from_der(intermediate).unwrap();
        let root = Certificate::from_der(identity.root()).unwrap();
        assert_eq!(leaf.subject, format!("CN={}", pki::SERVER_NAME));
        assert_eq!(leaf.names, [pki::SERVER_NAME, "localhost", "127.0.0.1"]);
        assert_eq!(leaf.issuer, intermediate.subject);
        assert_eq!(intermediate.issuer, root.subject);
        assert_eq!(root.issuer, root.subject);
        assert_eq!(leaf.serial.len(), 34);
        assert!(leaf.not_before < leaf.not_after);
        let is_post_quantum = algorithm.facts().post_quantum;
        for part in [&leaf.key, &leaf.signature] {
            assert_eq!(part.is_post_quantum, is_post_quantum, "{algorithm}");
            assert!(!part.name.contains("1."), "{algorithm}: {}", part.name);
        }
        assert_eq!(leaf.length, identity.chain()[0].len());
    }
}

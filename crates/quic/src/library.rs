//! The libraries behind all of this.

use experiment::Library;

/// quinn and its protocol code; the lock file pins them.
const VERSION: &str = "quinn 0.11.12 with quinn-proto 0.11.19 on rustls";

/// What a run's manifest says of QUIC.
pub fn library() -> Library {
    Library {
        name: "quic".to_owned(),
        version: VERSION.to_owned(),
        caveat: Some("round trips are counted over a simulated link".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The versions stand in the code because no library tells its own.
    #[test]
    fn the_lock_file_has_these_versions() {
        let lock = include_str!("../../../Cargo.lock");
        for package in ["quinn", "quinn-proto"] {
            let entry = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
            let (version, _) = entry.unwrap().1.split_once('"').unwrap();
            assert!(
                VERSION.contains(&format!("{package} {version}")),
                "{package} {version}"
            );
        }
    }
}

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the experiment, or a part of it, could not be performed. A refusal that was to be
/// shown is none.
#[derive(Debug, thiserror::Error)]
pub enum CrossCloudError {
    /// An environment variable of the function is missing or holds something else.
    #[error("{name}: {why}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A folder or a file.
    #[error("can't {action} {}", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The folder in which everything is to be left has something else in it.
    #[error("{} is not empty: name a folder that is new", .0.display())]
    NotEmpty(PathBuf),
    /// The folder in which everything is to be left is something else.
    #[error("{} is no folder", .0.display())]
    NoFolder(PathBuf),
    /// The authority could not issue.
    #[error(transparent)]
    Ca(#[from] ca::CaError),
    /// This build can't speak TLS as it is to be spoken.
    #[error("{what}: {why}")]
    Tls {
        /// For what.
        what: &'static str,
        /// In the library's words.
        why: String,
    },
    /// A part can't listen.
    #[error("can't listen at {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A program could not be started.
    #[error("{program} can't be started")]
    Start {
        /// Its name.
        program: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A part did not say what it should have.
    #[error("the {part} did not {what}: {last}")]
    Silent {
        /// Which.
        part: String,
        /// What was expected of it.
        what: &'static str,
        /// What it wrote last.
        last: String,
    },
    /// All of it took too long.
    #[error("no end within {0:?}")]
    Timeout(Duration),
}

impl CrossCloudError {
    /// With what the system says.
    pub(super) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// For results of the file system.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File {
            action,
            path,
            error,
        }
    }
}

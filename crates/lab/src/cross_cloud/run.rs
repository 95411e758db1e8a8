//! The experiment: everything is set up, tried, judged, and taken down again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::credentials::make_private;
use super::peers::Peers;
use super::stage::Stage;
use super::{CrossCloudError, Outcome, Report, by_hand, trial};

/// How the experiment is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `pqlab`, which is started again for each part.
    pub program: PathBuf,
    /// The arguments before a [`Role`](super::Role) in JSON.
    pub role_arguments: Vec<String>,
    /// Folders of `scripts/install-peers` to look into before the search path.
    pub peers: Vec<PathBuf>,
    /// Whether network namespaces are tried.
    pub namespaces: bool,
    /// A folder for everything, which stays, with a script of the main path by hand; else
    /// nothing is left.
    pub keep: Option<PathBuf>,
    /// The time for all of it.
    pub limit: Duration,
}

/// Performs the experiment; `tell` gets each outcome as soon as it is there. At the end every
/// process has ended and, but for what is kept, every file is gone. When the future is dropped,
/// processes are killed and files removed, and nothing is waited for.
///
/// Needs a tokio runtime with I/O and time.
///
/// # Errors
/// When a part does not come up, or files can't be removed. What goes otherwise than it should
/// is in the report.
pub async fn run(plan: &Plan, tell: &(dyn Fn(&Outcome) + Sync)) -> Result<Report, CrossCloudError> {
    let folder = Folder::make(plan.keep.as_deref())?;
    let performed = timeout(plan.limit, perform(plan, folder.path(), tell)).await;
    let performed = performed.unwrap_or(Err(CrossCloudError::Timeout(plan.limit)));
    let closed = folder.close();
    let report = performed?;
    closed?;
    Ok(report)
}

async fn perform(
    plan: &Plan,
    folder: &Path,
    tell: &(dyn Fn(&Outcome) + Sync),
) -> Result<Report, CrossCloudError> {
    if plan.keep.is_some() {
        by_hand::write_script(plan, folder)?;
    }
    let mut peers = Peers::find(&plan.peers).await;
    let mut stage = Stage::set(plan, folder, &mut peers).await?;
    let report = try_all(&mut stage, &peers, tell).await;
    stage.end().await;
    report
}

async fn try_all(
    stage: &mut Stage<'_>,
    peers: &Peers,
    tell: &(dyn Fn(&Outcome) + Sync),
) -> Result<Report, CrossCloudError> {
    let (names, mut faults) = stage.look_up().await?;
    let mut outcomes = Vec::new();
    for (at, trial) in trial::all(peers).iter().enumerate() {
        let outcome = stage.perform(at + 1, trial, peers).await?;
        tell(&outcome);
        outcomes.push(outcome);
    }
    faults.extend(stage.strays().await);
    Ok(Report {
        topology: stage.topology().clone(),
        names,
        outcomes,
        skipped: peers.skipped(),
        faults,
    })
}

/// Where everything is written.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn make(kept: Option<&Path>) -> Result<Self, CrossCloudError> {
        let Some(folder) = kept else {
            let made = tempfile::tempdir();
            let made = made.map_err(CrossCloudError::file("make", std::env::temp_dir()))?;
            return Ok(Self::Temporary(made));
        };
        // A folder that exists keeps its mode: it is somebody's.
        if !folder.exists() {
            make_private(folder)?;
        }
        if !folder.is_dir() {
            return Err(CrossCloudError::NoFolder(folder.to_owned()));
        }
        let failed = |error| CrossCloudError::file("read", folder)(error);
        if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(CrossCloudError::NotEmpty(folder.to_owned()));
        }
        Ok(Self::Kept(std::path::absolute(folder).map_err(failed)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// Removes what is not kept.
    fn close(self) -> Result<(), CrossCloudError> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Temporary(folder) => {
                let path = folder.path().to_owned();
                folder
                    .close()
                    .map_err(CrossCloudError::file("remove", path))
            }
        }
    }
}

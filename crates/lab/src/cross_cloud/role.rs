//! What a process plays in the experiment.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::CrossCloudError;
use super::backend::{self, Backend};
use super::function::{self, Call, Settings};
use super::resolver::Resolver;
use super::transit::{self, Transit};

/// One part, with all that it is told beside its environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The function in cloud A: one request.
    Function(Call),
    /// The relay between the clouds.
    Transit(Transit),
    /// The service in cloud B.
    Backend(Backend),
    /// Somebody who looks a name up.
    Resolve(Question),
}

/// A name to look up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) resolver: Resolver,
}

/// Plays a part; `tell` gets each line of its account, one JSON object. The transit and the
/// backend play until the standard input ends, as it does when whoever started them is gone.
///
/// Needs a tokio runtime with I/O and time.
///
/// # Errors
/// When it can't listen, or the function's settings are not what they should be.
pub async fn play(role: Role, tell: fn(&str)) -> Result<(), CrossCloudError> {
    match role {
        Role::Function(call) => {
            let account = function::call(&call, &Settings::from_environment()?).await?;
            tell(&serde_json::json!({ "account": account }).to_string());
            Ok(())
        }
        Role::Resolve(question) => {
            let Question {
                place,
                name,
                resolver,
            } = question;
            let lookup = resolver.lookup(&place, &name).await;
            tell(&serde_json::json!({ "lookup": lookup }).to_string());
            Ok(())
        }
        Role::Transit(transit) => until_abandoned(transit::relay(transit, tell)).await,
        Role::Backend(backend) => until_abandoned(backend::serve(backend, tell)).await,
    }
}

async fn until_abandoned(
    work: impl Future<Output = Result<(), CrossCloudError>>,
) -> Result<(), CrossCloudError> {
    let (sender, abandoned) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // What stands there does not matter, and an error is an end as well.
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = sender.send(());
    });
    tokio::select! {
        done = work => done,
        _ = abandoned => Ok(()),
    }
}

//! The main path by hand: a script of the program's own commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::credentials::{PASSWORD, write};
use super::run::Plan;
use super::{CrossCloudError, FUNCTION_NAME, PROXY_NAME};

const SCRIPT: &str = include_str!("by_hand.sh");

/// Writes the script into the folder that is kept.
pub(super) fn write_script(plan: &Plan, folder: &Path) -> Result<(), CrossCloudError> {
    let path = folder.join("by-hand.sh");
    let program = plan.program.display().to_string().replace('\'', "'\\''");
    let text = SCRIPT
        .replace("{program}", &program)
        .replace("{role}", &plan.role_arguments.join(" "))
        .replace("{proxy_name}", PROXY_NAME)
        .replace("{function_name}", FUNCTION_NAME)
        .replace("{password}", PASSWORD);
    write(&path, &text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(CrossCloudError::file("write", &path))
}

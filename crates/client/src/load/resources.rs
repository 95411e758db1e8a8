//! What the system grants this process, and what it used.

#[cfg(target_os = "linux")]
mod linux {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    /// How many descriptors this process may have, after asking for as many as it can get.
    pub(in super::super) fn descriptors() -> Option<usize> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let granted = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => hard,
            Err(_) => soft,
        };
        usize::try_from(granted).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    /// There is no portable way to ask.
    pub(in super::super) fn descriptors() -> Option<usize> {
        None
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::descriptors;
#[cfg(not(target_os = "linux"))]
pub(super) use other::descriptors;

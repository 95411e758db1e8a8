//! Files of the store: written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Fails writes on command, to stand for a process that is killed before them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fuse(#[cfg(test)] Option<std::sync::Arc<std::sync::atomic::AtomicI64>>);

impl Fuse {
    /// Lets this many writes through, and none after them.
    #[cfg(test)]
    pub(crate) fn after(writes: i64) -> Self {
        Self(Some(std::sync::Arc::new(writes.into())))
    }

    #[cfg(test)]
    pub(crate) fn burn(&self) -> io::Result<()> {
        use std::sync::atomic::Ordering;
        match &self.0 {
            Some(left) if left.fetch_sub(1, Ordering::SeqCst) <= 0 => {
                Err(io::Error::other("the fuse has blown"))
            }
            _ => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests look at it")]
    pub(crate) fn burn(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a file that must not be there yet and that nobody else may read. After a kill
/// there is the whole file, or at most one that ends in `.part`.
pub(crate) fn write_secret(path: &Path, bytes: &[u8], fuse: &Fuse) -> io::Result<()> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let part = path.with_added_extension("part");
    fuse.burn()?;
    // One that a killed process left may have other rights, or be a link.
    if part.symlink_metadata().is_ok() {
        std::fs::remove_file(&part)?;
    }
    let mut file = create_secret(&part)?;
    fuse.burn()?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fuse.burn()?;
    std::fs::rename(&part, path)?;
    // The name itself lasts only once its folder is written.
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn create_secret(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_secret(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes a folder that is its owner's alone.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Whether others than the owner may read the file.
#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// There are no such rights.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

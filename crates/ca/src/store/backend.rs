//! A file that fails its writes on command.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use redb::{Builder, Database, DatabaseError, StorageBackend};

use crate::files::Fuse;

#[derive(Debug)]
struct Fused {
    file: File,
    fuse: Fuse,
}

pub(super) fn open(path: &Path, fuse: &Fuse, is_new: bool) -> Result<Database, DatabaseError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(is_new).open(path);
    let file = file.map_err(|error| DatabaseError::Storage(error.into()))?;
    // What redb's own backend does: one process at a time.
    if file.try_lock().is_err() {
        return Err(DatabaseError::DatabaseAlreadyOpen);
    }
    let mut builder = Builder::new();
    builder.set_check_integrity_on_open(!is_new);
    builder.create_with_backend(Fused {
        file,
        fuse: fuse.clone(),
    })
}

impl StorageBackend for Fused {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.fuse.burn()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.fuse.burn()?;
        self.file.write_all_at(data, offset)
    }
}

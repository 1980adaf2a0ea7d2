//! The files of a site: only their owner can read them, whatever the umask.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

/// Everybody but the owner.
const OTHERS: u32 = 0o077;

/// Creates a folder and its missing parents, all with mode 0700. One that exists stays as it is.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file for writing; a missing one is created with mode 0600.
pub fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The file beside a SQLite file whose name ends so.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The SQLite file and what belongs to it, whether it exists or not.
pub fn companions(database: &Path) -> [PathBuf; 5] {
    [
        database.to_owned(),
        beside(database, "-wal"),
        beside(database, "-shm"),
        beside(database, "-journal"),
        database.with_extension("lock"),
    ]
}

/// Takes the rights of other users to a file away, and logs a warning that it had to.
///
/// A missing file is not an error: SQLite removes some of its files when it closes the database.
pub fn make_private(path: &Path) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() || mode & OTHERS == 0 {
        return;
    }
    let (file, mode) = (path.display(), format!("{mode:04o}"));
    match fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        Ok(()) => tracing::warn!(
            "other users of this machine could read {file} (mode {mode}); its mode is 0600 now"
        ),
        Err(error) => tracing::warn!(
            "other users of this machine can read {file} (mode {mode}), and that cannot be \
             changed: {error}"
        ),
    }
}

/// Logs a warning if other users can enter a folder. Its mode is not changed, since it may contain
/// other things than Postly's.
pub fn warn_of_open_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(metadata) = fs::metadata(folder) else { return };
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        let folder = folder.display();
        tracing::warn!(
            "other users of this machine can enter the folder {folder} (mode {mode:04o}); if it \
             holds nothing else, run: chmod 700 {folder}"
        );
    }
}

/// Whether other users of this machine can read a file or enter a folder.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & OTHERS != 0)
}

/// The room on the disk of a folder, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    pub free: u64,
    pub whole: u64,
}

/// How much room this user has on the disk of a folder.
pub fn space(folder: &Path) -> io::Result<Space> {
    let disk = statvfs(folder)?;
    Ok(Space {
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
        whole: disk.f_blocks.saturating_mul(disk.f_frsize),
    })
}

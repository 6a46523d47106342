//! A file without a name: nobody else can open it, and it is gone with its last handle, also if
//! the process is killed.
//!
//! Linux makes such files (`O_TMPFILE`), on most file systems. Windows removes a file once it is
//! closed, if asked to. Elsewhere a file is made under a name that nothing has, and the name is
//! removed at once; a process that is killed between the two leaves an empty file.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::random;

/// So many names are tried. That one of them is taken is as likely as two equal numbers of 64 bits.
const NAMES_MAX: usize = 16;

/// Makes an empty file without a name in `directory`.
pub(super) fn create(directory: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    if let Some(file) = nameless(directory)? {
        return Ok(file);
    }
    named_for_a_moment(directory)
}

/// Makes the file as Linux does, if the file system of the directory knows such files.
#[cfg(target_os = "linux")]
fn nameless(directory: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE);
    match options.open(directory) {
        // A directory is opened for writing where the flag means nothing (`EISDIR`, `ENOENT`).
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)
            ) =>
        {
            Ok(None)
        }
        made => made.map(Some),
    }
}

/// Makes the file under a name that nothing has, and takes the name away.
fn named_for_a_moment(directory: &Path) -> io::Result<File> {
    // The working directory may change between the two steps.
    let directory = std::path::absolute(directory)?;
    let mut tried = 0;
    loop {
        let path = directory.join(format!(".nanodb-{:016x}.tmp", random::bits()));
        match create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < NAMES_MAX => {
                tried += 1;
            }
            made => return made,
        }
    }
}

#[cfg(not(windows))]
fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.read(true).write(true).create_new(true).open(path)?;
    // A name that stays is a file too much, and no reason to go without one.
    let _ = std::fs::remove_file(path);
    Ok(file)
}

#[cfg(windows)]
fn create_new(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    /// Hints that the bytes need not reach the disk.
    const FILE_ATTRIBUTE_TEMPORARY: u32 = 0x100;
    /// Removes the file when its last handle is closed.
    const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .share_mode(0)
        .attributes(FILE_ATTRIBUTE_TEMPORARY)
        .custom_flags(FILE_FLAG_DELETE_ON_CLOSE)
        .open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_file_without_a_name_takes_bytes_and_its_directory_shows_none() {
        let directory = tempfile::tempdir().unwrap();
        for create in [create, named_for_a_moment] {
            let mut file = create(directory.path()).unwrap();
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
            let metadata = file.metadata().unwrap();
            assert_eq!((metadata.nlink(), metadata.mode() & 0o077), (0, 0));
            file.write_all(b"an older version").unwrap();
            file.rewind().unwrap();
            let mut read = String::new();
            file.read_to_string(&mut read).unwrap();
            assert_eq!(read, "an older version");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let error = create(&directory.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}

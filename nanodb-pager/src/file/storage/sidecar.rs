//! Opening the files beside a database: never through a link, and as private as it is.
//!
//! They hold whole documents, and lie where others may be able to make files too. So a link of
//! a sidecar's name is not followed, wherever it leads, and who may not read the database may not
//! read them. After a crash whoever owns the database must be able to open it, so what the
//! system's administrator makes belongs to that owner.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens the file at `path` beside the database, making an empty one where there is none.
pub(super) fn open(path: &Path, database: &Metadata) -> io::Result<File> {
    loop {
        match open_existing(path) {
            Ok(file) => {
                keep_private(&file, database)?;
                return Ok(file);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match make(path) {
            Ok(file) => {
                give_to_owner(&file, database)?;
                return Ok(file);
            }
            // It has come just now.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens the file at `path` for reading and writing, which is neither a link nor anything but a
/// file.
pub(super) fn open_existing(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true).write(true))
}

/// The same, for reading only.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for whoever writes to it.
    let there = std::fs::symlink_metadata(path)?;
    if !there.is_file() && !there.is_symlink() {
        return Err(no_file(path));
    }
    open_with(path, OpenOptions::new().read(true))
}

fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    refuse_links(options);
    let file = options.open(path).map_err(|error| explain(path, error))?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file(path)) }
}

fn no_file(path: &Path) -> io::Error {
    let why = format!("{} is no ordinary file", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// What the system says of a link is not what is wrong with it here.
fn explain(path: &Path, error: io::Error) -> io::Error {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink());
    if !is_link {
        return error;
    }
    let why = format!("{} is a link, which is not followed: remove it", path.display());
    io::Error::new(error.kind(), why)
}

#[cfg(unix)]
fn refuse_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(libc::O_NOFOLLOW);
}

#[cfg(not(unix))]
fn refuse_links(_: &mut OpenOptions) {}

/// Makes a file that nobody else can open until it is given to its owner.
fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The bits of a mode that say who may read and write.
#[cfg(unix)]
const PERMISSIONS: u32 = 0o777;
#[cfg(unix)]
const GROUP: u32 = 0o070;

/// Lets the same people at a new file as at the database, and no others.
#[cfg(unix)]
fn give_to_owner(file: &File, database: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let made = file.metadata()?;
    // Who may not do either keeps the file, with nothing for its own group.
    if made.gid() != database.gid() {
        let _ = fchown(file, None, Some(database.gid()));
    }
    if made.uid() != database.uid() {
        let _ = fchown(file, Some(database.uid()), None);
    }
    let allowed = allowed(&file.metadata()?, database);
    file.set_permissions(PermissionsExt::from_mode(allowed))
}

/// Takes from a file that was there what others could do with it and not with the database.
#[cfg(unix)]
fn keep_private(file: &File, database: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let there = file.metadata()?;
    let mode = there.mode() & PERMISSIONS;
    let allowed = allowed(&there, database);
    if mode & !allowed == 0 {
        return Ok(());
    }
    file.set_permissions(PermissionsExt::from_mode(mode & allowed))
}

#[cfg(unix)]
fn allowed(file: &Metadata, database: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let mode = database.mode() & PERMISSIONS;
    if file.gid() == database.gid() { mode } else { mode & !GROUP }
}

#[cfg(not(unix))]
fn give_to_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_sidecar_is_made_and_found_with_no_more_rights_than_the_database_gives() {
        let directory = tempfile::tempdir().unwrap();
        let (path, database) = (directory.path().join("log"), directory.path().join("data"));
        fs::write(&database, b"").unwrap();
        for (of_database, of_log, after) in
            [(0o600, None, 0o600), (0o660, None, 0o660), (0o640, Some(0o666), 0o640)]
        {
            fs::set_permissions(&database, PermissionsExt::from_mode(of_database)).unwrap();
            let _ = fs::remove_file(&path);
            if let Some(of_log) = of_log {
                fs::write(&path, b"").unwrap();
                fs::set_permissions(&path, PermissionsExt::from_mode(of_log)).unwrap();
            }
            open(&path, &fs::metadata(&database).unwrap()).unwrap();
            assert_eq!(mode(&path), after);
        }
    }

    #[test]
    fn a_link_or_a_directory_of_a_sidecars_name_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("log"), directory.path().join("other"));
        fs::write(&other, b"precious").unwrap();
        let metadata = fs::metadata(&other).unwrap();
        for target in [&other, &directory.path().join("absent"), directory.path()] {
            symlink(target, &path).unwrap();
            let error = open(&path, &metadata).unwrap_err();
            assert!(error.to_string().contains("is a link"), "{error}");
            fs::remove_file(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        assert!(open(&path, &metadata).is_err());
        assert_eq!(fs::read(&other).unwrap(), b"precious");
        assert!(!directory.path().join("absent").exists());
    }
}

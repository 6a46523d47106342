//! Where a file really is.
//!
//! The sidecars of a database are named after it. If a database could be reached by two paths
//! and each had sidecars of its own, what was written by the one would be missing for who comes
//! by the other. So a path is followed to its end once, when the file is opened, and the file
//! is known by that path from then on. A second *hard* link can't be told from the first; there
//! the header says that a log is missing.
//!
//! A path is only where the file was when it was opened. Before anything beside it is made,
//! replaced or removed, [`Place::check`] looks whether the same file is still there: another file
//! of that name has sidecars of its own.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// More links than this, one after the other, count as a cycle, as in operating systems.
const LINKS_MAX: usize = 40;

/// The file is not where it was opened.
#[derive(Debug)]
pub(crate) struct Displaced {
    pub(crate) path: PathBuf,
}

impl fmt::Display for Displaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was moved, removed or replaced while it was open", self.path.display())
    }
}

impl std::error::Error for Displaced {}

impl Displaced {
    /// The path in an error that [`Place::check`] has made.
    pub(crate) fn in_error(error: &io::Error) -> Option<&Path> {
        error.get_ref()?.downcast_ref::<Self>().map(|displaced| &*displaced.path)
    }
}

/// What the operating system tells files apart by, where it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Identity {
    device: u64,
    inode: u64,
}

/// An open file's path without links, and which file is to be there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    identity: Option<Identity>,
}

impl Place {
    pub(crate) fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        Ok(Self { path, identity: identity(&file.metadata()?) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a sidecar.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// Fails with [`Displaced`] if another file, or none, is where this one was opened.
    pub(crate) fn check(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.path) {
            Ok(there) if identity(&there) == self.identity => Ok(()),
            Err(error) if !is_absent(&error) => Err(error),
            _ => Err(io::Error::other(Displaced { path: self.path.clone() })),
        }
    }

    /// Returns when the directory's names are on stable storage, as far as its file system has
    /// a way to ask for that.
    #[cfg(unix)]
    pub(crate) fn sync_directory(&self) -> io::Result<()> {
        match File::open(parent(&self.path)).and_then(|directory| directory.sync_all()) {
            Err(error) if is_not_to_be_had(&error) => Ok(()),
            synced => synced,
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether this says that the file system does not sync directories, or that this process may not
/// open it for reading, and not that a sync has failed.
#[cfg(unix)]
fn is_not_to_be_had(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, IsADirectory, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | IsADirectory | PermissionDenied | Unsupported)
}

/// The directory that a file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path of the file that `path` leads to, without links: also of one that is yet to be made,
/// by a link that leads nowhere so far.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
        let directory = fs::canonicalize(parent(&path))?;
        let here = directory.join(name);
        match fs::symlink_metadata(&here) {
            Ok(there) if there.is_symlink() => path = directory.join(fs::read_link(&here)?),
            // It has come just now.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(here),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the links lead round in a circle"))
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity { device: metadata.dev(), inode: metadata.ino() })
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_lead_to_one_path_also_where_there_is_no_file_yet() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(root.join("real")).unwrap();
        let real = root.join("real/data");
        symlink("real/data", root.join("one")).unwrap();
        symlink(root.join("one"), root.join("real/two")).unwrap();
        symlink("real", root.join("folder")).unwrap();
        for made in [false, true] {
            if made {
                fs::write(&real, b"").unwrap();
            }
            for path in ["real/data", "one", "real/two", "folder/two", "folder/../one"] {
                assert_eq!(real_path(&root.join(path)).unwrap(), real, "{path}, made: {made}");
            }
        }
    }

    #[test]
    fn links_in_a_circle_and_paths_without_a_directory_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        symlink("b", directory.path().join("a")).unwrap();
        symlink("a", directory.path().join("b")).unwrap();
        assert!(real_path(&directory.path().join("a")).is_err());
        let error = real_path(&directory.path().join("absent/data")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_directory_that_cannot_be_synced_is_no_failure_but_a_failed_sync_is() {
        let says = |code| is_not_to_be_had(&io::Error::from_raw_os_error(code));
        assert!(
            [libc::EINVAL, libc::ENOTSUP, libc::ENOSYS, libc::EACCES, libc::EISDIR]
                .into_iter()
                .all(says)
        );
        assert!(![libc::EIO, libc::ENOSPC, libc::ENOENT, libc::EDQUOT].into_iter().any(says));
    }
}

//! The file for documents that can't be read or stored, if the import continues without them.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::failure::{Failure, Result};

/// The most rejects that get a message each.
const TOLD_MAX: u64 = 20;

/// The file of rejects, of which both threads of an import have a handle.
#[derive(Clone, Debug)]
pub(super) struct Rejects {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    /// Created with the first reject.
    file: Option<File>,
    count: u64,
    /// The length of the file.
    len: u64,
    is_synced: bool,
}

impl Rejects {
    /// Takes a path at which no file exists: neither another import's rejects nor the input are
    /// overwritten.
    pub(super) fn new(path: &Path) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            let source = io::Error::new(io::ErrorKind::AlreadyExists, "the file exists already");
            return Err(failed(path, source));
        }
        let state = State { path: path.to_owned(), file: None, count: 0, len: 0, is_synced: true };
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// Returns how many documents were written to it.
    pub(super) fn count(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Waits until everything written is on stable storage.
    pub(super) fn sync(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { path, file: Some(file), is_synced: false, .. } = &*state else { return Ok(()) };
        file.sync_all().map_err(|e| failed(path, e))?;
        sync_directory(path).map_err(|e| failed(path, e))?;
        state.is_synced = true;
        Ok(())
    }

    /// Writes the text of a document on lines of its own, and prints the reason.
    pub(super) fn write(&self, text: &[u8], why: &Failure) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { path, file, count, len, is_synced } = &mut *state;
        let file = match file {
            Some(file) => file,
            None => file.insert(File::create_new(&*path).map_err(|e| failed(path, e))?),
        };
        let mut line = text.trim_ascii_end().to_vec();
        line.push(b'\n');
        *is_synced = false;
        file.write_all(&line).map_err(|error| {
            // Removes half a line, which a full disk may have left.
            let _ = file.set_len(*len);
            failed(path, error)
        })?;
        *len += line.len() as u64;
        *count += 1;
        let said = match *count {
            1..TOLD_MAX => why.message(),
            TOLD_MAX => format!("{}; more are not told of", why.message()),
            _ => return Ok(()),
        };
        let _ = writeln!(io::stderr(), "nanodb: rejected: {said}");
        Ok(())
    }
}

/// Makes the file's name durable, too.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Directories can't be opened as files there, and are written by the system.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> Failure {
    Failure::File { doing: "writing rejects to", path: path.to_owned(), source }
}

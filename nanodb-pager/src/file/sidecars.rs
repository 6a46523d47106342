//! The files beside the database: their names, and whose they say they are.

use std::io;

use crate::checkpoint::double_write;
use crate::error::{Error, Result};
use crate::file::storage::Storage;
use crate::wal::segment;

/// The names of the files beside the database, but for that of copies.
pub(crate) const SIDECARS: [&str; 3] = ["-log0", "-log1", double_write::SUFFIX];

/// How much of a file says whose it is, in bytes.
const SIGN_SIZE: usize = 48;

/// Whose a file is by what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// It says nothing: zeros, or not even these.
    Nobodys,
    /// A log or a double-write buffer of the database with this uuid.
    Of([u8; 16]),
    /// Something else.
    Another,
}

/// Reads what a file says of itself.
pub(crate) fn whose(file: &dyn Storage) -> io::Result<Whose> {
    let len = file.len()?;
    let mut sign = [0; SIGN_SIZE];
    let there = usize::try_from(len).unwrap_or(SIGN_SIZE).min(SIGN_SIZE);
    file.read_at(&mut sign[..there], 0)?;
    if let Some(uuid) = segment::uuid_in(&sign).or_else(|| double_write::uuid_in(&sign)) {
        return Ok(Whose::Of(uuid));
    }
    Ok(if is_zero(file, len)? { Whose::Nobodys } else { Whose::Another })
}

fn is_zero(file: &dyn Storage, len: u64) -> io::Result<bool> {
    let mut block = vec![0; 64 << 10];
    let mut at = 0;
    while at < len {
        let size = usize::try_from(len - at).unwrap_or(block.len()).min(block.len());
        file.read_at(&mut block[..size], at)?;
        if block[..size].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        at += size as u64;
    }
    Ok(true)
}

/// The name of a copy that is to take a sidecar's place: one that nobody else would choose.
pub(crate) fn copy_suffix(uuid: &[u8; 16]) -> String {
    let [a, b, c, d, ..] = uuid;
    format!("-{a:02x}{b:02x}{c:02x}{d:02x}-new")
}

/// Refuses to make a database where a file says that there was one.
pub(crate) fn check_new(storage: &dyn Storage) -> Result<()> {
    let failed = |e| Error::io("looking at the files beside the database", e);
    if !storage.is_persistent() {
        return Ok(());
    }
    for suffix in SIDECARS {
        if let Some(file) = storage.found_sidecar(suffix).map_err(failed)?
            && matches!(whose(&*file).map_err(failed)?, Whose::Of(_))
        {
            return Err(Error::LogWithoutFile { log: name(storage, suffix) });
        }
    }
    Ok(())
}

/// Refuses a file beside which another one has a name that a database there would need.
///
/// This is for who is about to put a new database in the place of something else. What is empty, or
/// all zeros, is in nobody's way: a database removes it.
///
/// # Errors
///
/// [`Error::ForeignFile`], also for a log of another database; [`Error::Io`].
pub fn check_names_are_free(storage: &dyn Storage) -> Result<()> {
    let failed = |e| Error::io("looking at the files beside it", e);
    for suffix in SIDECARS {
        if let Some(file) = storage.found_sidecar(suffix).map_err(failed)?
            && whose(&*file).map_err(failed)? != Whose::Nobodys
        {
            return Err(Error::ForeignFile { file: name(storage, suffix) });
        }
    }
    Ok(())
}

/// A sidecar's path, or what there is of it.
pub(crate) fn name(storage: &dyn Storage, suffix: &str) -> String {
    let path = storage.path().map(|path| path.display().to_string());
    format!("{}{suffix}", path.unwrap_or_default())
}

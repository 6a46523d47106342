//! The file: how it begins, and its pages one at a time.
//!
//! ```text
//! offset  size  field       meaning
//! ------  ----  ----------  -----------------------------------------------
//!      0     4  magic       41 41 4d 4e, "AAMN"
//!      4     2  version     1
//!      6     4  page_size   4,096
//!     10     4  page_count  the next page to be taken, this one included
//!     14     4  free_list   the first free page; 0 if there is none
//! ```
//!
//! The rest of page 0 means nothing. The program writes the header before the page that it counts,
//! and syncs neither, so after a crash `page_count` may be off. It is not needed and not believed:
//! the file's length says which pages there are.

use std::io;

use nanodb_document::{ErrorBuilder, ErrorKind};
use nanodb_pager::Storage;

use super::page::{PAGE_SIZE, PageBytes};
use crate::error::{Error, Result};

const HEADER_SIZE: usize = 18;
const MAGIC: [u8; 4] = *b"AAMN";
const VERSION: u16 = 1;

/// How a file of this library begins, a few bytes behind its start.
const OURS: &[u8] = b"NanoDB file\r\n\x1a\n";

/// A file of the Go program, which is only read.
pub(super) struct GoFile<'a> {
    storage: &'a dyn Storage,
    /// How many whole pages there are.
    pub(super) page_count: u32,
}

/// Returns whether a file begins like one of the Go program, whatever follows.
pub(super) fn has_magic(storage: &dyn Storage) -> io::Result<bool> {
    Ok(begin(storage)?.starts_with(&MAGIC))
}

impl<'a> GoFile<'a> {
    /// Reads the header.
    pub(super) fn open(storage: &'a dyn Storage) -> Result<Self> {
        let begin = begin(storage).map_err(|error| failed_read(error, 0))?;
        let Some(header) = begin.first_chunk::<HEADER_SIZE>().filter(|b| b.starts_with(&MAGIC))
        else {
            return Err(not_a_go_file(&begin));
        };
        let [_, _, _, _, a, b, c, d, e, f, ..] = *header;
        let (version, page_size) = (u16::from_le_bytes([a, b]), u32::from_le_bytes([c, d, e, f]));
        if version != VERSION || usize::try_from(page_size) != Ok(PAGE_SIZE) {
            let text = format!(
                "it says that it is of version {version} and has pages of {page_size} bytes; only \
                 version {VERSION} with pages of {PAGE_SIZE} bytes is known"
            );
            return Err(ErrorBuilder::new(ErrorKind::NotADatabase, text).into());
        }
        let len = storage.len().map_err(|error| failed_read(error, 0))?;
        let page_count = u32::try_from(len / PAGE_SIZE as u64).unwrap_or(u32::MAX);
        Ok(Self { storage, page_count })
    }

    pub(super) fn read(&self, page: u32, bytes: &mut PageBytes) -> io::Result<()> {
        self.storage.read_at(bytes, u64::from(page) * PAGE_SIZE as u64)
    }
}

/// The first bytes, as many as there are.
fn begin(storage: &dyn Storage) -> io::Result<Vec<u8>> {
    let len = usize::try_from(storage.len()?).unwrap_or(usize::MAX).min(64);
    let mut bytes = vec![0; len];
    storage.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The operating system has refused a read.
pub(super) fn failed_read(error: io::Error, page: u32) -> Error {
    let text = format!("reading page {page}");
    ErrorBuilder::new(ErrorKind::Io, text).page(page).because(error).into()
}

fn not_a_go_file(begin: &[u8]) -> Error {
    let text = match begin.windows(OURS.len()).any(|window| window == OURS) {
        true => "it is a file of this library, not of the Go program: open it",
        false => "it is not a file of the Go program",
    };
    ErrorBuilder::new(ErrorKind::NotADatabase, text).into()
}

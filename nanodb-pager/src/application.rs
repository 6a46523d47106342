//! Whose files a pager opens: the application that stores its pages in them.

use crate::error::{Error, Result};

/// Names the application whose files a pager opens, and tells others' files apart.
///
/// A new file gets the `id`. A file with another id is refused with
/// [`Error::OtherApplication`]: its pages are sound, but mean something else. The default, an id of
/// zeros, is for programs that do not share files with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Application {
    /// The bytes that name the application, ASCII by custom.
    pub id: [u8; 8],
    /// Formats of other programs that users of this one may have, to be refused by name.
    pub other_formats: &'static [OtherFormat],
}

/// A file format that a pager does not read but knows by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OtherFormat {
    /// The first bytes of each such file; not empty.
    pub magic: &'static [u8],
    /// What the file is and what its user can do, as [`Error::OtherFormat`] says it.
    pub name: &'static str,
}

impl Application {
    /// Refuses a file that begins like one of another program.
    pub(crate) fn check_format(&self, begin: &[u8]) -> Result<()> {
        let known =
            |format: &&OtherFormat| !format.magic.is_empty() && begin.starts_with(format.magic);
        match self.other_formats.iter().find(known) {
            Some(format) => Err(Error::OtherFormat { name: format.name }),
            None => Ok(()),
        }
    }

    /// Refuses a file that was written for another application.
    pub(crate) fn check_id(&self, found: [u8; 8]) -> Result<()> {
        if found == self.id {
            return Ok(());
        }
        Err(Error::OtherApplication { expected: self.id, found })
    }
}

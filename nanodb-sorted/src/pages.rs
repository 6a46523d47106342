//! Where pages come from and go to: the caller's business, behind two traits.

use crate::error::{DamagedPage, Refused};

/// The bytes of a page's body: all of a page of 4 KiB behind its header of 32 bytes.
pub const BODY_LEN: usize = 4064;

/// What a page of an index holds.
///
/// The caller keeps this beside the body, and checks it when it reads the page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum PageKind {
    /// Entries of a run.
    Leaf = 19,
    /// Which pages of a run lie below, and what they hold.
    Inner = 20,
    /// Operations in the order of their commits.
    SavedOperations = 21,
    /// A part of the filter of a run.
    Filter = 22,
}

/// Reads pages of runs.
///
/// Two reads of one page give the same bytes.
pub trait Pages {
    /// A page's body, as long as it is held.
    type Page: AsRef<[u8]>;
    /// What a read may fail with; damage that this crate finds becomes one, too.
    type Error: From<DamagedPage>;

    /// Returns the body of a page of this kind.
    ///
    /// # Errors
    ///
    /// Whatever keeps the page from being read: also that it is of another kind, or not of the
    /// collection that the index is of.
    fn page(&self, number: u32, kind: PageKind) -> Result<Self::Page, Self::Error>;
}

impl<P: Pages> Pages for &P {
    type Page = P::Page;
    type Error = P::Error;

    fn page(&self, number: u32, kind: PageKind) -> Result<Self::Page, Self::Error> {
        (**self).page(number, kind)
    }
}

/// Takes the pages of a new run.
pub trait NewPages {
    /// What a write may fail with; an entry that is refused becomes one, too.
    type Error: From<Refused>;

    /// Takes a page for a body and returns its number.
    ///
    /// Pages come from the left to the right, each behind all that it refers to. Numbers that
    /// follow each other make a run faster to read, and its list of filter pages shorter.
    ///
    /// # Errors
    ///
    /// Whatever keeps the page from being had or written. The run is then given up.
    fn write(&mut self, kind: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Self::Error>;
}

impl<W: NewPages> NewPages for &mut W {
    type Error = W::Error;

    fn write(&mut self, kind: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Self::Error> {
        (**self).write(kind, body)
    }
}

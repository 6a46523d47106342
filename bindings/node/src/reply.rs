//! What goes back to JavaScript.
//!
//! ```text
//! offset  size  meaning
//! ------  ----  -----------------------------------------------------------------------
//!      0     1  tag: 0 done, 1 failed, 2 nothing found, 3 documents, and more to come; 4 to be
//!               asked again
//!      1     4  the number of an object that was made, 0 if none; of a request that is to be asked
//!               again, the number it is gathered under; big-endian
//!      5     .  documents, one after the other; of a failure, the one that describes it
//! ```

use nanodb::{Document, Encode, IdRef};

use crate::failure::{Failure, Result};
use crate::object::Object;

const HEADER: usize = 5;

/// What a reply says before all else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Tag {
    Done = 0,
    Failed = 1,
    Nothing = 2,
    More = 3,
    Again = 4,
}

/// A reply being made.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    object: Option<Object>,
}

impl Reply {
    /// Begins a reply, in the place of another.
    pub(crate) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[Tag::Done as u8, 0, 0, 0, 0]);
        self.object = None;
    }

    /// Returns its bytes, whose object has that number.
    pub(crate) fn bytes(&mut self, number: u32) -> &[u8] {
        if let Some(place) = self.bytes.get_mut(1..HEADER) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        &self.bytes
    }

    /// Returns the same, by value.
    pub(crate) fn into_bytes(mut self, number: u32) -> Vec<u8> {
        self.bytes(number);
        self.bytes
    }

    /// Returns how many bytes of documents it has.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(HEADER)
    }

    /// Takes the object that was made.
    pub(crate) fn take_object(&mut self) -> Option<Object> {
        self.object.take()
    }

    /// Hands an object to JavaScript.
    pub(crate) fn object(&mut self, object: Object) {
        self.object = Some(object);
    }

    /// Appends a document as it is stored.
    pub(crate) fn raw(&mut self, document: &[u8]) {
        self.bytes.extend_from_slice(document);
    }

    /// Appends null, in the place of a document that is not there.
    pub(crate) fn null(&mut self) {
        self.bytes.push(0xc0);
    }

    /// Appends a document, which gets an `_id` if it has none.
    pub(crate) fn document(&mut self, document: &Document) -> Result<()> {
        let _draft = document.encode(Some(IdRef::from(0)), &mut self.bytes)?;
        Ok(())
    }

    /// Says that nothing was found.
    pub(crate) fn nothing(&mut self) {
        self.tag(Tag::Nothing);
    }

    /// Says that there is more, which the object has.
    pub(crate) fn more(&mut self) {
        self.tag(Tag::More);
    }

    /// Says that the request is to be asked again, and nothing else.
    pub(crate) fn again(&mut self) {
        self.begin();
        self.tag(Tag::Again);
    }

    /// Says why nothing was done, and nothing else.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.begin();
        self.tag(Tag::Failed);
        if self.document(&failure.to_document()).is_err() {
            // Its text, or an id, was too long to be told.
            let other = Failure::Own { code: "NANODB_ERROR", text: "a long error".to_owned() };
            let _shorter_fits = self.document(&other.to_document());
        }
    }

    fn tag(&mut self, tag: Tag) {
        if let Some(first) = self.bytes.first_mut() {
            *first = tag as u8;
        }
    }
}

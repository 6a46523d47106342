//! What a search finds, in portions.

use nanodb::{Cursor, StoredDoc};

use crate::failure::{Failure, Result};
use crate::reply::Reply;
use crate::request::Request;

/// How many bytes a portion has that JavaScript does not limit. It is decoded in one go, in about a
/// millisecond, and nothing else happens in JavaScript meanwhile.
const PORTION_BYTES: usize = 128 * 1024;

/// A search whose documents are not all handed out.
#[derive(Debug)]
pub(crate) struct Portions {
    cursor: Cursor,
    /// What came instead of a document, after others that had to be handed out first.
    failure: Option<Failure>,
    bytes_max: usize,
    documents_max: u64,
}

impl Portions {
    /// Hands out what a cursor returns.
    pub(crate) fn new(cursor: Cursor, request: Request<'_>) -> Result<Self> {
        let bytes_max = request.number("bytes")?.and_then(|bytes| usize::try_from(bytes).ok());
        let documents_max = request.number("batch")?.filter(|&count| count > 0);
        Ok(Self {
            cursor,
            failure: None,
            bytes_max: bytes_max.unwrap_or(PORTION_BYTES),
            documents_max: documents_max.unwrap_or(u64::MAX),
        })
    }

    /// Appends a portion to a reply; returns whether there may be more.
    pub(crate) fn next(&mut self, reply: &mut Reply) -> Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut count = 0;
        while count < self.documents_max && reply.len() < self.bytes_max {
            match self.cursor.next().transpose() {
                Ok(Some(document)) => append(&document, reply),
                Ok(None) => return Ok(false),
                Err(error) if count == 0 => return Err(error.into()),
                Err(error) => {
                    self.failure = Some(error.into());
                    return Ok(true);
                }
            }
            count += 1;
        }
        Ok(true)
    }
}

#[inline]
fn append(document: &StoredDoc, reply: &mut Reply) {
    reply.raw(document.as_bytes());
}

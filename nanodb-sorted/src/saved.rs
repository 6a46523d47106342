//! Operations in the order of their commits, as bytes; and pages of them (kind 21).
//!
//! An operation is, numbers being LEB128 in their shortest form:
//!
//! ```text
//! shared   bytes that the key shares with that of the operation before
//! rest     how many bytes of the key follow, twice, plus 1 if the entry was removed; these bytes
//! page     the page less that of the operation before: twice it, or twice its absolute value
//!          less one if it is negative
//! slot
//! ```
//!
//! The first operation follows one with an empty key and page 0. What is shared is as long as it
//! can be.
//!
//! A page:
//!
//! ```text
//! offset  size  field     meaning
//! ------  ----  --------  ----------------------------------------------------
//!      0     4  index     number of the index within its collection
//!      4     2  count     operations on this page, at least 1
//!      6     2  end       offset behind the last one
//!      8     8  ordinal   of the first one; the others follow it
//!     16     .  operations
//! ```
//!
//! Behind `end` there are zeros. Each page can be read by itself.

use crate::BODY_LEN;
use crate::bytes::{
    Reader, common_prefix, from_zigzag, leb_len, put_leb, u16_at, u32_at, u64_at, zigzag,
};
use crate::error::Damage;
use crate::operation::{KEY_LEN_MAX, Operation};
use crate::record_id::RecordId;

const HEADER_SIZE: usize = 16;

/// Writes operations one after the other, each by what distinguishes it from the one before.
///
/// ```
/// use nanodb_sorted::{Operation, OperationReader, OperationWriter, RecordId};
///
/// let record = RecordId { page: 7, slot: 1 };
/// let operation = Operation { key: b"ada", record, removed: false };
/// let mut bytes = Vec::new();
/// OperationWriter::new().write(operation, &mut bytes);
/// let mut reader = OperationReader::new(&bytes);
/// assert_eq!(reader.read(), Ok(Some(operation)));
/// assert_eq!(reader.read(), Ok(None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct OperationWriter {
    key: Vec<u8>,
    page: u32,
}

impl OperationWriter {
    /// Begins a sequence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an operation. Its key has at most [`KEY_LEN_MAX`] bytes.
    pub fn write(&mut self, operation: Operation<'_>, out: &mut Vec<u8>) {
        let (shared, difference) = self.compare(operation);
        let rest = operation.key.get(shared..).unwrap_or(&[]);
        put_leb(shared as u64, out);
        put_leb((rest.len() as u64) << 1 | u64::from(operation.removed), out);
        out.extend_from_slice(rest);
        put_leb(zigzag(difference), out);
        put_leb(operation.record.slot.into(), out);
        self.key.truncate(shared);
        self.key.extend_from_slice(rest);
        self.page = operation.record.page;
    }

    /// The bytes that an operation would take.
    fn len_of(&self, operation: Operation<'_>) -> usize {
        let (shared, difference) = self.compare(operation);
        let rest = operation.key.len() - shared;
        leb_len(shared as u64)
            + leb_len((rest as u64) << 1)
            + rest
            + leb_len(zigzag(difference))
            + leb_len(operation.record.slot.into())
    }

    fn compare(&self, operation: Operation<'_>) -> (usize, i64) {
        let difference = i64::from(operation.record.page) - i64::from(self.page);
        (common_prefix(&self.key, operation.key), difference)
    }
}

/// Reads what an [`OperationWriter`] has written.
#[derive(Clone, Debug)]
pub struct OperationReader<'b> {
    reader: Reader<'b>,
    key: Vec<u8>,
    page: u32,
}

impl<'b> OperationReader<'b> {
    /// Begins with the first operation.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { reader: Reader::whole(bytes), key: Vec::new(), page: 0 }
    }

    /// Reads the next operation, or returns `None` where the bytes end.
    ///
    /// # Errors
    ///
    /// [`Damage`] if the bytes are not an operation.
    pub fn read(&mut self) -> Result<Option<Operation<'_>>, Damage> {
        if self.reader.is_at_end() {
            return Ok(None);
        }
        let shared = self.reader.len()?;
        let word = self.reader.leb()?;
        let rest = usize::try_from(word >> 1).map_err(|_| Damage::Number)?;
        let rest = self.reader.take(rest)?;
        let difference = from_zigzag(self.reader.leb()?);
        let slot = u16::try_from(self.reader.leb()?).map_err(|_| Damage::Number)?;
        let page = u32::try_from(i64::from(self.page) + difference).map_err(|_| Damage::Number)?;
        if shared > self.key.len() || shared + rest.len() > KEY_LEN_MAX {
            return Err(Damage::Offset);
        }
        if rest.first().is_some_and(|first| self.key.get(shared) == Some(first)) {
            return Err(Damage::Number);
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(rest);
        self.page = page;
        let record = RecordId { page, slot };
        Ok(Some(Operation { key: &self.key, record, removed: word & 1 == 1 }))
    }
}

/// Packs operations into the body of a page, as they come.
///
/// ```
/// use nanodb_sorted::{BODY_LEN, Operation, RecordId, SavedPageBuilder, decode_saved_page};
///
/// let operation = |page| Operation {
///     key: b"ada",
///     record: RecordId { page, slot: 0 },
///     removed: false,
/// };
/// let (mut builder, mut bodies) = (SavedPageBuilder::new(1), Vec::new());
/// let mut body = [0; BODY_LEN];
/// for (ordinal, page) in (70..).zip(0..5_000) {
///     if !builder.push(ordinal, operation(page)) {
///         builder.finish(&mut body);
///         bodies.push(body);
///         builder.push(ordinal, operation(page));
///     }
/// }
/// builder.finish(&mut body);
/// bodies.push(body);
///
/// let mut count = 0;
/// for body in &bodies {
///     decode_saved_page(body, 1, |ordinal, operation| {
///         assert_eq!(ordinal, 70 + u64::from(operation.record.page));
///         count += 1;
///     })?;
/// }
/// assert_eq!(count, 5_000);
/// # Ok::<(), nanodb_sorted::Damage>(())
/// ```
#[derive(Clone, Debug)]
pub struct SavedPageBuilder {
    index: u32,
    /// The ordinal of the first operation.
    first: u64,
    count: u16,
    writer: OperationWriter,
    out: Vec<u8>,
}

impl SavedPageBuilder {
    /// Begins a page without operations.
    #[must_use]
    pub fn new(index: u32) -> Self {
        Self { index, first: 0, count: 0, writer: OperationWriter::new(), out: Vec::new() }
    }

    /// Takes an operation if it fits, and if its ordinal follows that of the one before; returns
    /// whether it was taken. An empty page takes any.
    pub fn push(&mut self, ordinal: u64, operation: Operation<'_>) -> bool {
        if self.count == 0 {
            self.first = ordinal;
        }
        let follows = self.first.checked_add(self.count.into()) == Some(ordinal);
        let len = HEADER_SIZE + self.out.len() + self.writer.len_of(operation);
        if !follows || len > BODY_LEN {
            return false;
        }
        self.writer.write(operation, &mut self.out);
        self.count += 1;
        true
    }

    /// Returns whether no operation has been taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes the page into a body, and begins another one.
    pub fn finish(&mut self, body: &mut [u8; BODY_LEN]) {
        let end = u16::try_from(HEADER_SIZE + self.out.len()).unwrap_or(u16::MAX);
        body.fill(0);
        let header = [
            &self.index.to_le_bytes()[..],
            &self.count.to_le_bytes(),
            &end.to_le_bytes(),
            &self.first.to_le_bytes(),
        ];
        let bytes = header.into_iter().flatten().chain(&self.out);
        for (to, from) in body.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.out.clear();
        self.writer = OperationWriter::new();
        self.count = 0;
    }
}

/// Unpacks a page, operation by operation in order, each with its ordinal.
///
/// # Errors
///
/// [`Damage`] if no [`SavedPageBuilder`] can have made the bytes; then some operations may have
/// been visited.
pub fn decode_saved_page(
    body: &[u8],
    index: u32,
    mut visit: impl FnMut(u64, Operation<'_>),
) -> Result<(), Damage> {
    if body.len() != BODY_LEN {
        return Err(Damage::Length);
    }
    if u32_at(body, 0) != Some(index) {
        return Err(Damage::Index);
    }
    let count = u16_at(body, 4).ok_or(Damage::Length)?;
    let end = u16_at(body, 6).map(usize::from).ok_or(Damage::Length)?;
    let first = u64_at(body, 8).ok_or(Damage::Length)?;
    let bytes = body.get(HEADER_SIZE..end).ok_or(Damage::Header)?;
    let is_last_ordinal_sound = first.checked_add(count.into()).is_some();
    let is_rest_zero = body.get(end..).unwrap_or(&[]).iter().all(|&byte| byte == 0);
    if count == 0 || !is_last_ordinal_sound || !is_rest_zero {
        return Err(Damage::Header);
    }
    let mut reader = OperationReader::new(bytes);
    for ordinal in (first..).take(count.into()) {
        visit(ordinal, reader.read()?.ok_or(Damage::Count)?);
    }
    if reader.read()?.is_none() { Ok(()) } else { Err(Damage::Count) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Listed = (Vec<u8>, u32, u16, bool);

    fn operations() -> impl Strategy<Value = Vec<Listed>> {
        let key = prop_oneof![
            4 => prop::collection::vec(0..3_u8, 0..20),
            1 => prop::collection::vec(any::<u8>(), 0..KEY_LEN_MAX + 1),
        ];
        prop::collection::vec((key, any::<u32>(), any::<u16>(), any::<bool>()), 1..300)
    }

    fn all(listed: &[Listed]) -> impl Iterator<Item = Operation<'_>> {
        listed.iter().map(|(key, page, slot, removed)| Operation {
            key,
            record: RecordId { page: *page, slot: *slot },
            removed: *removed,
        })
    }

    proptest! {
        #[test]
        fn what_goes_into_pages_comes_out(listed in operations(), first in any::<u32>()) {
            let mut builder = SavedPageBuilder::new(3);
            let mut bodies = Vec::new();
            let finish = |builder: &mut SavedPageBuilder| {
                let mut body = [1; BODY_LEN];
                builder.finish(&mut body);
                body
            };
            for (ordinal, operation) in (u64::from(first)..).zip(all(&listed)) {
                if !builder.push(ordinal, operation) {
                    bodies.push(finish(&mut builder));
                    prop_assert!(builder.push(ordinal, operation));
                }
            }
            // The next page need not follow this one.
            prop_assert!(!builder.push(u64::MAX, all(&listed).next().unwrap()));
            bodies.push(finish(&mut builder));
            prop_assert!(builder.is_empty());

            let mut found = Vec::new();
            for body in bodies {
                decode_saved_page(&body, 3, |at, operation| {
                    assert_eq!(at, u64::from(first) + found.len() as u64);
                    let RecordId { page, slot } = operation.record;
                    found.push((operation.key.to_vec(), page, slot, operation.removed));
                }).unwrap();
                prop_assert_eq!(decode_saved_page(&body, 4, |_, _| ()), Err(Damage::Index));
            }
            prop_assert_eq!(&found, &listed);
        }
    }
}

//! A page of records, as the Go program writes it: its list of collections and its documents are
//! made of these.
//!
//! ```text
//! offset  size  field       meaning
//! ------  ----  ----------  ---------------------------------------------------------------
//!      0     2  slot_count  slots, those of deleted records included
//!      2     2  free_start  where the newest record begins; 4,096 while there is none
//!      4     4  next        the next page of the chain; 0 at its end
//!      8   4*n  slots[n]    { offset: u16, len: u16 }; bit 15 of len: the record is deleted
//!      .     .  (gap)       whatever was in the program's buffer
//!      .     .  records     { id: u64, data_len: u32, data }, the newest lowest
//! ```
//!
//! All numbers are little-endian. The program never moves a record, and uses neither its slot nor
//! its bytes again. So the records of a sound page, deleted ones included, fill it from its end
//! down to `free_start`, without a gap, in the order of their slots. There is no checksum: this is
//! what shows damage, and every slot is held against it.

/// How many bytes a page has.
pub(super) const PAGE_SIZE: usize = 4096;

const HEADER_SIZE: usize = 8;
const SLOT_SIZE: usize = 4;

/// What stands before the data of a record.
const RECORD_HEADER_SIZE: usize = 12;

const DELETED: u16 = 0x8000;

/// The bytes of a page.
pub(super) type PageBytes = [u8; PAGE_SIZE];

/// A page whose header makes sense.
#[derive(Clone, Copy)]
pub(super) struct RecordPage<'a> {
    bytes: &'a PageBytes,
    slot_count: u16,
    free_start: usize,
    /// The next page of the chain; 0 at its end.
    pub(super) next: u32,
}

/// A record, which may be deleted.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) slot: u16,
    pub(super) id: u64,
    pub(super) data: &'a [u8],
    pub(super) is_deleted: bool,
}

impl<'a> RecordPage<'a> {
    /// Reads the header.
    pub(super) fn parse(bytes: &'a PageBytes) -> Result<Self, String> {
        let slot_count = u16_at(bytes, 0);
        let free_start = usize::from(u16_at(bytes, 2));
        let page = Self { bytes, slot_count, free_start, next: u32_at(bytes, 4) };
        if page.is_blank() || (page.slots_end() <= free_start && free_start <= PAGE_SIZE) {
            return Ok(page);
        }
        Err(format!("it is no page of records: {slot_count} slots, and records from {free_start}"))
    }

    /// Returns whether nothing was ever written to the page, or what was is lost.
    pub(super) fn is_blank(&self) -> bool {
        self.slot_count == 0 && self.free_start == 0
    }

    /// Returns how many bytes there are for another slot and its record.
    pub(super) fn room(&self) -> usize {
        self.free_start.saturating_sub(self.slots_end())
    }

    /// Returns all slots: the record of each, or what is wrong with it.
    pub(super) fn slots(&self) -> Slots<'a> {
        Slots { page: *self, slot: 0, end: PAGE_SIZE, is_exact: true }
    }

    fn slots_end(&self) -> usize {
        HEADER_SIZE + SLOT_SIZE * usize::from(self.slot_count)
    }
}

impl Record<'_> {
    /// Returns how many bytes the record and its slot take.
    pub(super) fn size(&self) -> usize {
        SLOT_SIZE + RECORD_HEADER_SIZE + self.data.len()
    }
}

/// The slots of a page, from the oldest to the newest.
pub(super) struct Slots<'a> {
    page: RecordPage<'a>,
    slot: u16,
    /// Where the next record ends at the latest.
    end: usize,
    /// Whether it ends exactly there.
    is_exact: bool,
}

impl<'a> Slots<'a> {
    /// Returns, once all slots were read, what is wrong with where the records begin.
    pub(super) fn finish(&self) -> Result<(), String> {
        let (start, end) = (self.page.free_start, self.end);
        if self.page.is_blank() || !self.is_exact || start == end {
            return Ok(());
        }
        Err(format!("bytes {start} to {end} are of records that no slot leads to"))
    }

    fn read(&self, offset: usize, len: u16) -> Option<Record<'a>> {
        let end = offset + usize::from(len & !DELETED);
        let fits = self.page.free_start <= offset && end <= self.end;
        if !fits || (self.is_exact && end != self.end) {
            return None;
        }
        let (id, rest) = self.page.bytes.get(offset..end)?.split_first_chunk()?;
        let (data_len, data) = rest.split_first_chunk()?;
        let says = usize::try_from(u32::from_le_bytes(*data_len)).ok()?;
        let id = u64::from_le_bytes(*id);
        let is_deleted = len & DELETED != 0;
        (says == data.len()).then_some(Record { slot: self.slot, id, data, is_deleted })
    }
}

impl<'a> Iterator for Slots<'a> {
    type Item = Result<Record<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.slot >= self.page.slot_count {
            return None;
        }
        let at = HEADER_SIZE + SLOT_SIZE * usize::from(self.slot);
        let offset = usize::from(u16_at(self.page.bytes, at));
        let len = u16_at(self.page.bytes, at + 2);
        let read = self.read(offset, len);
        self.is_exact = read.is_some();
        if read.is_some() {
            self.end = offset;
        }
        let slot = self.slot;
        self.slot += 1;
        let why = || format!("slot {slot}: there is no record of {len} bytes at {offset}");
        Some(read.ok_or_else(why))
    }
}

fn u16_at(bytes: &PageBytes, at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

fn u32_at(bytes: &PageBytes, at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

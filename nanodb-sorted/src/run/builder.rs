//! Building a run, from the left to the right.

use super::{Run, RunFilter};
use crate::BODY_LEN;
use crate::bytes::common_prefix;
use crate::error::Refused;
use crate::filter::{Filter, FilterHash};
use crate::inner::{Child, InnerBuilder};
use crate::leaf::{LeafBuilder, Pushed};
use crate::operation::{Effect, KEY_LEN_MAX};
use crate::pages::{NewPages, PageKind};
use crate::record_id::RecordId;

/// Runs of fewer entries have no filter.
pub(crate) const FILTER_ENTRIES_MIN: u64 = 4096;

/// Takes entries in rising order and hands out full pages.
///
/// In memory there are one page of each level and the filter: 10 bits for each of the entries that
/// were announced.
///
/// ```
/// use nanodb_sorted::{BODY_LEN, Effect, NewPages, PageKind, RecordId, Refused, RunBuilder};
///
/// struct Memory(Vec<[u8; BODY_LEN]>);
///
/// impl NewPages for Memory {
///     type Error = Refused;
///
///     fn write(&mut self, _: PageKind, body: &[u8; BODY_LEN]) -> Result<u32, Refused> {
///         self.0.push(*body);
///         u32::try_from(self.0.len() - 1).map_err(|_| Refused::TooMany)
///     }
/// }
///
/// let mut memory = Memory(Vec::new());
/// let mut builder = RunBuilder::new(1, 2);
/// builder.push(&mut memory, b"ada", RecordId { page: 7, slot: 0 }, Effect::Added)?;
/// builder.push(&mut memory, b"alan", RecordId { page: 3, slot: 1 }, Effect::Added)?;
/// let run = builder.finish(&mut memory)?.unwrap();
/// assert_eq!((run.root, run.height, run.entries, memory.0.len()), (0, 1, 2, 1));
/// # Ok::<(), Refused>(())
/// ```
#[derive(Debug)]
pub struct RunBuilder {
    index: u32,
    leaf: LeafBuilder,
    /// The last key of the leaf before.
    left_key: Vec<u8>,
    has_left: bool,
    /// Level 1 first.
    levels: Vec<InnerBuilder>,
    filter: Option<Filter>,
    run: Run,
    last_page: Option<u32>,
    body: Box<[u8; BODY_LEN]>,
}

impl RunBuilder {
    /// Begins a run of an index, with at most so many entries; more are taken, too, and make the
    /// filter worse.
    #[must_use]
    pub fn new(index: u32, entries_max: u64) -> Self {
        let filter = (entries_max >= FILTER_ENTRIES_MIN).then(|| Filter::new(entries_max));
        Self {
            index,
            leaf: LeafBuilder::new(),
            left_key: Vec::new(),
            has_left: false,
            levels: Vec::new(),
            filter,
            run: Run::new(0, 0),
            last_page: None,
            body: Box::new([0; BODY_LEN]),
        }
    }

    /// Takes an entry above all before it, by key and record.
    ///
    /// # Errors
    ///
    /// [`Refused`], by way of the error of `pages`, if the entry is not above the one before or its
    /// key is too long; and whatever a write fails with. After that the run is to be given up.
    #[inline]
    pub fn push<W: NewPages>(
        &mut self,
        pages: &mut W,
        key: &[u8],
        record: RecordId,
        effect: Effect,
    ) -> Result<(), W::Error> {
        if key.len() > KEY_LEN_MAX {
            return Err(Refused::KeyTooLong { len: key.len() }.into());
        }
        let mut pushed = self.leaf.push(key, record, effect)?;
        let mut is_new = pushed == Pushed::NewKey;
        if pushed == Pushed::Full {
            let goes_on = self.leaf.last_key() == key;
            self.write_leaf(pages)?;
            self.leaf.clear(goes_on);
            pushed = self.leaf.push(key, record, effect)?;
            debug_assert_eq!(pushed, Pushed::NewKey, "one entry fits an empty page");
            is_new = !goes_on;
        }
        if is_new {
            self.run.distinct += 1;
            self.run.has_long_keys |= key.len() == KEY_LEN_MAX;
            if let Some(filter) = &mut self.filter {
                filter.insert(FilterHash::of(key));
            }
        }
        self.run.entries += 1;
        self.run.removed += u64::from(!effect.is_there());
        self.run.net += i64::from(effect.net());
        if self.last_page != Some(record.page) {
            self.run.switches += 1;
            self.last_page = Some(record.page);
        }
        Ok(())
    }

    /// Returns how many entries have been taken.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.run.entries
    }

    /// Returns how many pages have been handed out.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.run.pages
    }

    fn write<W: NewPages>(&mut self, pages: &mut W, kind: PageKind) -> Result<u32, W::Error> {
        self.run.pages += 1;
        pages.write(kind, &self.body)
    }

    fn write_leaf<W: NewPages>(&mut self, pages: &mut W) -> Result<(), W::Error> {
        self.leaf.encode(self.index, &mut self.body);
        let page = self.write(pages, PageKind::Leaf)?;
        let first = self.leaf.first_key();
        let is_shared = self.leaf.goes_on();
        let len = match (self.has_left, is_shared) {
            (false, _) => 0,
            (true, true) => first.len(),
            // The shortest that is above the key on the left.
            (true, false) => common_prefix(&self.left_key, first) + 1,
        };
        let separator = first.get(..len).unwrap_or(first).to_vec();
        let net = self.leaf.net();
        self.left_key.clear();
        self.left_key.extend_from_slice(self.leaf.last_key());
        self.has_left = true;
        self.add_child(pages, 0, Child { separator: &separator, is_shared, page, net })
    }

    /// Adds a page to the level above it, which may so become full.
    fn add_child<W: NewPages>(
        &mut self,
        pages: &mut W,
        above: usize,
        child: Child<'_>,
    ) -> Result<(), W::Error> {
        if self.levels.len() <= above {
            self.levels.push(InnerBuilder::default());
        }
        if self.levels.get_mut(above).is_some_and(|level| level.push(child)) {
            return Ok(());
        }
        self.write_inner(pages, above)?;
        if let Some(level) = self.levels.get_mut(above) {
            level.push(child);
        }
        Ok(())
    }

    /// Writes the page of a level, and empties it.
    fn write_inner<W: NewPages>(&mut self, pages: &mut W, at: usize) -> Result<(), W::Error> {
        let Some(level) = self.levels.get_mut(at) else { return Ok(()) };
        level.encode(self.index, level_number(at), &mut self.body);
        let (separator, is_shared) = level.separator();
        let (separator, net) = (separator.to_vec(), level.net());
        level.clear();
        let page = self.write(pages, PageKind::Inner)?;
        self.add_child(pages, at + 1, Child { separator: &separator, is_shared, page, net })
    }

    /// Hands out the last pages and returns the run; `None` if it has no entry.
    ///
    /// # Errors
    ///
    /// Whatever a write fails with.
    pub fn finish<W: NewPages>(mut self, pages: &mut W) -> Result<Option<Run>, W::Error> {
        if self.leaf.is_empty() {
            return Ok(None);
        }
        self.write_leaf(pages)?;
        let mut at = 0;
        // The root is the first level with a single page: the child of the highest one.
        loop {
            let is_highest = at + 1 == self.levels.len();
            let level = self.levels.get(at);
            if let Some(page) = level.filter(|_| is_highest).and_then(InnerBuilder::only_child) {
                self.run.root = page;
                self.run.height = level_number(at);
                break;
            }
            if level.is_some_and(|level| !level.is_empty()) {
                self.write_inner(pages, at)?;
            }
            at += 1;
        }
        if let Some(filter) = self.filter.take() {
            self.write_filter(pages, filter)?;
        }
        Ok(Some(self.run))
    }

    fn write_filter<W: NewPages>(
        &mut self,
        pages: &mut W,
        mut filter: Filter,
    ) -> Result<(), W::Error> {
        if self.run.entries < FILTER_ENTRIES_MIN {
            return Ok(());
        }
        filter.fold(self.run.distinct);
        let mut written = RunFilter { blocks: filter.blocks(), extents: Vec::new() };
        for number in 0..filter.pages() {
            filter.encode(self.index, number, &mut self.body);
            written.push(self.write(pages, PageKind::Filter)?);
        }
        self.run.filter = Some(written);
        Ok(())
    }
}

/// The level of a page, and the height of a tree, from the position of what is above it.
fn level_number(at: usize) -> u8 {
    u8::try_from(at + 1).unwrap_or(u8::MAX)
}

//! Reading a run in order, from any place on, in both directions.

use std::fmt;

use super::{HEIGHT_MAX, Run};
use crate::error::{Damage, DamagedPage};
use crate::filter::FilterHash;
use crate::inner::InnerHeader;
use crate::leaf::{Boundary, LeafCursor, Records};
use crate::operation::{Effect, Posting};
use crate::pages::{PageKind, Pages};
use crate::record_id::RecordId;

/// A place in a run: at an entry, in front of the first one, or behind the last one.
///
/// Holds the pages from the root to its leaf. A step neither allocates nor searches; it reads a
/// page only where a leaf ends. Entries that are not there any more are entries of the run, too.
///
/// After an error the cursor is in front of the first entry.
pub struct RunCursor<P: Pages> {
    pages: P,
    index: u32,
    root: u32,
    height: u8,
    /// The inner pages on the way to the leaf, the root first.
    path: Vec<Step<P::Page>>,
    leaf: Option<(u32, P::Page)>,
    cursor: LeafCursor,
    /// The records of the key on this leaf as far as they are unpacked, those that are not, and the
    /// position among the former.
    postings: Vec<Posting>,
    packed: Records,
    at: usize,
    place: Place,
    /// The last key of the leaf before, while a step goes from one leaf to another.
    left: Vec<u8>,
}

/// How many records are unpacked at once: first, and when these have been passed.
const UNPACKED_FIRST: usize = 8;
const UNPACKED: usize = 64;

struct Step<B> {
    number: u32,
    page: B,
    header: InnerHeader,
    child: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Front,
    Entry,
    Back,
}

impl<P: Pages> fmt::Debug for RunCursor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCursor")
            .field("root", &self.root)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<P: Pages> RunCursor<P> {
    /// Makes a cursor in front of the first entry. Reads nothing.
    pub fn new(pages: P, index: u32, run: &Run) -> Self {
        Self {
            pages,
            index,
            root: run.root,
            height: run.height,
            path: Vec::new(),
            leaf: None,
            cursor: LeafCursor::default(),
            postings: Vec::new(),
            packed: Records::default(),
            at: 0,
            place: Place::Front,
            left: Vec::new(),
        }
    }

    /// Returns whether the cursor is at an entry.
    #[inline]
    pub fn is_at_entry(&self) -> bool {
        self.place == Place::Entry
    }

    /// Returns the key of the entry that the cursor is at; else nothing that means anything.
    #[inline]
    pub fn key(&self) -> &[u8] {
        self.cursor.key()
    }

    /// Returns the record of the entry that the cursor is at, and what the run says of the entry.
    #[inline]
    pub fn posting(&self) -> Option<(RecordId, Effect)> {
        let posting = self.postings.get(self.at).filter(|_| self.place == Place::Entry)?;
        Some((posting.record, posting.effect))
    }

    /// Returns whether keys of the leaf that the cursor is on may have been cut.
    pub fn has_long_keys(&self) -> bool {
        self.cursor.header().flags & crate::leaf::HAS_LONG_KEYS != 0
    }

    /// Whether the filter of the cursor's run says that a key may be there.
    pub(crate) fn may_contain(&self, run: &Run, hash: FilterHash) -> Result<bool, P::Error> {
        run.may_contain_hash(&self.pages, self.index, hash)
    }

    /// Goes to the first entry; returns whether there is one.
    ///
    /// # Errors
    ///
    /// Whatever a page can't be read for, or [`DamagedPage`].
    pub fn first(&mut self) -> Result<bool, P::Error> {
        self.place = Place::Front;
        self.path.clear();
        self.descend(self.root, Way::First)?;
        self.enter_first()
    }

    /// Goes to the last entry; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn last(&mut self) -> Result<bool, P::Error> {
        self.place = Place::Front;
        self.path.clear();
        self.descend(self.root, Way::Last)?;
        self.enter_last()
    }

    /// Goes to the first entry whose key is not below the given one, or with `is_after` to the
    /// first one whose key is above it. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn seek(&mut self, key: &[u8], is_after: bool) -> Result<bool, P::Error> {
        let boundary = Boundary { key, is_after };
        self.place = Place::Front;
        self.path.clear();
        self.descend(self.root, Way::To(boundary))?;
        if self.seek_in_leaf(boundary)? {
            return Ok(true);
        }
        let is_found = self.next_leaf()?;
        if is_found { self.check_side(boundary, false) } else { Ok(false) }
    }

    /// Goes to the last entry whose key is below the given one, or with `is_after` to the last one
    /// whose key is not above it. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn seek_back(&mut self, key: &[u8], is_after: bool) -> Result<bool, P::Error> {
        let is_found =
            if self.seek(key, is_after)? { self.previous_entry()? } else { self.last()? };
        if is_found { self.check_side(Boundary { key, is_after }, true) } else { Ok(false) }
    }

    /// Checks that a key is on the side of a boundary where it was looked for. So a search goes on
    /// from where it was, whatever the pages say.
    fn check_side(&mut self, boundary: Boundary<'_>, is_in_front: bool) -> Result<bool, P::Error> {
        self.check_leaf(boundary.is_behind(self.key().cmp(boundary.key)) == is_in_front)
    }

    /// Goes forward to the first entry whose key is not below the given one, or with `is_after`
    /// is above it; stays if the cursor is at one already.
    ///
    /// For skipping what can't be wanted: a place on the same leaf costs no descent.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn skip_to(&mut self, key: &[u8], is_after: bool) -> Result<bool, P::Error> {
        let boundary = Boundary { key, is_after };
        match self.place {
            Place::Back => return Ok(false),
            Place::Entry if !boundary.is_behind(self.key().cmp(key)) => return Ok(true),
            Place::Entry => {
                if self.seek_in_leaf(boundary)? {
                    return Ok(true);
                }
            }
            Place::Front => {}
        }
        self.seek(key, is_after)
    }

    /// Goes to the next entry, from the front to the first one; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    #[inline]
    pub fn next_entry(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry {
            return if self.place == Place::Front { self.first() } else { Ok(false) };
        }
        if self.at + 1 < self.postings.len() {
            self.at += 1;
            return Ok(true);
        }
        if self.packed.count > 0 {
            self.unpack(UNPACKED)?;
            self.at += 1;
            return Ok(true);
        }
        self.step_key()
    }

    /// Goes to the entry before, from the back to the last one; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    #[inline]
    pub fn previous_entry(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry {
            return if self.place == Place::Back { self.last() } else { Ok(false) };
        }
        if let Some(before) = self.at.checked_sub(1) {
            self.at = before;
            return Ok(true);
        }
        self.step_key_back()
    }

    /// Goes to the first entry of the next key; returns whether there is one.
    ///
    /// The entries of a key cost nothing for each one, however many leaves they fill.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn next_key(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry {
            return self.next_entry();
        }
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.step(page.as_ref()) {
            Ok(true) => return self.enter(true),
            Ok(false) => {}
            Err(damage) => {
                let error = damaged(*number, damage);
                return self.fail(error);
            }
        }
        let mut key = std::mem::take(&mut self.left);
        key.clear();
        key.extend_from_slice(self.cursor.key());
        let found = self.seek(&key, true);
        self.left = key;
        found
    }

    /// Goes to the last entry of the key before; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`first`](Self::first).
    pub fn previous_key(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry {
            return self.previous_entry();
        }
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.step_back(page.as_ref()) {
            Ok(true) => return self.enter(false),
            Ok(false) if !self.cursor.header().goes_on() => return self.previous_leaf(),
            Ok(false) => {}
            Err(damage) => {
                let error = damaged(*number, damage);
                return self.fail(error);
            }
        }
        let mut key = std::mem::take(&mut self.left);
        key.clear();
        key.extend_from_slice(self.cursor.key());
        let found = self.seek_back(&key, false);
        self.left = key;
        found
    }

    fn step_key(&mut self) -> Result<bool, P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.step(page.as_ref()) {
            Ok(true) => self.enter(true),
            Ok(false) => self.next_leaf(),
            Err(damage) => {
                let error = damaged(*number, damage);
                self.fail(error)
            }
        }
    }

    fn step_key_back(&mut self) -> Result<bool, P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.step_back(page.as_ref()) {
            Ok(true) => self.enter(false),
            Ok(false) => self.previous_leaf(),
            Err(damage) => {
                let error = damaged(*number, damage);
                self.fail(error)
            }
        }
    }

    /// Unpacks records of the key that the leaf's cursor has come to, and goes to the first or the
    /// last one.
    #[inline]
    fn enter(&mut self, is_forward: bool) -> Result<bool, P::Error> {
        self.postings.clear();
        self.packed = self.cursor.records();
        self.unpack(if is_forward { UNPACKED_FIRST } else { usize::MAX })?;
        self.at = if is_forward { 0 } else { self.postings.len().saturating_sub(1) };
        self.place = Place::Entry;
        Ok(true)
    }

    /// Unpacks at most so many records more.
    #[inline]
    fn unpack(&mut self, count_max: usize) -> Result<(), P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(()) };
        let header = self.cursor.header();
        let (packed, postings) = (&mut self.packed, &mut self.postings);
        if let Err(damage) = header.unpack(page.as_ref(), packed, count_max, postings) {
            let error = damaged(*number, damage);
            return self.fail(error).map(drop);
        }
        Ok(())
    }

    fn fail(&mut self, error: P::Error) -> Result<bool, P::Error> {
        self.place = Place::Front;
        self.leaf = None;
        Err(error)
    }

    fn seek_in_leaf(&mut self, boundary: Boundary<'_>) -> Result<bool, P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.seek(page.as_ref(), boundary) {
            Ok(found) if found.is_found => {
                self.enter(true)?;
                self.check_side(boundary, false)
            }
            Ok(_) => Ok(false),
            Err(damage) => {
                let error = damaged(*number, damage);
                self.fail(error)
            }
        }
    }

    fn enter_first(&mut self) -> Result<bool, P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.enter_first_key(page.as_ref()) {
            Ok(()) => self.enter(true),
            Err(damage) => {
                let error = damaged(*number, damage);
                self.fail(error)
            }
        }
    }

    fn enter_last(&mut self) -> Result<bool, P::Error> {
        let Some((number, page)) = &self.leaf else { return Ok(false) };
        match self.cursor.enter_last_key(page.as_ref()) {
            Ok(()) => self.enter(false),
            Err(damage) => {
                let error = damaged(*number, damage);
                self.fail(error)
            }
        }
    }

    /// Goes to the first entry of the next leaf, or behind the last entry.
    ///
    /// The cursor is at the last key of its leaf, or nowhere on it after a search. That the next
    /// leaf is above this one is checked in any case: so no walk comes upon a page twice.
    fn next_leaf(&mut self) -> Result<bool, P::Error> {
        let last = match self.place {
            Place::Entry => self.postings.last().map(|posting| posting.record),
            _ => {
                // After a search: the last key is that which all are below.
                if let Some((number, page)) = &self.leaf
                    && let Err(damage) = self.cursor.enter_last_key(page.as_ref())
                {
                    let error = damaged(*number, damage);
                    return self.fail(error);
                }
                None
            }
        };
        self.left.clear();
        self.left.extend_from_slice(self.cursor.key());
        self.place = Place::Front;
        let Some(child) = self.sibling(true)? else {
            self.place = Place::Back;
            return Ok(false);
        };
        self.descend(child, Way::First)?;
        self.enter_first()?;
        let (goes_on, first) = (self.cursor.header().goes_on(), self.postings.first());
        let is_above = if goes_on {
            let is_later = first.zip(last).is_none_or(|(first, last)| first.record > last);
            self.cursor.key() == self.left && is_later
        } else {
            self.cursor.key() > &*self.left
        };
        self.check_leaf(is_above)
    }

    /// Goes to the last entry of the leaf before, or in front of the first entry.
    fn previous_leaf(&mut self) -> Result<bool, P::Error> {
        let first = self.postings.first().map(|posting| posting.record);
        let goes_on = self.cursor.header().goes_on();
        self.left.clear();
        self.left.extend_from_slice(self.cursor.key());
        self.place = Place::Front;
        let Some(child) = self.sibling(false)? else { return Ok(false) };
        self.descend(child, Way::Last)?;
        self.enter_last()?;
        let last = self.postings.last();
        let is_below = if goes_on {
            let is_earlier = last.zip(first).is_none_or(|(last, first)| last.record < first);
            self.cursor.key() == self.left && is_earlier
        } else {
            self.cursor.key() < &*self.left
        };
        self.check_leaf(is_below)
    }

    fn check_leaf(&mut self, is_in_order: bool) -> Result<bool, P::Error> {
        match &self.leaf {
            Some((number, _)) if !is_in_order => {
                let error = damaged(*number, Damage::Order);
                self.fail(error)
            }
            _ => Ok(true),
        }
    }

    /// The page at the right or the left of the lowest one on the path that has such a sibling; the
    /// path then ends in front of it.
    fn sibling(&mut self, is_right: bool) -> Result<Option<u32>, P::Error> {
        while let Some(step) = self.path.last_mut() {
            let child = if is_right {
                Some(step.child + 1).filter(|&child| child < step.header.children)
            } else {
                step.child.checked_sub(1)
            };
            if let Some(child) = child {
                step.child = child;
                let page = step.header.page(step.page.as_ref(), child);
                return page.map(Some).map_err(|damage| damaged(step.number, damage));
            }
            self.path.pop();
        }
        Ok(None)
    }

    /// Goes down from a page, below the path, to a leaf.
    fn descend(&mut self, from: u32, way: Way<'_>) -> Result<(), P::Error> {
        self.leaf = None;
        let mut number = from;
        // At most `HEIGHT_MAX` pages, whatever they say: each is one level further down.
        loop {
            let depth = u8::try_from(self.path.len()).unwrap_or(u8::MAX);
            if self.height == 0 || self.height > HEIGHT_MAX || depth >= self.height {
                return Err(damaged(number, Damage::Level));
            }
            let level = self.height - 1 - depth;
            if level == 0 {
                let page = self.pages.page(number, PageKind::Leaf)?;
                let opened = self.cursor.open(page.as_ref(), self.index);
                opened.map_err(|damage| damaged(number, damage))?;
                self.leaf = Some((number, page));
                return Ok(());
            }
            let page = self.pages.page(number, PageKind::Inner)?;
            let step = Step::find(page, number, self.index, level, way);
            let step = step.map_err(|damage| damaged(number, damage))?;
            let next = step.header.page(step.page.as_ref(), step.child);
            number = next.map_err(|damage| damaged(number, damage))?;
            self.path.push(step);
        }
    }
}

/// Which child a descent takes.
#[derive(Clone, Copy)]
enum Way<'k> {
    First,
    Last,
    To(Boundary<'k>),
}

impl<B: AsRef<[u8]>> Step<B> {
    fn find(page: B, number: u32, index: u32, level: u8, way: Way<'_>) -> Result<Self, Damage> {
        let header = InnerHeader::parse(page.as_ref(), index, level)?;
        let child = match way {
            Way::First => 0,
            Way::Last => header.children - 1,
            Way::To(boundary) => header.child(page.as_ref(), boundary)?,
        };
        Ok(Self { number, page, header, child })
    }
}

fn damaged<E: From<DamagedPage>>(page: u32, damage: Damage) -> E {
    DamagedPage { page, damage }.into()
}

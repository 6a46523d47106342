//! All that there is of an index, merged: of all operations on an entry the newest counts.

mod new_run;
mod source;

pub use new_run::RunMerge;
pub(crate) use source::Source;

use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

use crate::filter::FilterHash;
use crate::leaf::Boundary;
use crate::operation::Effect;
use crate::pages::Pages;
use crate::range::{end_boundary, start_boundary};
use crate::record_id::RecordId;

/// Goes through the entries of an index in order of key and record, in both directions.
///
/// Made by [`IndexView::cursor`](crate::IndexView::cursor). A step does not allocate. With
/// one source it costs little more than the source's own step; with several, one comparison more
/// as long as entries come from the same one.
///
/// After an error the cursor is at no entry; a search begins anew.
pub struct MergeCursor<P: Pages> {
    /// The newest first.
    sources: Vec<Source<P>>,
    /// Those that are at an entry, by entry in the direction of the walk, the newest first among
    /// those at the same entry.
    order: Vec<usize>,
    /// How many of these are at the cursor's entry.
    tied: usize,
    /// What all of them together say of it.
    effect: Effect,
    is_forward: bool,
    place: Place,
    /// Whether entries that are not there any more are shown, too.
    shows_removed: bool,
    /// Whether only the entries of one key are gone through.
    is_of_one_key: bool,
    key: Vec<u8>,
    moved: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Front,
    Entry,
    Back,
}

impl<P: Pages> fmt::Debug for MergeCursor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeCursor")
            .field("sources", &self.sources.len())
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<P: Pages> MergeCursor<P> {
    pub(crate) fn new(sources: Vec<Source<P>>, shows_removed: bool) -> Self {
        let order = Vec::with_capacity(sources.len());
        Self {
            sources,
            order,
            tied: 0,
            effect: Effect::Vanished,
            is_forward: true,
            place: Place::Front,
            shows_removed,
            is_of_one_key: false,
            key: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// Returns the entry that the cursor is at.
    #[inline]
    pub fn entry(&self) -> Option<(&[u8], RecordId)> {
        let source = self.current()?;
        Some((source.key(), source.record()))
    }

    /// Returns what the sources together say of the entry that the cursor is at.
    #[inline]
    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    #[inline]
    fn current(&self) -> Option<&Source<P>> {
        match self.place {
            Place::Entry => self.order.first().and_then(|&at| self.sources.get(at)),
            _ => None,
        }
    }

    /// Goes to the first entry within a lower bound; returns whether there is one.
    ///
    /// # Errors
    ///
    /// Whatever a page can't be read for, or [`DamagedPage`](crate::DamagedPage).
    pub fn seek(&mut self, start: Bound<&[u8]>) -> Result<bool, P::Error> {
        self.restart(true);
        let boundary = start_boundary(start);
        for at in 0..self.sources.len() {
            self.place_source(at, |source| match boundary {
                Some(boundary) => source.seek(boundary),
                None => source.first(),
            })?;
        }
        self.settle()
    }

    /// Goes to the last entry within an upper bound; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    pub fn seek_back(&mut self, end: Bound<&[u8]>) -> Result<bool, P::Error> {
        self.restart(false);
        let boundary = end_boundary(end);
        for at in 0..self.sources.len() {
            self.place_source(at, |source| match boundary {
                Some(boundary) => source.seek_back(boundary),
                None => source.last(),
            })?;
        }
        self.settle()
    }

    /// Goes to the first entry with this key, and so that [`next_entry`](Self::next_entry) goes
    /// through the others with it and no further. Returns whether there is one.
    ///
    /// Sources whose filters say that they do not have the key are not searched.
    /// [`previous_entry`](Self::previous_entry) has no meaning after this.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    pub fn find(&mut self, key: &[u8]) -> Result<bool, P::Error> {
        self.restart(true);
        self.is_of_one_key = true;
        self.key.clear();
        self.key.extend_from_slice(key);
        let mut hash = None;
        for at in 0..self.sources.len() {
            let Some(source) = self.sources.get(at) else { break };
            let may_contain = !source.has_filter() || {
                let hash = *hash.get_or_insert_with(|| FilterHash::of(key));
                source.may_contain(hash)?
            };
            if may_contain {
                let boundary = Boundary { key, is_after: false };
                self.place_source(at, |source| source.seek(boundary))?;
            }
        }
        self.settle()
    }

    /// Does what [`find`](Self::find) does, in all sources.
    pub(crate) fn seek_one(&mut self, key: &[u8]) -> Result<bool, P::Error> {
        self.restart(true);
        self.is_of_one_key = true;
        self.key.clear();
        self.key.extend_from_slice(key);
        for at in 0..self.sources.len() {
            self.place_source(at, |source| source.seek(Boundary { key, is_after: false }))?;
        }
        self.settle()
    }

    /// Goes forward to the first entry within a lower bound; stays if the cursor is at one.
    ///
    /// For skipping what can't be wanted; cheaper than a search if the place is near.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    pub fn skip_to(&mut self, start: Bound<&[u8]>) -> Result<bool, P::Error> {
        let boundary = match (self.place, start_boundary(start)) {
            (Place::Back, _) => return Ok(false),
            (_, Some(boundary)) => boundary,
            (_, None) if self.place == Place::Entry => return Ok(true),
            (_, None) => return self.seek(start),
        };
        let is_within = |(key, _): (&[u8], _)| !boundary.is_behind(key.cmp(boundary.key));
        if self.entry().is_some_and(is_within) {
            return Ok(true);
        }
        if self.place == Place::Front || !self.is_forward {
            return self.seek(start);
        }
        self.order.clear();
        self.place = Place::Front;
        for at in 0..self.sources.len() {
            self.place_source(at, |source| source.skip_to(boundary))?;
        }
        self.settle()
    }

    /// Goes to the next entry, from the front to the first one; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    #[inline]
    pub fn next_entry(&mut self) -> Result<bool, P::Error> {
        match self.place {
            Place::Entry => {}
            Place::Front => return self.seek(Bound::Unbounded),
            Place::Back => return Ok(false),
        }
        if !self.is_forward {
            self.turn(true)?;
            return self.settle();
        }
        self.step(true)?;
        self.settle()
    }

    /// Goes to the entry before, from the back to the last one; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    #[inline]
    pub fn previous_entry(&mut self) -> Result<bool, P::Error> {
        match self.place {
            Place::Entry if !self.is_of_one_key => {}
            Place::Back if !self.is_of_one_key => return self.seek_back(Bound::Unbounded),
            _ => return Ok(false),
        }
        if self.is_forward {
            self.turn(false)?;
            return self.settle();
        }
        self.step(false)?;
        self.settle()
    }

    /// Goes to the first entry of the next key; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    pub fn next_key(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry {
            return self.next_entry();
        }
        self.key_step(true)
    }

    /// Goes to the last entry of the key before; returns whether there is one.
    ///
    /// # Errors
    ///
    /// As those of [`seek`](Self::seek).
    pub fn previous_key(&mut self) -> Result<bool, P::Error> {
        if self.place != Place::Entry || self.is_of_one_key {
            return self.previous_entry();
        }
        self.key_step(false)
    }

    fn key_step(&mut self, is_forward: bool) -> Result<bool, P::Error> {
        if self.is_forward != is_forward {
            // Those that are not at the key are then all on the other side of it.
            let mut key = std::mem::take(&mut self.key);
            key.clear();
            key.extend_from_slice(self.entry().map_or(&[], |(key, _)| key));
            let found = if is_forward {
                self.seek(Bound::Excluded(&key))
            } else {
                self.seek_back(Bound::Excluded(&key))
            };
            self.key = key;
            return found;
        }
        let key = self.entry().map_or(&[][..], |(key, _)| key);
        let is_at_key = |&&at: &&usize| self.sources.get(at).is_some_and(|s| s.key() == key);
        let count = self.order.iter().take_while(is_at_key).count();
        self.step_first(
            count,
            |source| {
                if is_forward { source.next_key() } else { source.previous_key() }
            },
        )?;
        self.settle()
    }

    fn restart(&mut self, is_forward: bool) {
        self.order.clear();
        self.is_forward = is_forward;
        self.place = Place::Front;
        self.is_of_one_key = false;
    }

    /// Moves a source that is not in order, and puts it there if it is at an entry then.
    #[inline]
    fn place_source(
        &mut self,
        at: usize,
        move_it: impl FnOnce(&mut Source<P>) -> Result<bool, P::Error>,
    ) -> Result<(), P::Error> {
        let Some(source) = self.sources.get_mut(at) else { return Ok(()) };
        if move_it(source)? && !(self.is_of_one_key && source.key() != self.key) {
            // It is near the front as a rule: what was moved were the first ones.
            let before =
                self.order.iter().take_while(|&&other| self.compare(other, at) == Ordering::Less);
            let position = before.count();
            self.order.insert(position, at);
        }
        Ok(())
    }

    /// The order of two sources: by entry, in the direction of the walk, then the newer first.
    #[inline]
    fn compare(&self, a: usize, b: usize) -> Ordering {
        let entries = self.compare_entries(a, b);
        let entries = if self.is_forward { entries } else { entries.reverse() };
        entries.then(a.cmp(&b))
    }

    #[inline]
    fn compare_entries(&self, a: usize, b: usize) -> Ordering {
        match (self.sources.get(a), self.sources.get(b)) {
            (Some(a), Some(b)) => a.key().cmp(b.key()).then_with(|| a.record().cmp(&b.record())),
            _ => Ordering::Equal,
        }
    }

    /// Moves all sources that are at the cursor's entry.
    #[inline]
    fn step(&mut self, is_forward: bool) -> Result<(), P::Error> {
        let move_it = |source: &mut Source<P>| {
            if is_forward { source.next() } else { source.previous() }
        };
        if self.tied == 1
            && let Some(&at) = self.order.first()
            && !self.is_of_one_key
        {
            // The first one alone: it stays the first one, as a rule.
            let Some(source) = self.sources.get_mut(at) else { return Ok(()) };
            let is_at_entry = match move_it(source) {
                Ok(is_at_entry) => is_at_entry,
                Err(error) => return self.fail(error),
            };
            let is_first =
                self.order.get(1).is_none_or(|&second| self.compare(at, second) == Ordering::Less);
            if is_at_entry && is_first {
                return Ok(());
            }
            self.order.remove(0);
            return if is_at_entry { self.place_source(at, |_| Ok(true)) } else { Ok(()) };
        }
        self.step_first(self.tied, move_it)
    }

    /// Moves the first so many sources.
    fn step_first(
        &mut self,
        count: usize,
        move_it: impl Fn(&mut Source<P>) -> Result<bool, P::Error>,
    ) -> Result<(), P::Error> {
        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        moved.extend(self.order.drain(..count.min(self.order.len())));
        let mut done = Ok(());
        for &at in &moved {
            done = self.place_source(at, &move_it);
            if done.is_err() {
                break;
            }
        }
        self.moved = moved;
        done.or_else(|error| self.fail(error))
    }

    /// Turns round: every source goes one entry back, which takes each to the other side of the
    /// cursor's entry. That of the cursor is none of them.
    fn turn(&mut self, is_forward: bool) -> Result<(), P::Error> {
        self.order.clear();
        self.is_forward = is_forward;
        for at in 0..self.sources.len() {
            let placed =
                self.place_source(
                    at,
                    |source| {
                        if is_forward { source.next() } else { source.previous() }
                    },
                );
            placed.or_else(|error| self.fail(error))?;
        }
        Ok(())
    }

    fn fail(&mut self, error: P::Error) -> Result<(), P::Error> {
        self.place = Place::Front;
        self.order.clear();
        Err(error)
    }

    /// Makes the first source's entry that of the cursor; goes on while that is not there any more.
    #[inline]
    fn settle(&mut self) -> Result<bool, P::Error> {
        loop {
            let Some(&first) = self.order.first() else {
                self.place = if self.is_forward { Place::Back } else { Place::Front };
                return Ok(false);
            };
            let rest = self.order.iter().skip(1);
            let same =
                rest.take_while(|&&other| self.compare_entries(first, other) == Ordering::Equal);
            self.tied = 1 + same.count();
            let effect_of = |at: Option<&usize>| {
                at.and_then(|&at| self.sources.get(at)).map(|source| source.effect())
            };
            let newest = effect_of(Some(&first)).unwrap_or(Effect::Vanished);
            self.effect = if self.tied == 1 {
                newest
            } else {
                effect_of(self.order.get(self.tied - 1))
                    .map_or(newest, |oldest| oldest.then(newest))
            };
            if self.shows_removed || self.effect.is_there() {
                self.place = Place::Entry;
                return Ok(true);
            }
            self.step(self.is_forward)?;
        }
    }
}

//! Going through a chunk, entry by entry.

use super::Chunk;
use crate::leaf::Boundary;
use crate::operation::Effect;
use crate::record_id::RecordId;

/// A place in a chunk: at an entry of which something is visible, in front of all, or behind them.
#[derive(Clone, Debug)]
pub(crate) struct ChunkCursor {
    chunk: Chunk,
    /// Operations with a lower ordinal, less that of the chunk, are visible.
    visible: u32,
    /// The operations on the entry.
    start: usize,
    end: usize,
    record: RecordId,
    effect: Effect,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Front,
    Entry,
    Back,
}

impl ChunkCursor {
    pub(crate) fn new(chunk: Chunk, visible: u32) -> Self {
        Self {
            chunk,
            visible,
            start: 0,
            end: 0,
            record: RecordId::default(),
            effect: Effect::Vanished,
            place: Place::Front,
        }
    }

    pub(crate) fn chunk(&self) -> &Chunk {
        &self.chunk
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        self.chunk.key(self.start)
    }

    #[inline]
    pub(crate) fn record(&self) -> RecordId {
        self.record
    }

    #[inline]
    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    /// Goes to the first visible entry at a position or behind it.
    #[inline]
    fn forward_from(&mut self, mut at: usize) -> bool {
        while at < self.chunk.len() {
            let (record, effect, end) = self.chunk.entry(at, self.visible);
            if let Some(effect) = effect {
                (self.start, self.end, self.record, self.effect) = (at, end, record, effect);
                self.place = Place::Entry;
                return true;
            }
            at = end;
        }
        self.place = Place::Back;
        false
    }

    /// Goes to the last visible entry in front of a position.
    fn back_from(&mut self, mut end: usize) -> bool {
        while let Some(last) = end.checked_sub(1) {
            let start = self.chunk.entry_start(last);
            let (record, effect, _) = self.chunk.entry(start, self.visible);
            if let Some(effect) = effect {
                (self.start, self.end, self.record, self.effect) = (start, end, record, effect);
                self.place = Place::Entry;
                return true;
            }
            end = start;
        }
        self.place = Place::Front;
        false
    }

    pub(crate) fn first(&mut self) -> bool {
        self.forward_from(0)
    }

    pub(crate) fn last(&mut self) -> bool {
        self.back_from(self.chunk.len())
    }

    pub(crate) fn seek(&mut self, boundary: Boundary<'_>) -> bool {
        self.forward_from(self.chunk.position(boundary))
    }

    pub(crate) fn seek_back(&mut self, boundary: Boundary<'_>) -> bool {
        self.back_from(self.chunk.position(boundary))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> bool {
        match self.place {
            Place::Front => self.first(),
            Place::Entry => self.forward_from(self.end),
            Place::Back => false,
        }
    }

    #[inline]
    pub(crate) fn previous(&mut self) -> bool {
        match self.place {
            Place::Front => false,
            Place::Entry => self.back_from(self.start),
            Place::Back => self.last(),
        }
    }

    pub(crate) fn next_key(&mut self) -> bool {
        match self.place {
            Place::Entry => self.forward_from(self.chunk.next_key(self.start)),
            _ => self.next(),
        }
    }

    pub(crate) fn previous_key(&mut self) -> bool {
        match self.place {
            Place::Entry => self.back_from(self.chunk.first_of_key(self.start)),
            _ => self.previous(),
        }
    }

    /// Stays if the entry is behind the boundary already.
    pub(crate) fn skip_to(&mut self, boundary: Boundary<'_>) -> bool {
        match self.place {
            Place::Entry if !boundary.is_behind(self.key().cmp(boundary.key)) => true,
            Place::Back => false,
            _ => self.seek(boundary),
        }
    }
}

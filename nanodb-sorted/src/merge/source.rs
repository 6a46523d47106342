//! One of the parts that an index is merged of.

use std::sync::Arc;

use crate::delta::ChunkCursor;
use crate::filter::FilterHash;
use crate::leaf::Boundary;
use crate::operation::Effect;
use crate::pages::Pages;
use crate::record_id::RecordId;
use crate::run::{Run, RunCursor};

/// A chunk or a run, and a place in it.
pub(crate) enum Source<P: Pages> {
    Chunk(ChunkCursor),
    Run(Box<RunSource<P>>),
}

pub(crate) struct RunSource<P: Pages> {
    cursor: RunCursor<P>,
    runs: Arc<[Run]>,
    number: usize,
}

impl<P: Pages> Source<P> {
    /// One of several runs; `None` if there are not so many.
    pub(crate) fn of_run(pages: P, index: u32, runs: Arc<[Run]>, number: usize) -> Option<Self> {
        let cursor = RunCursor::new(pages, index, runs.get(number)?);
        Some(Self::Run(Box::new(RunSource { cursor, runs, number })))
    }
}

impl<P: Pages> Source<P> {
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Chunk(cursor) => cursor.key(),
            Self::Run(source) => source.cursor.key(),
        }
    }

    #[inline]
    pub(crate) fn record(&self) -> RecordId {
        match self {
            Self::Chunk(cursor) => cursor.record(),
            Self::Run(source) => source.cursor.posting().map_or(RecordId::default(), |it| it.0),
        }
    }

    #[inline]
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Self::Chunk(cursor) => cursor.effect(),
            Self::Run(source) => source.cursor.posting().map_or(Effect::Vanished, |it| it.1),
        }
    }

    pub(crate) fn first(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.first()),
            Self::Run(source) => source.cursor.first(),
        }
    }

    pub(crate) fn last(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.last()),
            Self::Run(source) => source.cursor.last(),
        }
    }

    pub(crate) fn seek(&mut self, boundary: Boundary<'_>) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.seek(boundary)),
            Self::Run(source) => source.cursor.seek(boundary.key, boundary.is_after),
        }
    }

    pub(crate) fn seek_back(&mut self, boundary: Boundary<'_>) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.seek_back(boundary)),
            Self::Run(source) => source.cursor.seek_back(boundary.key, boundary.is_after),
        }
    }

    pub(crate) fn skip_to(&mut self, boundary: Boundary<'_>) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.skip_to(boundary)),
            Self::Run(source) => source.cursor.skip_to(boundary.key, boundary.is_after),
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.next()),
            Self::Run(source) => source.cursor.next_entry(),
        }
    }

    #[inline]
    pub(crate) fn previous(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.previous()),
            Self::Run(source) => source.cursor.previous_entry(),
        }
    }

    pub(crate) fn next_key(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.next_key()),
            Self::Run(source) => source.cursor.next_key(),
        }
    }

    pub(crate) fn previous_key(&mut self) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.previous_key()),
            Self::Run(source) => source.cursor.previous_key(),
        }
    }

    pub(crate) fn has_filter(&self) -> bool {
        match self {
            Self::Chunk(cursor) => cursor.chunk().has_filter(),
            Self::Run(source) => source.run().is_some_and(|run| run.filter.is_some()),
        }
    }

    pub(crate) fn may_contain(&self, hash: FilterHash) -> Result<bool, P::Error> {
        match self {
            Self::Chunk(cursor) => Ok(cursor.chunk().may_contain(hash)),
            Self::Run(source) => match source.run() {
                Some(run) => source.cursor.may_contain(run, hash),
                None => Ok(true),
            },
        }
    }
}

impl<P: Pages> RunSource<P> {
    fn run(&self) -> Option<&Run> {
        self.runs.get(self.number)
    }
}

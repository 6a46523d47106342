//! What opening finds in the logs that a crash left behind.
//!
//! Recovery writes nothing. It reads the logs to the last whole commit, hands the notes on,
//! and remembers for each page where its changes lie in the logs; a page is put
//! together when it is first asked for. The first transaction that wants to write
//! has all of it checkpointed before it goes on. So a crash during recovery is no case of
//! its own, and nothing is acknowledged that rests on bytes which may never have
//! reached the disk.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::error::{Corruption, Error, Result};
use crate::header::Header;
use crate::ids::{Extent, PageId, Seq};
use crate::log;
use crate::log::entry::{self, Base, Payload};
use crate::log::scan::{ScanError, holds_acknowledged, read_segment, scan, was_synced};
use crate::log::segment::Segment;
use crate::notes::Notes;
use crate::page::{Checksummer, Frame};
use crate::side::{self, SideArea};
use crate::storage::Storage;

/// What the logs say beyond the last checkpoint.
#[derive(Default)]
pub(crate) struct Replay {
    pub(crate) last_seq: Seq,
    pub(crate) notes: Notes,
    pub(crate) space: Vec<SpaceChange>,
    pub(crate) commits: u64,
    pub(crate) bytes: u64,
    pub(crate) recovered: Recovered,
}

/// A change to which pages are in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SpaceChange {
    Allocated(Extent),
    Freed(Seq, Extent),
}

/// The pages that the logs change, put together on demand.
#[derive(Default)]
pub(crate) struct Recovered {
    logs: Vec<Arc<dyn Storage>>,
    pages: HashMap<PageId, History, ahash::RandomState>,
    side: Option<(Arc<dyn Storage>, SideArea)>,
}

/// Where a page's changes are.
struct History {
    /// What to begin with: the page on disk, or zeros.
    base: Base,
    entries: Vec<EntryPlace>,
}

#[derive(Clone, Copy)]
struct EntryPlace {
    log: usize,
    offset: u64,
    len: usize,
    seq: Seq,
}

impl Replay {
    /// Reads the logs that the header still needs.
    pub(crate) fn read(storage: &Arc<dyn Storage>, header: &Header) -> Result<Self> {
        let mut replay = Self { last_seq: header.seq, ..Self::default() };
        if !storage.is_persistent() {
            return Ok(replay);
        }
        // The log before, and where it ends.
        let mut previous: Option<(Segment, u64)> = None;
        let first = header.log_generation;
        for generation in [first, first + 1] {
            let suffix = log::suffix(generation);
            let failed = |e| Error::io(format!("reading the log {suffix}"), e);
            if !storage.has_companion(suffix).map_err(failed)? {
                continue;
            }
            let file = storage.companion(suffix).map_err(failed)?;
            let next = replay.last_seq.next();
            let Some(segment) = read_segment(&*file).map_err(failed)? else {
                if holds_acknowledged(&*file, next).map_err(failed)? {
                    return Err(Corruption::Log { log: suffix, offset: 0 }.into());
                }
                continue;
            };
            if segment.uuid != header.uuid || segment.generation != generation {
                continue;
            }
            let chained = previous.is_some_and(|(log, _)| segment.previous_salt == log.salt);
            if (generation == first || chained) && segment.first_seq == next {
                let end = replay.read_log(file, suffix, &segment)?;
                previous = Some((segment, end));
            } else if generation != first
                && (chained || previous.is_none())
                && was_synced(&*file, &segment).map_err(failed)?
            {
                // Nothing in a log is acknowledged before all of the one before it is.
                let offset = previous.map_or(0, |(_, end)| end);
                return Err(Corruption::Log { log: log::suffix(first), offset }.into());
            }
        }
        if storage.has_companion(side::SUFFIX).map_err(side_failed)? {
            let file = storage.companion(side::SUFFIX).map_err(side_failed)?;
            let area = SideArea::read(&*file, header.uuid, header.generation + 1);
            replay.recovered.side = Some((file, area.map_err(side_failed)?));
        }
        Ok(replay)
    }

    /// Returns where the log ends.
    fn read_log(
        &mut self,
        file: Arc<dyn Storage>,
        suffix: &'static str,
        segment: &Segment,
    ) -> Result<u64> {
        let log = self.recovered.logs.len();
        let scanned = scan(&*file, segment, |seq, bytes, offset| {
            let payload = Payload::decode(bytes)?;
            for entry in payload.pages() {
                let entry = entry?;
                let place = EntryPlace {
                    log,
                    offset: offset + entry.offset as u64,
                    len: entry.ranges.len(),
                    seq,
                };
                self.recovered.add(entry.page, entry.base, place);
            }
            self.notes.push(payload.note);
            self.space.extend(payload.allocated.iter().map(|&e| SpaceChange::Allocated(e)));
            self.space.extend(payload.freed.iter().map(|&e| SpaceChange::Freed(seq, e)));
            Some(())
        })
        .map_err(|error| match error {
            ScanError::Io(e) => Error::io(format!("reading the log {suffix}"), e),
            ScanError::Damaged { offset } | ScanError::Refused { offset } => {
                Corruption::Log { log: suffix, offset }.into()
            }
        })?;
        self.recovered.logs.push(file);
        self.last_seq = scanned.last_seq;
        self.commits += scanned.commits;
        self.bytes += scanned.end;
        Ok(scanned.end)
    }
}

fn side_failed(error: io::Error) -> Error {
    Error::io("reading the side area", error)
}

impl Recovered {
    fn add(&mut self, page: PageId, base: Base, place: EntryPlace) {
        let history =
            self.pages.entry(page).or_insert_with(|| History { base, entries: Vec::new() });
        if base != Base::Delta {
            // What came before is gone for good.
            history.base = base;
            history.entries.clear();
        }
        history.entries.push(place);
    }

    /// The pages that the logs change.
    pub(crate) fn pages(&self) -> Vec<PageId> {
        self.pages.keys().copied().collect()
    }

    /// Whether a page needs no bytes from the data file.
    pub(crate) fn is_fresh(&self, page: PageId) -> bool {
        self.pages.get(&page).is_some_and(|history| history.base != Base::Delta)
    }

    /// Returns when the logs that were read are on stable storage, the earlier one first.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.logs.iter().try_for_each(|log| log.sync())
    }

    /// Where the next batch of the side area goes.
    pub(crate) fn side_end(&self) -> u64 {
        self.side.as_ref().map_or(0, |(_, area)| area.end)
    }

    /// Puts a page together in `frame`: from the data file, the side area and the logs.
    ///
    /// Returns `false` for a page that the logs do not change.
    pub(crate) fn load(
        &self,
        storage: &dyn Storage,
        page: PageId,
        newest: Seq,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> Result<bool> {
        let Some(history) = self.pages.get(&page) else { return Ok(false) };
        match history.base {
            Base::Init { kind, owner } => frame.init(page, kind, owner),
            Base::Delta => self.load_base(storage, page, checksummer, frame)?,
        }
        if frame.seq() > newest {
            let (seq, newest) = (frame.seq().get(), newest.get());
            return Err(Corruption::FromTheFuture { page, seq, newest }.into());
        }
        let mut ranges = Vec::new();
        for entry in &history.entries {
            if entry.seq <= frame.seq() {
                continue;
            }
            ranges.resize(entry.len, 0);
            self.logs[entry.log]
                .read_at(&mut ranges, entry.offset)
                .map_err(|e| Error::io(format!("reading changes of {page} from the log"), e))?;
            entry::apply(&ranges, frame.body_mut())
                .ok_or(Corruption::Log { log: "entry", offset: entry.offset })?;
            frame.set_seq(entry.seq);
        }
        Ok(true)
    }

    /// Reads a page that an interrupted checkpoint may have torn.
    fn load_base(
        &self,
        storage: &dyn Storage,
        page: PageId,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> Result<()> {
        let read = storage.read_at(&mut frame.bytes, page.offset());
        let damage = match read {
            Ok(()) => match checksummer.verify(page, frame) {
                Ok(()) => return Ok(()),
                Err(corruption) => Error::Corrupt(corruption),
            },
            Err(error) => Error::io(format!("reading {page}"), error),
        };
        let Some((file, area)) = &self.side else { return Err(damage) };
        match area.find(&**file, page, checksummer, frame) {
            Ok(true) => Ok(()),
            Ok(false) => Err(damage),
            Err(error) => Err(side_failed(error)),
        }
    }
}

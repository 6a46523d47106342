//! What opening finds in the logs that a crash left behind.
//!
//! Recovery writes nothing. It reads the logs to the last whole commit, hands their metadata on,
//! and remembers for each page where its changes lie in the logs; a page is put
//! together when it is first asked for. The first transaction that wants to write
//! has all of it checkpointed before it goes on. So a crash during recovery is no case of
//! its own, and nothing is acknowledged that rests on bytes which may never have
//! reached the disk.
//!
//! A record may name pages that its transaction wrote to the data file (see
//! [`unlogged`](crate::space::unlogged)). Where no later record says that it was on stable storage,
//! those pages are read and compared with their checksums: a power cut may have kept the record
//! and lost a page. The log then ends before that record, which was never acknowledged. There
//! is one page that need not be right: one that a later record holds whole, for a checkpoint
//! may have torn it. Where a record is vouched for, a page that fails is damaged, and costs
//! what is on it. The checkpoint looks at all of those pages, and not only where one is asked for:
//! one that a disk has not written may hold a sound page of an earlier time, which nothing but the
//! record tells from the right one, and that goes with the log.

mod changes;

use std::io;
use std::sync::Arc;

use crate::checkpoint::commit_metadata::CommitMetadata;
use crate::checkpoint::double_write::{self, DoubleWriteBuffer};
use crate::error::{Corruption, Error, LogLoss, Result};
use crate::file::header::{Header, LogState};
use crate::file::page::{Checksummer, Frame};
use crate::file::sidecars;
use crate::file::storage::Storage;
use crate::ids::{PageId, Seq};
use crate::space::change::SpaceChange;
use crate::wal;
use crate::wal::payload::{self, Base, HEAD_SIZE_MAX, Head, Payload};
use crate::wal::scan::{ScanError, holds_acknowledged, read_segment, scan, was_synced};
use crate::wal::segment::Segment;

use self::changes::{Change, Changes, since_base};

/// What the logs say beyond the last checkpoint.
#[derive(Default)]
pub(crate) struct Replay {
    pub(crate) last_seq: Seq,
    pub(crate) metadata: CommitMetadata,
    pub(crate) space: Vec<SpaceChange>,
    pub(crate) commits: u64,
    pub(crate) bytes: u64,
    pub(crate) recovered: RecoveredLog,
    /// Commits from here on do not count.
    limit: Option<Seq>,
    /// The log that can't be read though the header says that there is one, and why.
    pub(crate) loss: Option<(&'static str, LogLoss)>,
    /// Whether the header says that a log was begun.
    logged: bool,
    /// How many pages the file has by what was read so far: no entry names one behind.
    page_count: u32,
}

/// The pages that the logs change, put together on demand.
#[derive(Default)]
pub(crate) struct RecoveredLog {
    logs: Vec<ReadLog>,
    changes: Changes,
    /// Up to here commits were on stable storage, with the pages they wrote.
    vouched: Seq,
    double_write: Option<(Arc<dyn Storage>, DoubleWriteBuffer)>,
    side_is_copied: bool,
}

/// A log that was read.
pub(crate) struct ReadLog {
    pub(crate) file: Arc<dyn Storage>,
    pub(crate) suffix: &'static str,
    pub(crate) end: u64,
    /// Whether it is a copy that this process has made, and synced.
    is_copied: bool,
}

impl Replay {
    /// Reads the logs that the header still needs.
    ///
    /// One that is lost is an error, unless `allow_missing_log` is set.
    pub(crate) fn read(
        storage: &Arc<dyn Storage>,
        header: &Header,
        allow_missing_log: bool,
    ) -> Result<Self> {
        let replay = Self::read_below(storage, header, None)?;
        if let Some(lost) = replay.lost(&**storage)
            && !allow_missing_log
        {
            return Err(lost);
        }
        let limit = replay.first_incomplete(&**storage, Checksummer::new(&header.uuid))?;
        if limit.is_none() {
            return Ok(replay);
        }
        // Before the second is made: both may be as large as the logs.
        drop(replay);
        Self::read_below(storage, header, limit)
    }

    /// Whether something must be brought to the file before anything new is written.
    pub(crate) fn is_needed(&self) -> bool {
        // What was left out must not count again when something else has changed, and a log that
        // the header names is not begun again in its place.
        self.commits > 0 || self.limit.is_some() || self.logged
    }

    /// [Reads](Self::read) the logs as far as that is possible; says why it is no further.
    pub(crate) fn read_readable(
        storage: &Arc<dyn Storage>,
        header: &Header,
    ) -> (Self, Option<Error>) {
        let read = |limit| {
            let mut replay = Self::beyond(header, limit);
            let damage = replay.read_logs(storage, header).err();
            let damage = damage.or(replay.recovered.sort(header.page_count).err());
            let damage = damage.or(replay.read_side(storage, header).err());
            let damage = damage.or(replay.lost(&**storage));
            (replay, damage)
        };
        let (replay, damage) = read(None);
        if damage.is_some() {
            // Who vouches for whom is known of whole logs only.
            return (replay, damage);
        }
        // What can't be read may be there.
        match replay.first_incomplete(&**storage, Checksummer::new(&header.uuid)) {
            Ok(Some(limit)) => read(Some(limit)),
            Ok(None) | Err(_) => (replay, damage),
        }
    }

    fn lost(&self, storage: &dyn Storage) -> Option<Error> {
        let (suffix, loss) = self.loss?;
        Some(Error::LogLost { log: sidecars::name(storage, suffix), loss })
    }

    fn read_below(storage: &Arc<dyn Storage>, header: &Header, limit: Option<Seq>) -> Result<Self> {
        let mut replay = Self::beyond(header, limit);
        replay.read_logs(storage, header)?;
        replay.recovered.sort(header.page_count)?;
        replay.read_side(storage, header)?;
        Ok(replay)
    }

    /// Nothing yet.
    fn beyond(header: &Header, limit: Option<Seq>) -> Self {
        let logged = header.log_state == LogState::Logged;
        let (last_seq, page_count) = (header.seq, header.page_count);
        Self { last_seq, limit, logged, page_count, ..Self::default() }
    }

    /// After an error the logs are read as far as they are sound.
    fn read_logs(&mut self, storage: &Arc<dyn Storage>, header: &Header) -> Result<()> {
        if !storage.is_persistent() {
            return Ok(());
        }
        // The log before, and where it ends.
        let mut previous: Option<(Segment, u64)> = None;
        let first = header.log_generation;
        for generation in [first, first + 1] {
            let suffix = wal::suffix(generation);
            let failed = |e| Error::io(format!("reading the log {suffix}"), e);
            // The first block of the log that the header names was synced before that.
            let is_named = self.logged && generation == first;
            let Some(file) = storage.found_sidecar(suffix).map_err(failed)? else {
                // Both are there before the header says that one is begun: commits may have gone
                // to either.
                self.loss = self.loss.or(self.logged.then_some((suffix, LogLoss::Missing)));
                continue;
            };
            let next = self.last_seq.next();
            if self.limit == Some(next) {
                break;
            }
            let Some(segment) = read_segment(&*file).map_err(failed)? else {
                if is_named || holds_acknowledged(&*file, next).map_err(failed)? {
                    return Err(Corruption::Log { log: suffix, offset: 0 }.into());
                }
                continue;
            };
            let lost = if segment.uuid != header.uuid {
                Some(LogLoss::OfAnotherDatabase)
            } else if segment.generation != generation {
                Some(LogLoss::OfAnotherTime)
            } else {
                None
            };
            if let Some(loss) = lost {
                // The later one may rightly hold what was there before: of the checkpoint before,
                // or of whoever left a file of that name when no log was needed.
                self.loss = self.loss.or(is_named.then_some((suffix, loss)));
                continue;
            }
            let chained = previous.is_some_and(|(log, _)| segment.previous_salt == log.salt);
            if (generation == first || chained) && segment.first_seq == next {
                let end = self.read_log(file, suffix, &segment)?;
                previous = Some((segment, end));
            } else if generation != first
                && (chained || previous.is_none())
                && was_synced(&*file, &segment).map_err(failed)?
            {
                // Nothing in a log is acknowledged before all of the one before it is.
                let offset = previous.map_or(0, |(_, end)| end);
                return Err(Corruption::Log { log: wal::suffix(first), offset }.into());
            } else if is_named {
                self.loss = Some((suffix, LogLoss::OfAnotherTime));
            }
        }
        Ok(())
    }

    fn read_side(&mut self, storage: &Arc<dyn Storage>, header: &Header) -> Result<()> {
        if !storage.is_persistent() {
            return Ok(());
        }
        if let Some(file) =
            storage.found_sidecar(double_write::SUFFIX).map_err(double_write_failed)?
        {
            let area = DoubleWriteBuffer::read(&*file, header.uuid, header.generation + 1);
            self.recovered.double_write = Some((file, area.map_err(double_write_failed)?));
        }
        Ok(())
    }

    /// Returns where the log ends.
    fn read_log(
        &mut self,
        file: Arc<dyn Storage>,
        suffix: &'static str,
        segment: &Segment,
    ) -> Result<u64> {
        let log = self.recovered.logs.len();
        let read = ReadLog { file: Arc::clone(&file), suffix, end: 0, is_copied: false };
        self.recovered.logs.push(read);
        self.recovered.changes.begin_log(segment.first_seq);
        let before = self.last_seq;
        // The commits with unlogged pages, and where their payloads begin.
        let mut vouching: Vec<(u64, Seq)> = Vec::new();
        let scanned = scan(&*file, segment, |seq, bytes, offset| {
            if self.limit.is_some_and(|limit| seq >= limit) {
                return Some(());
            }
            let payload = Payload::decode(bytes)?;
            for extent in &payload.allocated {
                self.page_count = self.page_count.max(u32::try_from(extent.end()).ok()?);
            }
            let mut names_unlogged = false;
            for entry in payload.pages() {
                let entry = entry?;
                if entry.page.get() >= self.page_count {
                    return None;
                }
                names_unlogged |= matches!(entry.base, Base::Unlogged { .. });
                // One without ranges counts, too: the page has a new number by it, so a checkpoint
                // writes it, and may tear it.
                let at = offset + entry.offset as u64;
                self.recovered.changes.add(entry.page, entry.base, log, at)?;
            }
            if names_unlogged {
                vouching.push((offset, seq));
            }
            self.recovered.logs[log].end = offset + bytes.len() as u64;
            self.recovered.changes.end_commit(offset);
            self.metadata.push(payload.metadata);
            self.space.extend(payload.allocated.iter().map(|&e| SpaceChange::Allocated(e)));
            self.space.extend(payload.freed.iter().map(|&e| SpaceChange::Freed(seq, e)));
            self.last_seq = seq;
            self.commits += 1;
            Some(())
        })
        .map_err(|error| match error {
            ScanError::Io(e) => Error::io(format!("reading the log {suffix}"), e),
            ScanError::Damaged { offset } | ScanError::Refused { offset } => {
                Corruption::Log { log: suffix, offset }.into()
            }
        })?;
        let vouched_here = vouching.into_iter().rev().find(|&(offset, _)| offset < scanned.synced);
        // Nothing in a log is on stable storage before all of the one before it is.
        let before = if scanned.synced > 0 { before } else { Seq::ZERO };
        let vouched = vouched_here.map_or(before, |(_, seq)| seq);
        self.recovered.vouched = self.recovered.vouched.max(vouched);
        self.recovered.logs[log].end = scanned.end;
        self.bytes += scanned.end;
        Ok(scanned.end)
    }

    /// The first commit that nobody vouches for and that misses one of its pages.
    fn first_incomplete(
        &self,
        storage: &dyn Storage,
        checksummer: Checksummer,
    ) -> Result<Option<Seq>> {
        let mut frame = Frame::ZERO;
        let mut limit = None;
        let recovered = &self.recovered;
        // From the last on: what is left out makes no page whole, so a page before it may be
        // missed that was not as long as it counted.
        for (change, replaced) in recovered.changes.unlogged_above(recovered.vouched) {
            let seq = recovered.changes.seq(change);
            let held_whole_later =
                replaced.is_some_and(|replaced| limit.is_none_or(|limit| replaced < limit));
            // One page that is missed is enough for a commit not to count.
            if held_whole_later || limit == Some(seq) {
                continue;
            }
            let (head, _) = recovered.head(change)?;
            let Base::Unlogged { checksum } = head.base else { continue };
            let page = change.page();
            if !is_there(recovered.load_unlogged(storage, page, checksum, checksummer, &mut frame))?
            {
                limit = Some(seq);
            }
        }
        Ok(limit)
    }
}

/// Whether a page could be read and is what it should be.
fn is_there(loaded: Result<()>) -> Result<bool> {
    match loaded {
        Ok(()) => Ok(true),
        Err(Error::Corrupt(_)) => Ok(false),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn double_write_failed(error: io::Error) -> Error {
    Error::io("reading the double-write buffer", error)
}

impl RecoveredLog {
    /// To be called once all logs are read, of a file with so many pages.
    fn sort(&mut self, page_count: u32) -> Result<()> {
        self.changes.sort(page_count).map_err(|(log, what)| match what {
            Corruption::Log { offset, .. } => {
                Corruption::Log { log: self.suffix(log), offset }.into()
            }
            other => other.into(),
        })
    }

    fn suffix(&self, log: usize) -> &'static str {
        self.logs.get(log).map_or("", |log| log.suffix)
    }

    /// The head of an entry, and where its ranges begin.
    fn head(&self, change: Change) -> Result<(Head, u64)> {
        let damaged =
            || Corruption::Log { log: self.suffix(change.log()), offset: change.offset() };
        let log = self.logs.get(change.log()).ok_or_else(damaged)?;
        let mut bytes = [0; HEAD_SIZE_MAX];
        let there = log.end.saturating_sub(change.offset()).min(HEAD_SIZE_MAX as u64);
        let bytes = &mut bytes[..usize::try_from(there).unwrap_or(HEAD_SIZE_MAX)];
        let page = change.page();
        log.file
            .read_at(bytes, change.offset())
            .map_err(|e| Error::io(format!("reading changes of {page} from the log"), e))?;
        let head = Head::decode(bytes).filter(|head| head.page == page).ok_or_else(damaged)?;
        Ok((head, change.offset() + head.size as u64))
    }

    /// The pages that a checkpoint has to write. Those that are in the file as they should be
    /// are not among them, if they are known to be on stable storage.
    pub(crate) fn pages(&self) -> Vec<PageId> {
        let is_written = |changes: &[Change]| match since_base(changes) {
            [base] => base.is_unlogged() && self.changes.seq(*base) <= self.vouched,
            _ => false,
        };
        let changed = self.changes.by_page().filter(|changes| !is_written(changes));
        changed.filter_map(|changes| changes.first()).map(|change| change.page()).collect()
    }

    /// The pages that are in the data file as records say that vouch for them, and of which the
    /// logs say no more: a checkpoint has nothing to write of them.
    pub(crate) fn written(&self) -> Vec<PageId> {
        let bases = self.changes.by_page().filter_map(|changes| match since_base(changes) {
            [base] if base.is_unlogged() && self.changes.seq(*base) <= self.vouched => Some(base),
            _ => None,
        });
        bases.map(|base| base.page()).collect()
    }

    /// The checksum that the logs name for such a page.
    pub(crate) fn named_checksum(&self, page: PageId) -> Result<Option<u64>> {
        let Some(&base) = since_base(self.changes.of(page)).first() else { return Ok(None) };
        match self.head(base)?.0.base {
            Base::Unlogged { checksum } => Ok(Some(checksum)),
            _ => Ok(None),
        }
    }

    /// Whether the logs say something of a page.
    pub(crate) fn names(&self, page: PageId) -> bool {
        !self.changes.of(page).is_empty()
    }

    /// Leaves a page to the file, which has it as the logs say.
    pub(crate) fn forget(&mut self, page: PageId) {
        self.changes.forget(page);
    }

    /// Whether the logs hold a page whole, so that it needs no bytes from the data file.
    pub(crate) fn is_fresh(&self, page: PageId) -> bool {
        since_base(self.changes.of(page)).first().is_some_and(|base| base.is_init())
    }

    /// The files that pages are put together from and that are not copied yet, the earlier log
    /// first: handle, suffix, and how long the part is that counts.
    pub(crate) fn files(&self) -> Vec<(Arc<dyn Storage>, &'static str, u64)> {
        let logs = self.logs.iter().filter(|log| !log.is_copied);
        let logs = logs.map(|log| (Arc::clone(&log.file), log.suffix, log.end));
        let is_copied = self.side_is_copied;
        let double_write =
            self.double_write.iter().filter(|(_, area)| area.tail.end > 0 && !is_copied);
        let double_write = double_write
            .map(|(file, area)| (Arc::clone(file), double_write::SUFFIX, area.tail.end));
        logs.chain(double_write).collect()
    }

    /// The pages that are in the data file as records say that nobody vouches for.
    pub(crate) fn unvouched(&self) -> Vec<PageId> {
        let bases = self.changes.by_page().filter_map(|changes| since_base(changes).first());
        bases
            .filter(|base| base.is_unlogged() && self.changes.seq(**base) > self.vouched)
            .map(|base| base.page())
            .collect()
    }

    /// Reads such a page as its record says it is, without what later records change.
    pub(crate) fn load_unvouched(
        &self,
        storage: &dyn Storage,
        page: PageId,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> Result<()> {
        let Some(&base) = since_base(self.changes.of(page)).first() else { return Ok(()) };
        match self.head(base)?.0.base {
            Base::Unlogged { checksum } => {
                self.load_unlogged(storage, page, checksum, checksummer, frame)
            }
            _ => Ok(()),
        }
    }

    /// From now on `copy`, which has the same bytes, is read instead of the file with this
    /// suffix, whose bytes may leave the operating system's memory unsaved.
    pub(crate) fn replace(&mut self, suffix: &str, copy: &Arc<dyn Storage>) {
        for log in self.logs.iter_mut().filter(|log| log.suffix == suffix) {
            log.file = Arc::clone(copy);
            log.is_copied = true;
        }
        if let (double_write::SUFFIX, Some((file, _))) = (suffix, &mut self.double_write) {
            *file = Arc::clone(copy);
            self.side_is_copied = true;
        }
    }

    /// Where the next batch of the double-write buffer goes.
    pub(crate) fn double_write_tail(&self) -> Option<double_write::Tail> {
        self.double_write.as_ref().map(|(_, area)| area.tail)
    }

    /// Puts a page together in `frame`: from the data file, the double-write buffer and the logs.
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
        let changes = since_base(self.changes.of(page));
        let Some(&first) = changes.first() else { return Ok(false) };
        match self.head(first)?.0.base {
            Base::Init { kind, owner } => frame.init(page, kind, owner),
            Base::Delta => self.load_base(storage, page, checksummer, frame)?,
            Base::Unlogged { checksum } => {
                self.load_unlogged(storage, page, checksum, checksummer, frame)?;
            }
        }
        if frame.seq() > newest {
            let (seq, newest) = (frame.seq().get(), newest.get());
            return Err(Corruption::FromTheFuture { page, seq, newest }.into());
        }
        for &change in changes.iter().filter(|change| !change.is_unlogged()) {
            let seq = self.changes.seq(change);
            if seq > frame.seq() {
                self.apply(change, frame)?;
                frame.set_seq(seq);
            }
        }
        Ok(true)
    }

    /// Overwrites what an entry names.
    fn apply(&self, change: Change, frame: &mut Frame) -> Result<()> {
        let (head, at) = self.head(change)?;
        let log = &self.logs[change.log()];
        let damaged = || Corruption::Log { log: log.suffix, offset: change.offset() };
        if at + u64::from(head.ranges_len) > log.end {
            return Err(damaged().into());
        }
        let mut ranges = vec![0; head.ranges_len as usize];
        log.file.read_at(&mut ranges, at).map_err(|e| {
            Error::io(format!("reading changes of {} from the log", change.page()), e)
        })?;
        Ok(payload::apply(&ranges, frame.body_mut()).ok_or_else(damaged)?)
    }

    /// Reads a page that a commit has written to the data file with this checksum.
    ///
    /// An interrupted checkpoint may have written a later version over it; then that one is in
    /// the double-write buffer. That the page in the file is sound, or has a higher number, proves
    /// nothing: it may be of a commit that an earlier crash has undone.
    fn load_unlogged(
        &self,
        storage: &dyn Storage,
        page: PageId,
        checksum: u64,
        checksummer: Checksummer,
        frame: &mut Frame,
    ) -> Result<()> {
        let read = storage.read_at(&mut frame.bytes, page.offset());
        let damage = match read {
            Ok(()) => match checksummer.verify(page, frame) {
                Ok(()) if frame.checksum() == checksum => return Ok(()),
                Ok(()) => {
                    let computed = frame.checksum();
                    Corruption::Checksum { page, stored: checksum, computed }.into()
                }
                Err(corruption) => Error::Corrupt(corruption),
            },
            Err(error) => Error::io(format!("reading {page}"), error),
        };
        self.load_image(page, checksummer, frame, damage)
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
        self.load_image(page, checksummer, frame, damage)
    }

    /// Takes a page from the double-write buffer; fails with `damage` if it is not there.
    fn load_image(
        &self,
        page: PageId,
        checksummer: Checksummer,
        frame: &mut Frame,
        damage: Error,
    ) -> Result<()> {
        let Some((file, area)) = &self.double_write else { return Err(damage) };
        match area.find(&**file, page, checksummer, frame) {
            Ok(true) => Ok(()),
            Ok(false) => Err(damage),
            Err(error) => Err(double_write_failed(error)),
        }
    }
}

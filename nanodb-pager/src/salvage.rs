//! Reading the pages of a file that can't be opened.
//!
//! Every page says what it is, whose, and which commit wrote it, so much can be read without the
//! free map and the root, or even the header. What is found here is for a copy, made as well as
//! possible, and not for going on with.
//!
//! A page that can be read need not count: transactions write to pages that are free before they
//! commit, and what was freed stays until something else is written there. With a sound header a
//! page counts
//!
//! 1. if the logs name it: as the last commit in them has left it; or
//! 2. if the free map, brought up to date from the logs, says that it is in use; or
//! 3. if there is no free map any more, and it is not newer than the last checkpoint. Some of these
//!    may have been free.
//!
//! Without a header every page counts, and the logs are not looked at. A log that is damaged counts
//! up to there.
//!
//! What the device can't read costs the pages that it is on: they are noted, and reading goes on
//! behind them.

mod roots;

use std::fmt;
use std::io;
use std::sync::Arc;

use self::roots::Roots;
use crate::application::Application;
use crate::cache::guard::PageGuard;
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header};
use crate::file::page::{Checksummer, Frame};
use crate::file::storage::Storage;
use crate::file::stream;
use crate::ids::{Extent, Owner, PAGE_SIZE, PageId, PageKind, Seq};
use crate::space::free_map::FreeMap;
use crate::wal::recovery::Replay;

/// A file whose pages are read one by one, whatever else is wrong with it.
pub struct Salvage {
    storage: Arc<dyn Storage>,
    /// None if nothing says any more what the pages' checksums begin from.
    checksummer: Option<Checksummer>,
    /// None if neither copy can be read.
    header: Option<Header>,
    /// What the logs say beyond the header.
    logged: Replay,
    /// Why root, free map or logs can't be read, or no further.
    missed: Vec<Error>,
    /// Whole pages.
    page_count: u32,
    pages: Vec<FoundPage>,
    damaged: Vec<Corruption>,
    unreadable: Vec<Unreadable>,
    left_out: u32,
    metadata_root: Option<Vec<u8>>,
    free: Option<FreeMap>,
}

/// Pages side by side that the device can't read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// Which.
    pub pages: Extent,
    /// What the operating system said of the first.
    pub why: String,
}

/// A page that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FoundPage {
    /// Its number.
    pub page: PageId,
    /// What it holds.
    pub kind: PageKind,
    /// Whose page it is.
    pub owner: Owner,
    /// The commit that wrote it. For pages that a large transaction wrote, one from its time.
    pub seq: Seq,
}

impl Salvage {
    /// Reads every page of the file that `storage` holds. Writes nothing.
    ///
    /// Takes 24 bytes of memory a page, and what opening takes for the logs. Does not lock the
    /// storage: a [`Pager`](crate::Pager) that could not open it has, and holds the lock for as
    /// long as the storage is there.
    ///
    /// # Errors
    ///
    /// [`Error::OtherFormat`], [`Error::OtherApplication`], [`Error::NewerFormat`],
    /// [`Error::NewerFeatures`]; [`Error::Io`] if the operating system does not tell the
    /// file's length. What can't be read is no error, but [noted](Self::unreadable).
    pub fn open(storage: Arc<dyn Storage>, application: &Application) -> Result<Self> {
        let header = match Header::read_readable(&*storage, application) {
            Ok(header) => Some(header),
            Err(
                error @ (Error::OtherFormat { .. }
                | Error::OtherApplication { .. }
                | Error::NewerFormat { .. }
                | Error::NewerFeatures { .. }
                | Error::Io { .. }),
            ) => {
                return Err(error);
            }
            Err(_) => None,
        };
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let page_count = u32::try_from(len / PAGE_SIZE as u64).unwrap_or(u32::MAX);
        let mut salvage = Self {
            checksummer: None,
            header: None,
            logged: Replay::default(),
            missed: Vec::new(),
            page_count,
            pages: Vec::new(),
            damaged: Vec::new(),
            unreadable: Vec::new(),
            left_out: 0,
            metadata_root: None,
            free: None,
            storage,
        };
        match header {
            Some(header) => salvage.read_what_is_known(header),
            None => salvage.checksummer = salvage.guess_checksums()?,
        }
        salvage.read_pages()?;
        Ok(salvage)
    }

    /// Returns whether pages are compared with their checksums. If not, they are what they say of
    /// themselves, and may be damaged all the same.
    pub fn is_verified(&self) -> bool {
        self.checksummer.is_some()
    }

    /// Returns the pages that can be read, in order, without those that are known to be free.
    pub fn pages(&self) -> &[FoundPage] {
        &self.pages
    }

    /// Returns what is wrong with the other pages. A page of zeros is as good as one never written.
    pub fn damaged(&self) -> &[Corruption] {
        &self.damaged
    }

    /// Returns the pages that the device can't read, in order.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Returns how many pages are whole, but hold what nothing says was ever committed. They are
    /// not among the [pages](Self::pages).
    pub fn left_out(&self) -> u32 {
        self.left_out
    }

    /// Returns why the root, the free map or the logs could not be read, or no further. Without a
    /// header nobody looks for them.
    pub fn missed(&self) -> &[Error] {
        &self.missed
    }

    /// Returns the metadata root as of the last checkpoint, if header and root can be read.
    pub fn metadata_root(&self) -> Option<&[u8]> {
        self.metadata_root.as_deref()
    }

    /// Iterates over the metadata of the commits since then, as far as the logs can be read.
    pub fn metadata(&self) -> impl Iterator<Item = &[u8]> {
        self.logged.metadata.iter()
    }

    /// Returns whether the file says which pages are free, so that none of those is among the
    /// [pages](Self::pages).
    pub fn knows_free_pages(&self) -> bool {
        self.free.is_some()
    }

    /// Iterates over whatever may be a metadata root, the newest first; each may be followed by
    /// zeros, and some are something else. After an error, as of [`page`](Self::page), the next one
    /// comes.
    pub fn possible_roots(&self) -> impl Iterator<Item = Result<Vec<u8>>> {
        Roots::of(self)
    }

    /// Returns a page as the file has it, or as the logs have left it.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn page(&self, page: PageId) -> Result<PageGuard> {
        let mut frame = Arc::new(Frame::ZERO);
        self.load(page, Arc::make_mut(&mut frame))?;
        Ok(PageGuard::owned(frame))
    }

    fn load(&self, page: PageId, frame: &mut Frame) -> Result<()> {
        if let Some(checksummer) = self.checksummer {
            let newest = self.logged.last_seq;
            let recovered = &self.logged.recovered;
            if recovered.load(&*self.storage, page, newest, checksummer, frame)? {
                return Ok(());
            }
        }
        if page.get() >= self.page_count {
            return Err(Corruption::OutOfBounds { page, page_count: self.page_count }.into());
        }
        self.storage
            .read_at(&mut frame.bytes, page.offset())
            .map_err(|e| Error::io(format!("reading {page}"), e))?;
        match self.checksummer {
            Some(checksummer) => Ok(checksummer.verify(page, frame)?),
            None if frame.id() != page => {
                Err(Corruption::Misplaced { page, found: frame.id().get() }.into())
            }
            None => Ok(()),
        }
    }

    /// The checksums of a file without a header: what is left of one may still name the file, and
    /// a page that agrees with it proves it right.
    fn guess_checksums(&self) -> Result<Option<Checksummer>> {
        let guesses = Header::possible_uuids(&*self.storage)?;
        let guesses = guesses.each_ref().map(Checksummer::new);
        let mut frame = Frame::ZERO;
        for page in (HEADER_PAGES..self.page_count).map(PageId::new) {
            if self.storage.read_at(&mut frame.bytes, page.offset()).is_err() {
                continue;
            }
            if let Some(&right) = guesses.iter().find(|guess| guess.verify(page, &frame).is_ok()) {
                return Ok(Some(right));
            }
        }
        Ok(None)
    }

    /// Root, free map and logs. Without one of them less is known.
    fn read_what_is_known(&mut self, header: Header) {
        let checksummer = Checksummer::new(&header.uuid);
        let read = |name, place| {
            let storage = &*self.storage;
            stream::read(storage, name, place, self.page_count, header.seq, checksummer)
        };
        let root = read("metadata root", header.root).map(|(bytes, _)| bytes);
        let free = read("free map", header.free_map)
            .and_then(|(bytes, _)| Ok(FreeMap::decode(&bytes, header.page_count)?));
        self.metadata_root = root.map_err(|error| self.missed.push(error)).ok();
        self.free = free.map_err(|error| self.missed.push(error)).ok();
        let (logged, damage) = Replay::read_readable(&self.storage, &header);
        self.logged = logged;
        self.missed.extend(damage);
        if let Some(free) = &mut self.free {
            // As far as it agrees with the logs.
            let _ = free.replay(&self.logged.space);
        }
        (self.checksummer, self.header) = (Some(checksummer), Some(header));
    }

    fn read_pages(&mut self) -> Result<()> {
        let behind = self.logged.recovered.pages().into_iter();
        let behind: Vec<PageId> = behind.filter(|page| page.get() >= self.page_count).collect();
        let mut frame = Frame::ZERO;
        let in_file = (HEADER_PAGES..self.page_count).map(PageId::new);
        for page in in_file.chain(behind) {
            if self.is_free(page) {
                continue;
            }
            match self.load(page, &mut frame) {
                Ok(()) if self.counts(page, frame.seq()) => self.pages.push(FoundPage {
                    page,
                    kind: frame.kind(),
                    owner: frame.owner(),
                    seq: frame.seq(),
                }),
                Ok(()) => self.left_out += u32::from(frame.kind() != PageKind::STREAM),
                Err(Error::Corrupt(_)) if frame.bytes.iter().all(|&byte| byte == 0) => {}
                Err(Error::Corrupt(corruption)) => self.damaged.push(corruption),
                Err(Error::Io { source, .. }) => self.note_unreadable(page, &source),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the free map says so; not of pages behind the end that the header knows of.
    fn is_free(&self, page: PageId) -> bool {
        let within = self.header.as_ref().is_some_and(|header| page.get() < header.page_count);
        within && self.free.as_ref().is_some_and(|free| !free.in_use(Extent::new(page, 1)))
    }

    /// Whether a page was committed, as far as anything says.
    fn counts(&self, page: PageId, seq: Seq) -> bool {
        let Some(header) = &self.header else { return true };
        let in_use = |free: &FreeMap| free.in_use(Extent::new(page, 1));
        self.logged.recovered.names(page) || self.free.as_ref().map_or(seq <= header.seq, in_use)
    }

    fn note_unreadable(&mut self, page: PageId, error: &io::Error) {
        if let Some(last) = self.unreadable.last_mut()
            && last.pages.end() == u64::from(page.get())
        {
            last.pages.pages += 1;
            return;
        }
        self.unreadable.push(Unreadable { pages: Extent::new(page, 1), why: error.to_string() });
    }
}

impl fmt::Debug for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salvage")
            .field("pages", &self.pages.len())
            .field("damaged", &self.damaged.len())
            .field("unreadable", &self.unreadable.len())
            .finish_non_exhaustive()
    }
}

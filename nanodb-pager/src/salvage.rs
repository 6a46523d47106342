//! Reading the pages of a file that can't be opened.
//!
//! Every page says what it is, whose, and which commit wrote it, so much can be read without the
//! header, the free map and the root. What is lost with these is which pages were free, and so
//! held what nobody wanted any more; and the logs are not looked at. So what is found here is for a copy,
//! made as well as possible, and not for going on with.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::error::{Corruption, Error, Result};
use crate::free_map::FreeMap;
use crate::guard::PageGuard;
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{Extent, Owner, PAGE_SIZE, PageId, PageKind, Seq};
use crate::page::{Checksummer, Frame};
use crate::storage::Storage;
use crate::stream;

/// A file whose pages are read one by one, whatever else is wrong with it.
pub struct Salvage {
    storage: Arc<dyn Storage>,
    /// None if nothing says any more what the pages' checksums begin from.
    checksummer: Option<Checksummer>,
    /// Whole pages.
    page_count: u32,
    pages: Vec<FoundPage>,
    damaged: Vec<Corruption>,
    root: Option<Vec<u8>>,
    free: Option<FreeMap>,
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
    /// Reads every page of the file that `storage` is. Writes nothing.
    ///
    /// Takes 24 bytes of memory a page. Does not lock the storage: a [`Pager`](crate::Pager) that could
    /// not open it has, and holds the lock for as long as the storage is there.
    ///
    /// # Errors
    ///
    /// [`Error::GoFile`], [`Error::NewerFormat`], [`Error::Io`].
    pub fn open(storage: Arc<dyn Storage>) -> Result<Self> {
        let header = match Header::read_any(&*storage) {
            Ok(header) => Some(header),
            Err(error @ (Error::GoFile | Error::NewerFormat { .. } | Error::Io { .. })) => {
                return Err(error);
            }
            Err(_) => None,
        };
        let len = storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        let page_count = u32::try_from(len / PAGE_SIZE as u64).unwrap_or(u32::MAX);
        let mut salvage = Self {
            checksummer: None,
            page_count,
            pages: Vec::new(),
            damaged: Vec::new(),
            root: None,
            free: None,
            storage,
        };
        salvage.checksummer = match &header {
            Some(header) => Some(Checksummer::new(&header.uuid)),
            None => salvage.guess_checksums()?,
        };
        if let Some(header) = header {
            salvage.read_streams(&header)?;
        }
        salvage.read_pages()?;
        Ok(salvage)
    }

    /// Whether pages are held against their checksums. If not, they are what they say of
    /// themselves, and may be damaged all the same.
    pub fn is_verified(&self) -> bool {
        self.checksummer.is_some()
    }

    /// The pages that can be read, in order, without those that are known to be free.
    pub fn pages(&self) -> &[FoundPage] {
        &self.pages
    }

    /// What is wrong with the other pages. A page of zeros is as good as one never written.
    pub fn damaged(&self) -> &[Corruption] {
        &self.damaged
    }

    /// The root as of the last checkpoint, if header and root can be read.
    pub fn root(&self) -> Option<&[u8]> {
        self.root.as_deref()
    }

    /// Whatever may be a root, the newest first; each may be followed by zeros, and some are
    /// something else.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn possible_roots(&self) -> Result<Vec<Vec<u8>>> {
        let streams = self.pages.iter().filter(|found| found.kind == PageKind::STREAM);
        let mut nodes = HashMap::new();
        let mut followers = HashSet::new();
        for found in streams {
            let guard = self.page(found.page)?;
            let (next, bytes) = stream::split(guard.body());
            followers.insert(next);
            nodes.insert(found.page, (found.seq, next, bytes.to_vec()));
        }
        let mut first: Vec<(Seq, PageId)> = nodes
            .iter()
            .filter(|(page, _)| !followers.contains(page))
            .map(|(&page, node)| (node.0, page))
            .collect();
        first.sort_unstable_by(|a, b| b.cmp(a));
        let chain = |(_, first)| {
            let (mut bytes, mut next) = (Vec::new(), first);
            // No honest chain is longer.
            for _ in 0..nodes.len() {
                let Some((_, after, part)) = nodes.get(&next) else { break };
                bytes.extend_from_slice(part);
                next = *after;
            }
            bytes
        };
        Ok(first.into_iter().map(chain).collect())
    }

    /// A page as the file has it.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn page(&self, page: PageId) -> Result<PageGuard> {
        let mut frame = Arc::new(Frame::ZERO);
        self.read(page, Arc::make_mut(&mut frame))?;
        Ok(PageGuard::owned(frame))
    }

    fn read(&self, page: PageId, frame: &mut Frame) -> Result<()> {
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
            self.storage
                .read_at(&mut frame.bytes, page.offset())
                .map_err(|e| Error::io(format!("reading {page}"), e))?;
            if let Some(&right) = guesses.iter().find(|guess| guess.verify(page, &frame).is_ok()) {
                return Ok(Some(right));
            }
        }
        Ok(None)
    }

    /// Without one of them less is known; but what can't be read now is no damage.
    fn read_streams(&mut self, header: &Header) -> Result<()> {
        let checksummer = Checksummer::new(&header.uuid);
        let read = |name, place| {
            let storage = &*self.storage;
            match stream::read(storage, name, place, self.page_count, header.seq, checksummer) {
                Ok((bytes, _)) => Ok(Some(bytes)),
                Err(error @ Error::Io { .. }) => Err(error),
                Err(_) => Ok(None),
            }
        };
        self.root = read("root", header.root)?;
        let free = read("free map", header.free_map)?;
        self.free = free.and_then(|bytes| FreeMap::decode(&bytes, header.page_count).ok());
        Ok(())
    }

    fn read_pages(&mut self) -> Result<()> {
        let mut frame = Frame::ZERO;
        for page in (HEADER_PAGES..self.page_count).map(PageId::new) {
            let one = Extent::new(page, 1);
            // Behind the end that the header knows of lies nothing that counts, or all there is.
            let is_free = |free: &FreeMap| page.get() < free.page_count() && !free.in_use(one);
            if self.free.as_ref().is_some_and(is_free) {
                continue;
            }
            match self.read(page, &mut frame) {
                Ok(()) => self.pages.push(FoundPage {
                    page,
                    kind: frame.kind(),
                    owner: frame.owner(),
                    seq: frame.seq(),
                }),
                Err(Error::Corrupt(_)) if frame.bytes.iter().all(|&byte| byte == 0) => {}
                Err(Error::Corrupt(corruption)) => self.damaged.push(corruption),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Salvage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salvage")
            .field("pages", &self.pages.len())
            .field("damaged", &self.damaged.len())
            .finish_non_exhaustive()
    }
}

//! Going through all documents of a collection.

use std::fmt;
use std::sync::Arc;

use nanodb_index::RecordId;
use nanodb_page::{Record, RecordKind, SlotId};
use nanodb_pager::{Owner, PAGE_SIZE, PageGuard, PageId, TxView};

use crate::error::{EngineError, OfDocument, Result};
use crate::opening::Opening;
use crate::pages::extent_list::ExtentList;
use crate::pages::extents::{Extents, Position};
use crate::pages::overflow;
use crate::pages::records::RecordSpan;
use crate::pages::source::{PageSource, StoredPage};
use crate::pages::stored_doc::StoredDoc;
use crate::read_view::ReadView;
use crate::store::Store;
use nanodb_document::{DocView, Error};

/// Lends the documents of a collection, one after the other, as they were when the scan began.
///
/// Documents come in the order in which they are stored. In a collection that was only appended to,
/// that is the order in which they were inserted.
///
/// A scan holds no lock, however long it takes. It keeps old versions of the pages that it has not
/// read yet.
///
/// A damaged page is an error once; the next call goes on with the page after it.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let users = Database::in_memory()?.collection("users");
/// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
///
/// let mut ages = 0;
/// let mut scan = users.scan()?;
/// while let Some(user) = scan.next()? {
///     ages += user.get_i64("age")?;
/// }
/// assert_eq!(ages, 42);
/// # Ok(())
/// # }
/// ```
#[must_use = "a scan does nothing until it is asked for documents"]
pub struct Scan {
    page: Option<OpenPage>,
    /// The document put together last, if it was in pieces.
    assembled: Vec<u8>,
    walk: Walk,
}

/// The pages still to be visited.
struct Walk {
    owner: Owner,
    /// By what name.
    collection: Arc<str>,
    extents: ExtentList,
    position: Position,
    pages_left: u64,
    /// Shared by the parts of a scan.
    pages: Arc<Pages>,
    // Last: pages must be gone before the database is.
    opening: Arc<Opening>,
}

/// What pages are read from.
enum Pages {
    /// Of a collection that does not exist.
    None,
    Snapshot(Arc<ReadView>),
    Transaction {
        view: TxView,
        transaction: Arc<dyn ScannedTransaction>,
        // Last: the view must be gone before the database is.
        opening: Arc<Opening>,
    },
}

/// A transaction, as far as it concerns a scan of what it saw.
pub(crate) trait ScannedTransaction: Send + Sync {
    /// Whether others may have changed that. Who sees what another has changed since sees it.
    fn is_over(&self) -> bool;
}

impl PageSource for Pages {
    type Page = PageGuard;

    #[inline]
    fn page(&self, id: PageId) -> Result<PageGuard> {
        match self {
            Self::None => Err(EngineError::damaged(id)),
            Self::Snapshot(view) => PageSource::page(view.snapshot(), id),
            Self::Transaction { view, transaction, opening } => {
                let page = view.page(id);
                // Looked at after the page, an error too: the pages of a transaction that is over
                // may be others' by now.
                match transaction.is_over() {
                    false => Ok(page?),
                    // Closing has ended it, if it is closed.
                    true if opening.is_closed() => Err(opening.closed()),
                    true => Err(EngineError::TransactionOver),
                }
            }
        }
    }
}

struct OpenPage {
    guard: PageGuard,
    /// Where to go on; none behind the last slot a page can have.
    next: Option<SlotId>,
}

/// Where the document is that a scan has come to.
enum Step {
    OnPage(RecordSpan),
    Assembled,
}

impl Scan {
    /// Makes a scan of no documents.
    #[doc(hidden)]
    pub fn empty(opening: &Arc<Opening>) -> Self {
        let opening = Arc::clone(opening);
        Self::new(opening, (Owner::PAGER, "".into()), Extents::default(), Pages::None)
    }

    /// Makes a scan of a collection as of a view.
    #[doc(hidden)]
    pub fn over(view: Arc<ReadView>, store: &Store, name: &Arc<str>) -> Self {
        let opening = Arc::clone(view.opening());
        match store.state_at(view.snapshot().seq()) {
            Some(state) => {
                let collection = (store.owner, Arc::clone(name));
                Self::new(opening, collection, state.extents, Pages::Snapshot(view))
            }
            None => Self::empty(&opening),
        }
    }

    /// A scan over what a transaction sees of a collection.
    pub(crate) fn within(
        opening: Arc<Opening>,
        view: TxView,
        transaction: Arc<dyn ScannedTransaction>,
        (store, name): (&Store, &Arc<str>),
        extents: Extents,
    ) -> Self {
        let collection = (store.owner, Arc::clone(name));
        let pages = Pages::Transaction { view, transaction, opening: Arc::clone(&opening) };
        Self::new(opening, collection, extents, pages)
    }

    fn new(
        opening: Arc<Opening>,
        (owner, collection): (Owner, Arc<str>),
        extents: Extents,
        pages: Pages,
    ) -> Self {
        let (extents, pages_left) = (extents.list, extents.used_pages);
        let (position, pages) = (Position::default(), Arc::new(pages));
        let walk = Walk { owner, collection, extents, position, pages_left, pages, opening };
        Self { page: None, assembled: Vec::new(), walk }
    }

    /// Returns the next document; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Damaged`](nanodb_document::ErrorKind::Damaged) if a page, or a document in several pieces,
    /// cannot be read; the next call goes on behind it. [`Io`](nanodb_document::ErrorKind::Io) if
    /// the operating system refuses. [`Closed`](nanodb_document::ErrorKind::Closed) once the
    /// database is closed.
    #[allow(clippy::should_implement_trait, reason = "lends, which Iterator cannot")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<&DocView>, Error> {
        self.walk.opening.check_open()?;
        let Some(step) = self.advance()? else { return Ok(None) };
        let bytes = match (step, &self.page) {
            (Step::OnPage(record), Some(page)) => record.bytes(page.guard.body()),
            _ => self.assembled.as_slice(),
        };
        Ok(Some(DocView::from_bytes(bytes)))
    }

    /// Calls `visit` with each document that is left. Somewhat faster than [`next`](Self::next).
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// let mut bytes = 0;
    /// users.scan()?.for_each(|user| bytes += user.as_bytes().len())?;
    /// assert!(bytes > 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`next`](Self::next); a further call goes on behind what could not be read.
    pub fn for_each(&mut self, mut visit: impl FnMut(&DocView)) -> Result<(), Error> {
        let mut visit = |document: &DocView| {
            visit(document);
            Ok::<_, EngineError>(false)
        };
        loop {
            // `visit` may have closed the database.
            self.walk.opening.check_open()?;
            if !self.open_page()? {
                return Ok(());
            }
            self.find_on_page(&mut visit)?;
        }
    }

    /// Returns the next document for which `is_wanted` returns true. After an error of `is_wanted`,
    /// the next call goes on with the document after it. For calls that closing waits for, and
    /// those that look themselves whether it is closed.
    #[doc(hidden)]
    pub fn next_that<E: From<EngineError> + OfDocument>(
        &mut self,
        mut is_wanted: impl FnMut(&DocView) -> Result<bool, E>,
    ) -> Result<Option<StoredDoc>, E> {
        while self.open_page()? {
            let found = self.find_on_page(&mut is_wanted)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Goes on to the next page, if it is done with the last one; false at the end.
    #[inline]
    fn open_page(&mut self) -> Result<bool> {
        match self.page {
            Some(_) => Ok(true),
            None => self.walk.open_next(&mut self.page),
        }
    }

    /// Looks for the next document that is wanted on the page that it is on; with none it is done
    /// with that.
    fn find_on_page<E: From<EngineError> + OfDocument>(
        &mut self,
        is_wanted: &mut impl FnMut(&DocView) -> Result<bool, E>,
    ) -> Result<Option<StoredDoc>, E> {
        let Some(page) = &mut self.page else { return Ok(None) };
        let found = find_on_page(&self.walk, page, &mut self.assembled, is_wanted)?;
        if found.is_none() {
            self.page = None;
        }
        Ok(found)
    }

    /// Returns an error once the database is closed.
    #[doc(hidden)]
    pub fn check_open(&self) -> Result<()> {
        self.walk.opening.check_open()
    }

    /// Splits off the next pages, `pages` at most, as a scan of their own; returns none at the end.
    #[doc(hidden)]
    pub fn split(&mut self, pages: u64) -> Option<Self> {
        let Walk { owner, collection, extents, position, pages_left, pages: source, opening } =
            &mut self.walk;
        let taken = pages.min(*pages_left);
        if taken == 0 {
            return None;
        }
        let walk = Walk {
            owner: *owner,
            collection: Arc::clone(collection),
            extents: extents.clone(),
            position: *position,
            pages_left: taken,
            pages: Arc::clone(source),
            opening: Arc::clone(opening),
        };
        *pages_left -= taken;
        position.skip(extents, taken);
        Some(Self { page: None, assembled: Vec::new(), walk })
    }

    /// Returns the name of the collection.
    #[doc(hidden)]
    pub fn collection(&self) -> &Arc<str> {
        &self.walk.collection
    }

    /// Returns how many pages are still to be read.
    #[doc(hidden)]
    pub fn pages_left(&self) -> u64 {
        self.walk.pages_left
    }

    /// Whether all remaining pages fit into the page cache, so that finding a document
    /// [again](Self::document_at) costs little.
    #[doc(hidden)]
    pub fn fits_in_cache(&self) -> bool {
        match &*self.walk.pages {
            // What a transaction has seen can't be seen once it is over.
            Pages::None | Pages::Transaction { .. } => false,
            Pages::Snapshot(view) => {
                let pages_max = view.engine().pager.cache_bytes_max() / PAGE_SIZE;
                self.walk.pages_left <= pages_max as u64
            }
        }
    }

    /// Returns the document that this scan found in a record, by its
    /// [record id](StoredDoc::record_id).
    #[doc(hidden)]
    pub fn document_at(&self, record_id: RecordId) -> Result<StoredDoc> {
        let page = PageId::new(record_id.page);
        let guard = self.walk.pages.slotted(self.walk.owner, page)?;
        let slots = guard.slots(page)?;
        let slot = SlotId::new(record_id.slot).ok_or_else(|| EngineError::damaged(page))?;
        let record = slots.get(slot).map_err(|e| EngineError::damaged_by(page, e))?;
        let record = record.ok_or_else(|| EngineError::damaged(page))?;
        if record.kind == RecordKind::Document {
            let span = RecordSpan::of(&record);
            return Ok(StoredDoc::on_page(guard, span));
        }
        let mut bytes = Vec::new();
        assemble(&self.walk, &guard, record.bytes, &mut bytes)?;
        Ok(StoredDoc::assembled(bytes, record_id))
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<Step>> {
        loop {
            if let Some(page) = &mut self.page {
                while let Some(record) = next_record(&page.guard, &mut page.next)? {
                    match record.kind {
                        RecordKind::Document => {
                            return Ok(Some(Step::OnPage(RecordSpan::of(&record))));
                        }
                        RecordKind::Head => {
                            assemble(&self.walk, &page.guard, record.bytes, &mut self.assembled)?;
                            return Ok(Some(Step::Assembled));
                        }
                        _ => {}
                    }
                }
            }
            if !self.walk.open_next(&mut self.page)? {
                return Ok(None);
            }
        }
    }
}

impl Walk {
    /// Puts the next page into `page`; false, and none there, at the end.
    fn open_next(&mut self, page: &mut Option<OpenPage>) -> Result<bool> {
        *page = None;
        if self.pages_left == 0 {
            return Ok(false);
        }
        self.pages_left -= 1;
        let Some(id) = self.position.advance(&self.extents) else { return Ok(false) };
        let guard = self.pages.slotted(self.owner, id)?;
        touch(guard.body());
        *page = Some(OpenPage { guard, next: Some(SlotId::FIRST) });
        Ok(true)
    }
}

/// Looks at each part of a page that the processor fetches from memory as a whole.
///
/// Whoever goes from one document's bytes to the next waits for memory again and again; these reads
/// don't depend on each other and wait together.
#[inline]
fn touch(body: &[u8]) {
    let parts = body.iter().step_by(64);
    std::hint::black_box(parts.fold(0, |seen, byte| seen | byte));
}

/// The record at `next` or behind it, moving `next` on.
#[inline]
fn next_record<'p>(guard: &'p PageGuard, next: &mut Option<SlotId>) -> Result<Option<Record<'p>>> {
    // Left as it is on an error: nothing of a damaged page but what came before.
    let Some(from) = next.take() else { return Ok(None) };
    let damaged_by = |error| EngineError::damaged_by(guard.id(), error);
    let slots = guard.slots(guard.id())?;
    let record = slots.records_from(from).next().transpose().map_err(damaged_by)?;
    *next = record.and_then(|record| record.slot.next());
    Ok(record)
}

/// The next document of a page that is wanted. None if there is no more; then the page is done
/// with.
fn find_on_page<E: From<EngineError> + OfDocument>(
    walk: &Walk,
    page: &mut OpenPage,
    assembled: &mut Vec<u8>,
    is_wanted: &mut impl FnMut(&DocView) -> Result<bool, E>,
) -> Result<Option<StoredDoc>, E> {
    let OpenPage { guard, next } = page;
    // Left as it is if the page is damaged: a further call must not show the same documents again.
    let Some(from) = next.take() else { return Ok(None) };
    let damaged_by = |error| EngineError::damaged_by(guard.id(), error);
    let slots = guard.slots(guard.id())?;
    for record in slots.records_from(from) {
        let record = record.map_err(damaged_by)?;
        let mut ask = |bytes| {
            let document = DocView::from_bytes(bytes);
            let blame = |e: E| e.of_document(&walk.collection, document, Some(guard.id()));
            is_wanted(document).map_err(blame)
        };
        let wanted = match record.kind {
            RecordKind::Document => ask(record.bytes),
            RecordKind::Head => assemble(walk, guard, record.bytes, assembled)
                .map_err(E::from)
                .and_then(|()| ask(assembled)),
            _ => Ok(false),
        };
        if matches!(wanted, Ok(false)) {
            continue;
        }
        *next = record.slot.next();
        wanted?;
        let span = RecordSpan::of(&record);
        return Ok(Some(match record.kind {
            RecordKind::Document => StoredDoc::on_page(guard.clone(), span),
            _ => StoredDoc::assembled(std::mem::take(assembled), span.on(guard.id())),
        }));
    }
    Ok(None)
}

fn assemble(walk: &Walk, head: &PageGuard, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    overflow::assemble(walk.owner, head.id(), record, &*walk.pages, out)
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").field("pages_left", &self.walk.pages_left).finish_non_exhaustive()
    }
}

/// Iterates over the documents of a collection; made by
/// `Collection::iter`.
///
/// The documents are handed out to keep, for which each counts a reference; a
/// [`Scan`] lends them and does not.
#[derive(Debug)]
#[must_use = "an iterator does nothing until it is asked for documents"]
pub struct ScanIter {
    scan: Scan,
    /// Whether it has said that the database is closed: once, or who skips errors never ends.
    is_over: bool,
}

impl ScanIter {
    /// Makes an iterator over the documents that a scan has not come to yet.
    #[doc(hidden)]
    pub fn new(scan: Scan) -> Self {
        Self { scan, is_over: false }
    }

    /// Returns the name of the collection.
    #[doc(hidden)]
    pub fn name(&self) -> &str {
        &self.scan.walk.collection
    }
}

impl Iterator for ScanIter {
    type Item = Result<StoredDoc, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        if let Err(closed) = self.scan.check_open() {
            self.is_over = true;
            return Some(Err(closed.into()));
        }
        self.scan.next_that(|_| Ok(true)).transpose()
    }
}

//! A search under preparation: a filter, an order, a part of the result, and a projection.

use std::fmt;

use nanodb_query::bytes::FilterBytes;
use nanodb_query::{ApplyError, Filter, IntoProjection, IntoSort, Projection, Sort};

use super::candidates::Candidates;
use super::cursor::Cursor;
use super::execution_stats::ExecutionStats;
use super::plan::Plan;
use super::sorted::{SORT_BYTES_MAX_DEFAULT, Sorter};
use super::source::Source;
use super::threads::Threads;
use crate::error::{Error, Result};
use nanodb_collection::{Call, StoredDoc};
use nanodb_document::DocView;

/// A search for documents under preparation; made by [`Collection::find`], and carried out by
/// [`run`](Self::run), [`first`](Self::first) or [`count`](Self::count).
///
/// A filter that requires `_id` to be one of some values is answered by the id index; any other one
/// scans the collection. [`explain`](Self::explain) says which.
///
/// It is prepared and run on one thread, since it may be of a transaction, which is used by one
/// thread at a time. The [`Cursor`] that it returns can be sent to another.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Projection, Sort, doc, field};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let users = Database::in_memory()?.collection("users");
/// users.insert_many((1..=9).map(|n| doc! { "name": (format!("user {n}")), "age": (20 + n) }))?;
///
/// let oldest = users
///     .find(field("age").lt(28))
///     .sort(Sort::descending("age"))
///     .skip(1)
///     .limit(2)
///     .projection(Projection::include(["age"]).without_id());
/// for user in oldest.run()? {
///     println!("{}", user?); // {"age": 26}, {"age": 25}
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Collection::find`]: crate::Collection::find
#[derive(Clone)]
#[must_use = "a search does nothing until it is run"]
pub struct Find<'c> {
    source: Source<'c>,
    pub(super) filter: Filter,
    pub(super) sort: Sort,
    skip: u64,
    limit: Option<u64>,
    pub(super) projection: Projection,
    sort_bytes_max: usize,
    threads: Threads,
}

impl<'c> Find<'c> {
    pub(crate) fn new(source: Source<'c>, filter: Filter) -> Self {
        let (sort, projection) = (Sort::default(), Projection::all());
        let sort_bytes_max = SORT_BYTES_MAX_DEFAULT;
        let threads = Threads::ONE;
        Self { source, filter, sort, skip: 0, limit: None, projection, sort_bytes_max, threads }
    }

    /// Sets the order in which documents are returned. Default: any order.
    ///
    /// A sort reads all matching documents before it returns the first. It keeps their sort keys in
    /// memory, together with the projected documents, or only with their places if the collection
    /// fits into the cache. What exceeds [`sort_bytes_max`](Self::sort_bytes_max) goes to a
    /// temporary file. With a limit, at most twice `skip + limit` documents are kept.
    ///
    /// Documents with equal sort keys are returned in the order in which they are stored.
    pub fn sort(mut self, sort: impl IntoSort) -> Self {
        self.sort = sort.into_sort();
        self
    }

    /// Sets how many bytes of memory a sort may take. Default
    /// [`SORT_BYTES_MAX_DEFAULT`](crate::SORT_BYTES_MAX_DEFAULT), 100 MiB.
    ///
    /// What exceeds it goes to a temporary file without a name, in the database's directory or, for
    /// a database in memory, in the system's directory for such files. The file is deleted together
    /// with the [`Cursor`]. It takes as many bytes as are sorted, and twice as many while more than
    /// 256 times the budget is sorted. A few documents always have room, however small the budget.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Filter, Sort, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let all = Database::in_memory()?.collection("all");
    /// all.insert_many((0..1000).map(|n| doc! { "n": (n * 7 % 1000) }))?;
    /// let sorted = || all.find(Filter::all()).sort(Sort::ascending("n"));
    /// assert_eq!(sorted().explain_analyze()?.temporary_bytes, 0);
    /// assert!(sorted().sort_bytes_max(10_000).explain_analyze()?.temporary_bytes > 10_000);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sort_bytes_max(mut self, bytes: usize) -> Self {
        self.sort_bytes_max = bytes;
        self
    }

    /// Leaves out the first `count` matching documents.
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Ends the search after `count` documents; 0 means no limit, as in MongoDB.
    pub fn limit(mut self, count: u64) -> Self {
        self.limit = (count > 0).then_some(count);
        self
    }

    /// Sets which fields of each document are returned. Default: all.
    pub fn projection(mut self, projection: impl IntoProjection) -> Self {
        self.projection = projection.into_projection();
        self
    }

    /// Sets how many threads evaluate the filter, including the calling thread. Default 1, maximum
    /// 64.
    ///
    /// This is worthwhile if a large collection is scanned and the processor has cores to spare.
    /// The result is the same, in the same order. All threads have ended when a call returns: each
    /// call of the [`Cursor`] that needs more documents starts threads again, which scan up to a
    /// megabyte of pages each, twice; documents found ahead wait in memory. A search that ends
    /// early has examined more documents than one thread would have. A filter that names ids uses
    /// no threads.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let all = Database::in_memory()?.collection("all");
    /// all.insert_many((0..10_000).map(|n| doc! { "n": (n % 10) }))?;
    /// assert_eq!(all.find(field("n").gte(8)).threads(4).count()?, 2_000);
    /// let mut found = all.find(field("n").eq(8)).threads(4).run()?;
    /// assert_eq!(found.next().transpose()?.map(|document| document.to_document()).transpose()?,
    ///     Some(doc! { "_id": 9, "n": 8 }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Threads::new(count);
        self
    }

    /// Starts the search and returns an iterator over the documents, as they are now.
    ///
    /// Without an order, the scan goes on as documents are asked for. Documents that the filter
    /// names by id are read at once, as many as the limit allows.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the filter, the sort or the projection is refused,
    /// as text of the same content is; [`Io`](crate::ErrorKind::Io) if a temporary file is needed
    /// and cannot be created, written or read, as on a full disk; same as
    /// [`Collection::get`](crate::Collection::get) and [`Scan::next`](crate::Scan::next).
    pub fn run(self) -> Result<Cursor> {
        let _call = self.source.enter()?;
        self.run_within_call()
    }

    fn run_within_call(self) -> Result<Cursor> {
        self.projection.check()?;
        let enough = self.enough();
        let Self { source, filter, sort, skip, limit, projection, sort_bytes_max, threads } = self;
        let plan = Plan::new(filter, sort)?;
        let candidates = Candidates::new(&source, &plan, enough)?;
        let Plan { filter, sort, .. } = plan;
        let found = Cursor::new(source.opening(), candidates, filter, projection, threads);
        if sort.is_empty() {
            return Ok(found.part(skip, limit));
        }
        let kept_max = limit.map_or(u64::MAX, |limit| skip.saturating_add(limit));
        let kept_max = usize::try_from(kept_max).unwrap_or(usize::MAX);
        found.sorted(&sort, Sorter::new(kept_max, sort_bytes_max, source.pager().clone()), skip)
    }

    /// Returns the first document, if there is one.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Filter, Sort, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// let youngest = users.find(Filter::all()).sort(Sort::ascending("age")).first()?;
    /// assert_eq!(youngest.and_then(|user| user.get("age")?.as_i64()), Some(12));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`run`](Self::run).
    pub fn first(self) -> Result<Option<StoredDoc>> {
        let _call = self.source.enter()?;
        self.limit(1).run_within_call()?.next_found().transpose()
    }

    /// Returns how many documents match, after [`skip`](Self::skip) and [`limit`](Self::limit).
    ///
    /// A filter that every document matches costs the same for any number of documents.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) as in [`run`](Self::run); same as
    /// [`Scan::next`](crate::Scan::next).
    pub fn count(self) -> Result<u64> {
        let _call = self.source.enter()?;
        // They change no number, but what is refused is refused wherever it is used.
        self.sort.check()?;
        self.projection.check()?;
        let enough = self.enough();
        let plan = Plan::new(self.filter, Sort::default())?;
        let filter = &plan.filter;
        let count = if filter.is_all() {
            self.source.count()?
        } else {
            let mut candidates = Candidates::new(&self.source, &plan, enough)?;
            match candidates.cursor() {
                Some(cursor) if !self.threads.is_one() => self.threads.count(cursor, filter)?,
                _ => {
                    let mut count = 0;
                    candidates.try_for_each(|document| {
                        count += u64::from(matches(filter, document)?);
                        Ok(())
                    })?;
                    count
                }
            }
        };
        let count = count.saturating_sub(self.skip);
        Ok(self.limit.map_or(count, |limit| count.min(limit)))
    }

    /// Returns how the documents would be found, without reading any.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{AccessPath, Database, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// let plan = users.find(field("_id").is_in([3, 4]).and(field("age").gt(3))).explain()?;
    /// assert_eq!(plan.access_path, AccessPath::IdLookup { count: 2 });
    /// let plan = users.find(field("age").gt(3)).explain()?;
    /// assert_eq!(plan.access_path, AccessPath::CollectionScan);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) as in [`run`](Self::run).
    pub fn explain(self) -> Result<Plan> {
        self.projection.check()?;
        Plan::new(self.filter, self.sort)
    }

    /// Runs the search to its end, and returns how the documents were found and how many were
    /// examined.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many((1..=9).map(|age| doc! { "age": age }))?;
    /// let explain = users.find(field("age").gt(3)).explain_analyze()?;
    /// assert_eq!((explain.documents_examined, explain.documents_returned), (9, 6));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`run`](Self::run).
    pub fn explain_analyze(self) -> Result<ExecutionStats> {
        let plan = self.clone().explain()?;
        let _call = self.source.enter()?;
        let mut found = self.run_within_call()?;
        let mut documents_returned = 0;
        while let Some(document) = found.next_found() {
            document?;
            documents_returned += 1;
        }
        let (documents_examined, temporary_bytes) = (found.examined(), found.temporary_bytes());
        Ok(ExecutionStats { plan, documents_examined, documents_returned, temporary_bytes })
    }

    /// The name of the collection.
    #[cfg(feature = "serde")]
    pub(super) fn collection(&self) -> &str {
        self.source.name()
    }

    /// Registers a call that closing waits for.
    pub(super) fn enter(&self) -> Result<Option<Call<'c>>> {
        self.source.enter()
    }

    /// Returns the documents that the filter is to be evaluated on.
    pub(super) fn candidates(&self) -> Result<Candidates> {
        Candidates::new(&self.source, &Plan::new(self.filter.clone(), Sort::default())?, None)
    }

    /// Returns after how many matching documents the search may end; none if all are to be sorted.
    fn enough(&self) -> Option<u64> {
        let limit = self.limit.filter(|_| self.sort.is_empty());
        limit.map(|limit| self.skip.saturating_add(limit))
    }
}

impl fmt::Debug for Find<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find")
            .field("filter", &self.filter)
            .field("sort", &self.sort)
            .field("skip", &self.skip)
            .field("limit", &self.limit)
            .field("projection", &self.projection)
            .finish_non_exhaustive()
    }
}

/// Returns whether a stored document matches.
#[inline]
pub(super) fn matches(filter: &Filter, document: &DocView) -> Result<bool> {
    filter.matches(document.as_bytes()).map_err(not_applied)
}

/// Why a query could not be applied to a stored document.
#[cold]
pub(super) fn not_applied(error: ApplyError) -> Error {
    error.into()
}

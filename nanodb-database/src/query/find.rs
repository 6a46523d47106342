//! Asking for documents: a filter, an order, a part, and the fields that are wanted.

use std::fmt;

use nanodb_query::{ApplyError, Filter, Projection, Sort};

use super::candidates::Candidates;
use super::cursor::Cursor;
use super::explain::Explain;
use super::plan::Plan;
use super::sorted::{SORT_BYTES_MAX_DEFAULT, Sorter};
use super::source::Source;
use super::threads::Threads;
use crate::error::{Error, Result};
use nanodb_collection::StoredDoc;
use nanodb_document::DocView;

/// A search for documents under preparation; made by [`Collection::find`], and run by
/// [`run`](Self::run) and the others.
///
/// A filter that says what `_id` is, or is one of, is answered by the index of ids; for any other one
/// all documents are looked at.
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
///     .limit(2)
///     .projection(Projection::include(["age"])?.without_id());
/// for user in oldest.run()? {
///     println!("{}", user?); // {"age": 27}, {"age": 26}
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

    /// The order in which documents come. Without, it is any.
    ///
    /// All documents that pass are read before the first one comes. Their keys are kept in memory, with
    /// what is wanted of them, or with where they are if the collection fits into the cache. What
    /// takes more than [`sort_bytes_max`](Self::sort_bytes_max) goes to a temporary file. With a limit
    /// only as many are kept as can be handed out, and at most as many again.
    ///
    /// Documents that the sort puts in the same place come in the order in which they are stored.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// How many bytes a sort keeps in memory at most;
    /// [`SORT_BYTES_MAX_DEFAULT`](crate::SORT_BYTES_MAX_DEFAULT) (100 MiB) if nothing is said.
    ///
    /// What is above goes to a temporary file, in the database's directory or, for a database in
    /// memory, in the system's directory for such files. The file has no name and is gone with the documents
    /// found. It takes as many bytes as are sorted; twice as many while more than 256 times the budget
    /// is sorted. However small the budget, a few documents have room.
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

    /// Leaves out so many documents at the start.
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Ends after so many documents; 0 is no limit, as in MongoDB.
    pub fn limit(mut self, count: u64) -> Self {
        self.limit = (count > 0).then_some(count);
        self
    }

    /// Which fields are wanted. Without, all are.
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// On how many threads documents are looked at, the calling one among them; on that alone if nothing
    /// is said, and on 64 at most.
    ///
    /// Worth it where all documents of a large collection are looked at, and other threads have nothing to do. What is found is the
    /// same, in the same order. All threads have ended when the call returns: so [`run`](Self::run) and each
    /// call of the iterator that it gives that needs more documents begin some anew, which look at
    /// up to a megabyte of pages each, twice; documents found there wait in memory until they are asked for.
    /// A search that ends early has looked at more than one thread would have. A filter that names ids
    /// needs no threads and gets none.
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

    /// The documents, as they are now.
    ///
    /// Without an order they are looked for as they are asked for; those that the filter names by their ids at
    /// once, until there are as many as the limit allows.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if the filter or the sort was built of what is refused in text;
    /// [`Error::Sort`] if a temporary file is needed and can't be made, written or read, as on a full
    /// disk; as [`Collection::get`](crate::Collection::get) and
    /// [`Scan::next`](crate::Scan::next).
    pub fn run(self) -> Result<Cursor> {
        let enough = self.enough();
        let Self { source, filter, sort, skip, limit, projection, sort_bytes_max, threads } = self;
        let plan = Plan::new(filter, sort)?;
        let candidates = Candidates::new(&source, &plan, enough)?;
        let Plan { filter, sort, .. } = plan;
        let found = Cursor::new(candidates, filter, projection, threads);
        if sort.is_empty() {
            return Ok(found.part(skip, limit));
        }
        let kept_max = limit.map_or(u64::MAX, |limit| skip.saturating_add(limit));
        let kept_max = usize::try_from(kept_max).unwrap_or(usize::MAX);
        found.sorted(&sort, Sorter::new(kept_max, sort_bytes_max, source.pager().clone()), skip)
    }

    /// The first document, if there is one.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn first(self) -> Result<Option<StoredDoc>> {
        self.limit(1).run()?.next().transpose()
    }

    /// How many documents there are.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] as [`run`](Self::run); as [`Scan::next`](crate::Scan::next).
    pub fn count(self) -> Result<u64> {
        let enough = self.enough();
        let plan = Plan::new(self.filter, Sort::default())?;
        let filter = &plan.filter;
        let mut candidates = Candidates::new(&self.source, &plan, enough)?;
        let count = match candidates.cursor() {
            Some(cursor) if !self.threads.is_one() => self.threads.count(cursor, filter)?,
            _ => {
                let mut count = 0;
                candidates.try_for_each(|document| {
                    count += u64::from(matches(filter, document)?);
                    Ok(())
                })?;
                count
            }
        };
        let count = count.saturating_sub(self.skip);
        Ok(self.limit.map_or(count, |limit| count.min(limit)))
    }

    /// How the documents would be found. Looks at none.
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
    /// [`Error::Query`] as [`run`](Self::run).
    pub fn explain(self) -> Result<Plan> {
        Plan::new(self.filter, self.sort)
    }

    /// How the documents are found, and how many are looked at for that: runs the search to its
    /// end.
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
    /// As [`run`](Self::run).
    pub fn explain_analyze(self) -> Result<Explain> {
        let plan = self.clone().explain()?;
        let mut found = self.run()?;
        let mut documents_returned = 0;
        for document in &mut found {
            document?;
            documents_returned += 1;
        }
        let (documents_examined, temporary_bytes) = (found.examined(), found.temporary_bytes());
        Ok(Explain { plan, documents_examined, documents_returned, temporary_bytes })
    }

    /// The name of the collection.
    pub(super) fn collection(&self) -> &str {
        self.source.name()
    }

    /// Whose documents are wanted, and the filter.
    pub(super) fn candidates(&self) -> Result<Candidates> {
        Candidates::new(&self.source, &Plan::new(self.filter.clone(), Sort::default())?, None)
    }

    /// How many documents that pass are looked for at most: all that pass, if they are to be sorted.
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

/// Whether a stored document passes.
#[inline]
pub(super) fn matches(filter: &Filter, document: &DocView) -> Result<bool> {
    filter.matches(document.as_bytes()).map_err(not_applied)
}

/// Why a query could not be applied to a stored document.
#[cold]
pub(super) fn not_applied(error: ApplyError) -> Error {
    match error {
        ApplyError::Query(error) => Error::Query(*error),
        // The document is malformed; there is no other one today.
        _ => Error::malformed(),
    }
}

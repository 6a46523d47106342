//! A consistent view of all collections.

use std::fmt;
use std::sync::Arc;

use nanodb_pager::Pager;

use crate::error::Result;
use crate::info::CollectionInfo;
use nanodb_collection::NameBinding;
use nanodb_collection::Opening;
use nanodb_collection::ReadView;
use nanodb_collection::StoredDoc;
use nanodb_collection::{Scan, ScanIter};
use nanodb_document::{AsId, Key};

/// All collections as they were at one moment; made by
/// [`Database::snapshot`](crate::Database::snapshot).
///
/// It shows the last commit that was published when it was made, and stays the same whatever is
/// written, moved, renamed or dropped later. Making one costs the same for any amount of data, and
/// neither blocks writers nor waits for them. Old versions of changed pages are kept for as long as
/// it exists: drop it when it is no longer needed. Clones share one view.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::in_memory()?;
/// let users = db.collection("users");
/// users.insert(doc! { "_id": 1, "age": 30 })?;
///
/// let before = db.snapshot();
/// users.replace(1, doc! { "age": 31 })?;
/// db.drop_collection("users")?;
///
/// let alice = before.collection("users").get(1)?.expect("it was there");
/// assert_eq!(alice.get_i64("age")?, 30);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a snapshot that is not read from is of no use"]
pub struct Snapshot {
    view: Arc<ReadView>,
}

impl Snapshot {
    pub(crate) fn new(opening: &Arc<Opening>) -> Self {
        Self { view: Arc::new(ReadView::new(opening)) }
    }

    /// Returns the collection that had this name; one that did not exist reads as empty.
    #[must_use]
    pub fn collection(&self, name: &str) -> SnapshotCollection {
        let binding = self.view.binding(name);
        SnapshotCollection { name: name.into(), binding, view: Arc::clone(&self.view) }
    }

    /// Returns the collections that existed, by name.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! {})?;
    /// let before = db.snapshot();
    /// db.drop_collection("users")?;
    /// assert_eq!(before.collections()?[0].name, "users");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn collections(&self) -> Result<Vec<CollectionInfo>> {
        self.view.opening().check_open()?;
        let seq = self.view.seq();
        let info = |binding: Arc<NameBinding>| CollectionInfo {
            name: binding.name().to_string(),
            count: binding.store().count_at(seq),
        };
        Ok(self.view.all().into_iter().map(info).collect())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.view.seq();
        f.debug_struct("Snapshot").field("seq", &seq).finish_non_exhaustive()
    }
}

/// A collection as of a [`Snapshot`], which it keeps alive; made by [`Snapshot::collection`].
///
/// Has the reading verbs of a [`Collection`](crate::Collection);
/// [`ReadCollection`](crate::ReadCollection) is what the two have in common.
#[derive(Clone)]
pub struct SnapshotCollection {
    name: Arc<str>,
    // Before `view`: it must be gone before the database is.
    binding: Option<Arc<NameBinding>>,
    view: Arc<ReadView>,
}

impl SnapshotCollection {
    /// Returns the name that it had.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many documents there were. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn count(&self) -> Result<u64> {
        self.opening().check_open()?;
        let seq = self.view.seq();
        Ok(self.binding.as_ref().map_or(0, |binding| binding.store().count_at(seq)))
    }

    /// Returns the document with this id, if there was one; see
    /// [`Collection::get`](crate::Collection::get).
    ///
    /// # Errors
    ///
    /// Same as [`Collection::get`](crate::Collection::get).
    pub fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        self.opening().check_open()?;
        match &self.binding {
            Some(binding) => {
                Ok(binding.store().get_at(&Key::new(id.as_id()), self.view.snapshot())?)
            }
            None => Ok(None),
        }
    }

    /// Returns the documents with these ids, in the same order.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        // Also if there are no ids.
        self.opening().check_open()?;
        ids.into_iter().map(|id| self.get(id)).collect()
    }

    /// Returns whether there was a document with this id.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn contains(&self, id: impl AsId) -> Result<bool> {
        self.opening().check_open()?;
        match &self.binding {
            Some(binding) => {
                Ok(binding.store().contains_at(&Key::new(id.as_id()), self.view.snapshot())?)
            }
            None => Ok(false),
        }
    }

    pub(crate) fn opening(&self) -> &Arc<Opening> {
        self.view.opening()
    }

    pub(crate) fn pager(&self) -> &Pager {
        self.view.engine().pager()
    }

    /// Lends all documents, one after the other; see [`Scan`].
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn scan(&self) -> Result<Scan> {
        self.opening().check_open()?;
        let view = Arc::clone(&self.view);
        Ok(match &self.binding {
            Some(binding) => Scan::over(view, binding.store(), &self.name),
            None => Scan::empty(self.opening()),
        })
    }

    /// Iterates over all documents.
    ///
    /// # Errors
    ///
    /// Same as [`scan`](Self::scan).
    pub fn iter(&self) -> Result<ScanIter> {
        Ok(ScanIter::new(self.scan()?))
    }
}

impl fmt::Debug for SnapshotCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotCollection").field("name", &self.name).finish_non_exhaustive()
    }
}

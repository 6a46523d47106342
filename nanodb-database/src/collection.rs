//! Collections: documents under a name.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use nanodb_pager::Pager;

use crate::encode_buffer::{id_of, put, replacement, with_buffer};
use crate::error::Result;
use crate::retry;
use crate::transaction::Transaction;
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::NameBinding;
use nanodb_collection::ReadView;
use nanodb_collection::{Engine, Opening};
use nanodb_collection::{Failure, Statement};
use nanodb_collection::{Scan, ScanIter};
use nanodb_collection::{StoredDoc, until};
use nanodb_document::{AsId, Id, Key};
use nanodb_document::{Draft, Encode};

/// A collection of documents, by name.
///
/// A cheap handle that can be cloned and used from any number of threads. The first insert creates
/// the collection; until then it reads as empty.
///
/// A handle refers to a name, not to a collection: after
/// [`rename_collection`](crate::Database::rename_collection) or
/// [`drop_collection`](crate::Database::drop_collection) it refers to whatever has that name then.
///
/// Readers never wait for a running writer. Writers of one collection take turns; each call is one
/// commit, of which readers see all or nothing.
///
/// The reading verbs, which snapshots and transactions have too, are also the trait
/// [`ReadCollection`](crate::ReadCollection); no import is needed to call them.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::in_memory()?;
/// let users = db.collection("users");
/// let id = users.insert(doc! { "name": "Alice" })?;
/// assert!(users.contains(&id)?);
/// assert_eq!(users.count()?, 1);
/// # Ok(())
/// # }
/// ```
pub struct Collection {
    name: Arc<str>,
    /// What the name was first found to mean.
    bound: OnceLock<Arc<NameBinding>>,
    /// What it was found to mean later, if that is something else. Apart, since a look at it costs
    /// more.
    rebound: ArcSwapOption<NameBinding>,
    // After `bound` and `rebound`: what that holds must be gone before the database is.
    opening: Arc<Opening>,
}

impl Collection {
    pub(crate) fn new(opening: Arc<Opening>, name: &str) -> Self {
        Self::with(name.into(), OnceLock::new(), opening)
    }

    fn with(name: Arc<str>, bound: OnceLock<Arc<NameBinding>>, opening: Arc<Opening>) -> Self {
        Self { name, bound, rebound: ArcSwapOption::empty(), opening }
    }

    fn engine(&self) -> &Arc<Engine> {
        self.opening.engine()
    }

    pub(crate) fn opening(&self) -> &Arc<Opening> {
        &self.opening
    }

    /// Returns the collection's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many documents there are. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn count(&self) -> Result<u64> {
        self.opening.check_open()?;
        Ok(self.with_binding(|binding| binding.map_or(0, |binding| binding.store().count())))
    }

    /// Inserts a document and returns its id.
    ///
    /// A document without `_id` gets the next integer, starting at 1: one more than the largest
    /// integer that the collection has ever assigned or stored, deleted ones included.
    ///
    /// Anything that is [`Encode`] can be inserted: a [`Document`](crate::Document) or a reference
    /// to one, a [`DocView`](crate::DocView), a [`StoredDoc`], or a type of your own as
    /// [`Serialized`](crate::Serialized). With the features of these names, so can an
    /// `rmpv::Value`, a `serde_json::Value` and a `bson::Document`.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, ErrorKind, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// assert_eq!(users.insert(doc! { "_id": "alice", "age": 30 })?, "alice".into());
    /// assert_eq!(users.insert(doc! { "name": "Bob" })?, 1.into());
    ///
    /// let again = users.insert(doc! { "_id": "alice" }).unwrap_err();
    /// assert_eq!(again.kind(), ErrorKind::DuplicateId);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`DuplicateId`](crate::ErrorKind::DuplicateId), [`Invalid`](crate::ErrorKind::Invalid) if
    /// the document or the collection's name breaks a rule,
    /// [`Exhausted`](crate::ErrorKind::Exhausted),
    /// [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded); [`Damaged`](crate::ErrorKind::Damaged)
    /// if damage hides whether the id is taken; [`ReadOnly`](crate::ErrorKind::ReadOnly),
    /// [`Closed`](crate::ErrorKind::Closed), [`Io`](crate::ErrorKind::Io). Nothing has changed
    /// then.
    pub fn insert(&self, document: impl Encode) -> Result<Id> {
        self.opening.check_writable()?;
        with_buffer(|buffer| {
            let mut draft = document.encode(None, buffer)?;
            self.insert_drafts(std::slice::from_mut(&mut draft), buffer)?;
            id_of(draft, buffer)
        })
    }

    /// Inserts documents and returns their ids in the same order, all or none.
    ///
    /// This is much faster than one by one. All documents are encoded in memory first: insert the
    /// contents of a large file in batches, of a thousand documents for example.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// let ids = users.insert_many((1..=3).map(|age| doc! { "age": age }))?;
    /// assert_eq!(ids, [1.into(), 2.into(), 3.into()]);
    ///
    /// // If one of them cannot be inserted, none is.
    /// assert!(users.insert_many([doc! { "_id": 4 }, doc! { "_id": 2 }]).is_err());
    /// assert_eq!(users.count()?, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`insert`](Self::insert). An id that occurs twice among the documents is
    /// [`DuplicateId`](crate::ErrorKind::DuplicateId) as well.
    pub fn insert_many<D: Encode>(
        &self,
        documents: impl IntoIterator<Item = D>,
    ) -> Result<Vec<Id>> {
        self.opening.check_writable()?;
        with_buffer(|buffer| {
            let documents = documents.into_iter();
            let mut drafts = Vec::with_capacity(documents.size_hint().0.min(1 << 16));
            for document in documents {
                drafts.push(document.encode(None, buffer)?);
            }
            if !drafts.is_empty() {
                self.insert_drafts(&mut drafts, buffer)?;
            }
            drafts.into_iter().map(|draft| id_of(draft, buffer)).collect()
        })
    }

    fn insert_drafts(&self, drafts: &mut [Draft], buffer: &mut [u8]) -> Result<()> {
        let _call = self.opening.enter()?;
        let known = self.known();
        let insert = |statement: &mut Statement<'_>| statement.insert(&self.name, drafts, buffer);
        let found = self.engine().write_or_make(&self.name, known.as_deref(), insert)?;
        drop(known);
        found.iter().for_each(|binding| self.remember(binding));
        Ok(())
    }

    /// Returns the document with this id, if there is one.
    ///
    /// Costs one probe of the id index and one page, however large the collection is. Integers are
    /// equal by value, whatever their type.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice" })?;
    /// let alice = users.get(5)?.expect("just inserted");
    /// assert_eq!(alice.get_str("name")?, "Alice");
    /// assert!(users.get("5")?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged) if the document is, or may be, on a page that cannot
    /// be read; [`Closed`](crate::ErrorKind::Closed), [`Io`](crate::ErrorKind::Io).
    #[inline]
    pub fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        let key = Key::new(id.as_id());
        self.opening.check_open()?;
        self.with_binding(|binding| match binding {
            Some(binding) => Ok(binding.store().get(&key)?),
            None => Ok(None),
        })
    }

    /// Returns the documents with these ids, in the same order, all as of one moment.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice" })?;
    /// let found = users.get_many([5, 6])?;
    /// assert!(found[0].is_some() && found[1].is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| Key::new(id.as_id())).collect();
        let _call = self.opening.enter()?;
        let view = ReadView::new(&self.opening);
        self.with_binding(|binding| {
            let get = |key: &Key| match binding {
                Some(binding) => Ok(binding.store().get_at(key, view.snapshot())?),
                None => Ok(None),
            };
            keys.iter().map(get).collect()
        })
    }

    /// Returns those documents with these ids that exist, as of one moment, until it is enough.
    pub(crate) fn get_until(
        &self,
        ids: &[Id],
        is_enough: impl FnMut(&StoredDoc) -> bool,
    ) -> Result<Vec<StoredDoc>> {
        let view = ReadView::new(&self.opening);
        self.with_binding(|binding| match binding {
            Some(binding) => {
                let get = |id: &Id| binding.store().get_at(&Key::new(id.as_ref()), view.snapshot());
                Ok(until(ids, get, is_enough)?)
            }
            None => Ok(Vec::new()),
        })
    }

    /// Returns whether there is a document with this id.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5 })?;
    /// assert!(users.contains(5)? && !users.contains(6)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn contains(&self, id: impl AsId) -> Result<bool> {
        let key = Key::new(id.as_id());
        self.opening.check_open()?;
        self.with_binding(|binding| match binding {
            Some(binding) => Ok(binding.store().contains(&key)?),
            None => Ok(false),
        })
    }

    /// Replaces the document with this id; returns false, and changes nothing, if there is none.
    ///
    /// The new document keeps the id, whether it has an `_id` or not.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "age": 30 })?;
    /// assert!(users.replace(5, doc! { "age": 31 })?);
    /// let alice = users.get(5)?.map(|alice| alice.to_document()).transpose()?;
    /// assert_eq!(alice, Some(doc! { "_id": 5, "age": 31 }));
    /// assert!(!users.replace(6, doc! { "age": 31 })?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the new document has another id or breaks a rule;
    /// [`Damaged`](crate::ErrorKind::Damaged),
    /// [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded),
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly), [`Closed`](crate::ErrorKind::Closed),
    /// [`Io`](crate::ErrorKind::Io). Nothing has changed then.
    pub fn replace(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
        let id = id.as_id();
        let key = Key::new(id);
        self.opening.check_writable()?;
        with_buffer(|buffer| {
            let draft = replacement(id, &key, document, buffer)?;
            let record = draft.record(buffer);
            self.write_existing(|statement| statement.replace(&key, record))
        })
    }

    /// Stores a document under an id, whether there is one or not; returns true if it took
    /// another's place.
    ///
    /// The document keeps the id, whether it has an `_id` or not.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let settings = Database::in_memory()?.collection("settings");
    /// assert!(!settings.put("theme", doc! { "dark": true })?);
    /// assert!(settings.put("theme", doc! { "dark": false })?);
    /// let theme = settings.get("theme")?.map(|theme| theme.to_document()).transpose()?;
    /// assert_eq!(theme, Some(doc! { "_id": "theme", "dark": false }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`replace`](Self::replace) and [`insert`](Self::insert), without the one that the id
    /// is taken.
    pub fn put(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
        let id = id.as_id();
        let key = Key::new(id);
        self.opening.check_writable()?;
        with_buffer(|buffer| {
            let mut draft = replacement(id, &key, document, buffer)?;
            let mut replaced = false;
            let run = |statement: &mut Statement<'_>| {
                replaced = put(statement, &self.name, &key, &mut draft, buffer)?;
                Ok(())
            };
            let _call = self.opening.enter()?;
            let known = self.known();
            let found = self.engine().write_or_make(&self.name, known.as_deref(), run)?;
            drop(known);
            found.iter().for_each(|binding| self.remember(binding));
            Ok(replaced)
        })
    }

    /// Deletes the document with this id; returns false if there is none.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// let id = users.insert(doc! { "name": "Alice" })?;
    /// assert!(users.delete(&id)?);
    /// assert!(!users.delete(&id)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged), [`ReadOnly`](crate::ErrorKind::ReadOnly),
    /// [`Closed`](crate::ErrorKind::Closed), [`Io`](crate::ErrorKind::Io). Nothing has changed
    /// then.
    pub fn delete(&self, id: impl AsId) -> Result<bool> {
        self.opening.check_writable()?;
        let key = Key::new(id.as_id());
        self.write_existing(|statement| statement.delete(&key))
    }

    /// Lends all documents, one after the other, as they are now; see [`Scan`].
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn scan(&self) -> Result<Scan> {
        self.opening.check_open()?;
        let view = Arc::new(ReadView::new(&self.opening));
        Ok(self.with_binding(|binding| match binding {
            Some(binding) => Scan::over(view, binding.store(), &self.name),
            None => Scan::empty(&self.opening),
        }))
    }

    /// Iterates over all documents, as they are now.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// for user in users.iter()? {
    ///     println!("{}", user?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`scan`](Self::scan).
    pub fn iter(&self) -> Result<ScanIter> {
        Ok(ScanIter::new(self.scan()?))
    }

    pub(crate) fn pager(&self) -> &Pager {
        self.engine().pager()
    }

    /// Calls `read` with what the name means now.
    #[inline]
    fn with_binding<T>(&self, read: impl FnOnce(Option<&NameBinding>) -> T) -> T {
        match self.bound.get() {
            Some(binding) if binding.is_attached() => read(Some(binding)),
            _ => self.with_rebound(read),
        }
    }

    /// The same, where the name has come to mean something else since the handle was first used.
    #[cold]
    fn with_rebound<T>(&self, read: impl FnOnce(Option<&NameBinding>) -> T) -> T {
        match &*self.rebound.load() {
            Some(binding) if binding.is_attached() => read(Some(binding)),
            _ => read(self.resolve().as_deref()),
        }
    }

    #[cold]
    fn resolve(&self) -> Option<Arc<NameBinding>> {
        let binding = self.engine().published(&self.name)?;
        self.remember(&binding);
        Some(binding)
    }

    /// Notes what the name has been found to mean.
    fn remember(&self, binding: &Arc<NameBinding>) {
        let first = self.bound.get_or_init(|| Arc::clone(binding));
        if !Arc::ptr_eq(first, binding) {
            self.rebound.store(Some(Arc::clone(binding)));
        }
    }

    /// What the name meant when it was last asked for.
    #[inline]
    fn known(&self) -> Option<Known<'_>> {
        match self.bound.get() {
            Some(binding) if binding.is_attached() => Some(Known::First(binding)),
            _ => self.rebound.load_full().map(Known::Later),
        }
    }

    /// Runs statements on this collection as a transaction.
    pub(crate) fn in_transaction<T>(
        &self,
        mut run: impl FnMut(&TransactionCollection<'_>) -> Result<T>,
    ) -> Result<T> {
        let call = self.opening.enter()?;
        self.engine().check_access()?;
        let begin = || Transaction::within(&call, Arc::clone(&self.opening));
        retry::write(&self.opening, begin, |transaction| run(&transaction.collection(&self.name)))
    }

    /// Runs a statement that changes what exists; false if the collection does not.
    fn write_existing(
        &self,
        statement: impl Fn(&mut Statement<'_>) -> Result<bool, Failure>,
    ) -> Result<bool> {
        let _call = self.opening.enter()?;
        let known = self.known();
        let written = self.engine().write_existing(&self.name, known.as_deref(), statement)?;
        drop(known);
        let Some((written, found)) = written else { return Ok(false) };
        found.iter().for_each(|binding| self.remember(binding));
        Ok(written)
    }
}

/// What a name was found to mean: at first, or later.
enum Known<'a> {
    First(&'a Arc<NameBinding>),
    Later(Arc<NameBinding>),
}

impl Deref for Known<'_> {
    type Target = Arc<NameBinding>;

    #[inline]
    fn deref(&self) -> &Arc<NameBinding> {
        match self {
            Self::First(binding) => binding,
            Self::Later(binding) => binding,
        }
    }
}

impl Clone for Collection {
    fn clone(&self) -> Self {
        let bound = self.known().map_or_else(OnceLock::new, |known| Arc::clone(&known).into());
        Self::with(Arc::clone(&self.name), bound, Arc::clone(&self.opening))
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, doc};

    #[test]
    fn a_handle_whose_name_means_another_collection_asks_for_it_once() {
        let db = Database::in_memory().unwrap();
        let (a, b) = (db.collection("a"), db.collection("b"));
        a.insert(doc! { "_id": 1 }).unwrap();
        b.insert(doc! { "_id": 2 }).unwrap();
        assert!(a.rebound.load().is_none());
        db.drop_collection("a").unwrap();
        db.rename_collection("b", "a").unwrap();
        for _ in 0..2 {
            assert!(a.contains(2).unwrap() && !a.contains(1).unwrap());
            assert!(a.known().is_some_and(|known| known.is_attached()));
            assert!(a.rebound.load().as_ref().is_some_and(|binding| binding.is_attached()));
        }
        // Again, by a write this time.
        db.drop_collection("a").unwrap();
        a.insert(doc! { "_id": 3 }).unwrap();
        assert!(a.known().is_some_and(|known| known.is_attached()));
        assert!(a.contains(3).unwrap() && !a.contains(2).unwrap());
    }
}

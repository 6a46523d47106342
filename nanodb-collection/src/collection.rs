//! Collections: documents under a name.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use nanodb_pager::Pager;

use crate::catalog::{Binding, Claim, Making};
use crate::change::{Change, Pending};
use crate::cursor::{Cursor, Documents};
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::lock::Party;
use crate::retry;
use crate::store::{Failure, Writer};
use crate::stored::{StoredDoc, until};
use crate::transaction::{TransactionCollection, commit_one};
use crate::view::View;
use nanodb_document::{Draft, Encode};
use nanodb_document::{Id, IdRef, Key, same_key};

/// A collection of documents, by name.
///
/// A cheap handle, to be cloned and used from any number of threads. The collection
/// itself is made by the first document that is inserted; until then it reads as empty.
///
/// A handle means the name: after
/// [`rename_collection`](crate::Database::rename_collection) or
/// [`drop_collection`](crate::Database::drop_collection) it goes on with whatever has
/// that name then.
///
/// Readers never wait for writers. Writers of one collection take turns; each call is one
/// commit, which readers see as a whole or not at all.
///
/// The index of ids is in the file; each part of it is loaded when it is first needed.
///
/// ```
/// use nanodb_collection::{Database, doc};
///
/// # fn main() -> Result<(), nanodb_collection::Error> {
/// let db = Database::in_memory()?;
/// let users = db.collection("users");
/// let id = users.insert(doc! { "name": "Alice" })?;
/// assert!(users.contains(&id)?);
/// assert_eq!(users.count(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Collection {
    name: Arc<str>,
    /// What the name was first found to mean.
    bound: OnceLock<Arc<Binding>>,
    /// What it was found to mean later, if that is something else. Apart, since a look at it costs more.
    rebound: ArcSwapOption<Binding>,
    // After `bound` and `rebound`: what that holds must be gone before the database is.
    db: Arc<Shared>,
}

impl Collection {
    pub(crate) fn new(db: Arc<Shared>, name: &str) -> Self {
        Self::with(name.into(), OnceLock::new(), db)
    }

    fn with(name: Arc<str>, bound: OnceLock<Arc<Binding>>, db: Arc<Shared>) -> Self {
        Self { name, bound, rebound: ArcSwapOption::empty(), db }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many documents there are. Costs the same for any number.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.with_binding(|binding| binding.map_or(0, |binding| binding.store.count()))
    }

    /// Inserts a document and returns its id.
    ///
    /// A document without `_id` gets the next integer, from 1 up: one above all integers
    /// that the collection assigned or saw since it exists, deleted ones included.
    /// Anything that is [`Encode`] can be inserted: a [`Document`](crate::Document), a
    /// reference to one, an `rmpv::Value`, or a type of your own as
    /// [`Serialized`](crate::Serialized).
    ///
    /// ```
    /// use nanodb_collection::{Database, ErrorKind, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
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
    /// [`Error::DuplicateId`], [`Error::Document`], [`Error::CollectionName`],
    /// [`Error::IdsExhausted`]; [`Error::DamagedPage`] if damage keeps us from knowing
    /// whether the id is taken; [`Error::Storage`]. Then nothing has changed.
    pub fn insert(&self, document: impl Encode) -> Result<Id> {
        self.db.check_access()?;
        with_buffer(|buffer| {
            let mut draft = document.encode(None, buffer)?;
            self.insert_drafts(std::slice::from_mut(&mut draft), buffer)?;
            id_of(draft, buffer)
        })
    }

    /// Inserts documents and returns their ids in the same order: all or none.
    ///
    /// Much faster than one by one. All of them are encoded in memory first, so insert
    /// what comes from a large file in portions, of a thousand documents say.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// let ids = users.insert_many((1..=3).map(|age| doc! { "age": age }))?;
    /// assert_eq!(ids, [1.into(), 2.into(), 3.into()]);
    ///
    /// // One that cannot be inserted keeps out the others.
    /// assert!(users.insert_many([doc! { "_id": 4 }, doc! { "_id": 2 }]).is_err());
    /// assert_eq!(users.count(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert). An id that occurs twice among the documents is a
    /// [`Error::DuplicateId`], too.
    pub fn insert_many<D: Encode>(
        &self,
        documents: impl IntoIterator<Item = D>,
    ) -> Result<Vec<Id>> {
        self.db.check_access()?;
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
        let party = Party::current();
        loop {
            if let Some(binding) = self.known().as_deref()
                && let Some(held) = binding.lock(party)?
            {
                return self.insert_into(binding, held, None, drafts, buffer);
            }
            match self.db.catalog.claim(&self.name, party)? {
                Claim::Made(binding, making, held) => {
                    self.insert_into(&binding, held, Some(making), drafts, buffer)?;
                    self.remember(&binding);
                    return Ok(());
                }
                Claim::Taken(binding) => {
                    if let Some(held) = binding.lock(party)? {
                        self.insert_into(&binding, held, None, drafts, buffer)?;
                        self.remember(&binding);
                        return Ok(());
                    }
                }
            }
        }
    }

    fn insert_into(
        &self,
        binding: &Arc<Binding>,
        held: impl DerefMut<Target = Writer>,
        making: Option<Making>,
        drafts: &mut [Draft],
        buffer: &mut [u8],
    ) -> Result<()> {
        let insert = |change: &mut Change<'_>| change.insert(&self.name, drafts, buffer);
        self.write(binding, held, making, insert)
    }

    /// A transaction of one statement, in a collection that is locked.
    #[inline]
    fn write<T>(
        &self,
        binding: &Arc<Binding>,
        mut held: impl DerefMut<Target = Writer>,
        making: Option<Making>,
        statement: impl FnOnce(&mut Change<'_>) -> Result<T, Failure>,
    ) -> Result<T> {
        let store = &binding.store;
        let index = store.index_for_writer()?;
        store.remove_retired(index, &mut held);
        let mut tx = store.pager.begin();
        let mut pending = Pending::new(&held);
        let writer = &*held;
        let mut change = Change { store, index, writer, tx: &mut tx, pending: &mut pending };
        let done = statement(&mut change);
        if pending.changed && done.is_ok() {
            commit_one(tx, binding, held, making, pending)?;
        } else if matches!(done, Ok(_) | Err(Failure::Refused(_))) {
            // Nothing has changed, but what was found may not be published yet.
            drop(making);
            drop(held);
            tx.install(&[])?.publish()?;
        }
        Ok(done?)
    }

    /// The document with this id, if there is one.
    ///
    /// One probe of the index and one page: the cost does not grow with the collection.
    /// Integers are equal by value whatever type they come in.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice" })?;
    /// let alice = users.get(5)?.expect("just inserted");
    /// assert_eq!(alice.get("name").and_then(|name| name.as_str()), Some("Alice"));
    /// assert!(users.get("5")?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::DamagedPage`] if the document is, or may be, on a page that cannot be
    /// read; [`Error::Storage`].
    #[inline]
    pub fn get<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<Option<StoredDoc>> {
        let key = Key::new(id.into());
        self.with_binding(|binding| match binding {
            Some(binding) => binding.store.get(&key),
            None => Ok(None),
        })
    }

    /// The documents with these ids, in the same order, all as of one moment.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
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
    /// As [`get`](Self::get).
    pub fn get_many<'a, I: Into<IdRef<'a>>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| Key::new(id.into())).collect();
        let view = View::new(&self.db);
        self.with_binding(|binding| {
            let get = |key: &Key| match binding {
                Some(binding) => binding.store.get_at(key, view.snapshot()),
                None => Ok(None),
            };
            keys.iter().map(get).collect()
        })
    }

    /// The documents with these ids that there are, as of one moment, until it is enough.
    pub(crate) fn get_until(
        &self,
        ids: &[Id],
        is_enough: impl FnMut(&StoredDoc) -> bool,
    ) -> Result<Vec<StoredDoc>> {
        let view = View::new(&self.db);
        self.with_binding(|binding| match binding {
            Some(binding) => {
                let get = |id: &Id| binding.store.get_at(&Key::new(id.into()), view.snapshot());
                until(ids, get, is_enough)
            }
            None => Ok(Vec::new()),
        })
    }

    /// Whether there is a document with this id.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn contains<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<bool> {
        let key = Key::new(id.into());
        self.with_binding(|binding| match binding {
            Some(binding) => binding.store.contains(&key),
            None => Ok(false),
        })
    }

    /// Stores a document in place of the one with this id; false, and no change, if there
    /// is none.
    ///
    /// The new document keeps the id, whether or not it says so.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
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
    /// [`Error::IdMismatch`] if the new document has another id; [`Error::Document`];
    /// [`Error::DamagedPage`]; [`Error::Storage`]. Then nothing has changed.
    pub fn replace<'a>(&self, id: impl Into<IdRef<'a>>, document: impl Encode) -> Result<bool> {
        let id = id.into();
        let key = Key::new(id);
        self.db.check_access()?;
        with_buffer(|buffer| {
            let draft = replacement(id, &key, document, buffer)?;
            let record = draft.record(buffer);
            self.write_existing(|change| change.replace(&key, record))
        })
    }

    /// Deletes the document with this id; false if there is none.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
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
    /// [`Error::DamagedPage`], [`Error::Storage`]. Then nothing has changed.
    pub fn delete<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<bool> {
        self.db.check_access()?;
        let key = Key::new(id.into());
        self.write_existing(|change| change.delete(&key))
    }

    /// Lends all documents one after the other, as they are now; see [`Cursor`].
    ///
    /// # Errors
    ///
    /// None today; kept for what opening a cursor may come to need.
    pub fn scan(&self) -> Result<Cursor> {
        let view = Arc::new(View::new(&self.db));
        Ok(self.with_binding(|binding| match binding {
            Some(binding) => Cursor::over(view, &binding.store, &self.name),
            None => Cursor::empty(),
        }))
    }

    /// Iterates over all documents, as they are now.
    ///
    /// ```
    /// use nanodb_collection::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
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
    /// As [`scan`](Self::scan).
    pub fn iter(&self) -> Result<Documents> {
        Ok(Documents::new(self.scan()?))
    }

    pub(crate) fn pager(&self) -> &Pager {
        &self.db.pager
    }

    /// Calls `read` with what the name means now.
    #[inline]
    fn with_binding<T>(&self, read: impl FnOnce(Option<&Binding>) -> T) -> T {
        match self.bound.get() {
            Some(binding) if binding.is_attached() => read(Some(binding)),
            _ => self.with_rebound(read),
        }
    }

    /// The same, where the name has come to mean something else since the handle was first used.
    #[cold]
    fn with_rebound<T>(&self, read: impl FnOnce(Option<&Binding>) -> T) -> T {
        match &*self.rebound.load() {
            Some(binding) if binding.is_attached() => read(Some(binding)),
            _ => read(self.resolve().as_deref()),
        }
    }

    #[cold]
    fn resolve(&self) -> Option<Arc<Binding>> {
        let binding = self.db.catalog.names.published(&self.name)?;
        self.remember(&binding);
        Some(binding)
    }

    /// Notes what the name has been found to mean.
    fn remember(&self, binding: &Arc<Binding>) {
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
        self.db.check_access()?;
        retry::write(&self.db, |transaction| run(&transaction.collection(&self.name)))
    }

    /// Runs a statement that changes what exists; false if the collection does not.
    fn write_existing(
        &self,
        statement: impl Fn(&mut Change<'_>) -> Result<bool, Failure>,
    ) -> Result<bool> {
        let party = Party::current();
        if let Some(binding) = self.known().as_deref()
            && let Some(held) = binding.lock(party)?
        {
            return self.write(binding, held, None, statement);
        }
        while let Some(binding) = self.db.catalog.names.current(&self.name) {
            if let Some(held) = binding.lock(party)? {
                let written = self.write(&binding, held, None, &statement)?;
                self.remember(&binding);
                return Ok(written);
            }
        }
        Ok(false)
    }
}

/// What a name was found to mean: at first, or later.
enum Known<'a> {
    First(&'a Arc<Binding>),
    Later(Arc<Binding>),
}

impl Deref for Known<'_> {
    type Target = Arc<Binding>;

    #[inline]
    fn deref(&self) -> &Arc<Binding> {
        match self {
            Self::First(binding) => binding,
            Self::Later(binding) => binding,
        }
    }
}

impl Clone for Collection {
    fn clone(&self) -> Self {
        let bound = self.known().map_or_else(OnceLock::new, |known| Arc::clone(&known).into());
        Self::with(Arc::clone(&self.name), bound, Arc::clone(&self.db))
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The id of a draft that has one.
pub(crate) fn id_of(draft: Draft, buffer: &[u8]) -> Result<Id> {
    let id = draft.key(buffer).and_then(Id::from_key);
    // Every draft has one by now.
    id.ok_or(Error::Document(nanodb_document::DocumentError::Malformed { offset: 0 }))
}

/// Encodes what is to be stored in place of the document with an id.
pub(crate) fn replacement(
    id: IdRef<'_>,
    key: &Key,
    document: impl Encode,
    buffer: &mut Vec<u8>,
) -> Result<Draft> {
    let draft = document.encode(Some(id), buffer)?;
    if !draft.key(buffer).is_some_and(|found| same_key(found, key)) {
        let found = id_of(draft, buffer)?;
        return Err(Error::IdMismatch { id: id.to_owned(), found });
    }
    Ok(draft)
}

/// The most bytes that a thread keeps between calls.
const BUFFER_BYTES_KEPT_MAX: usize = 1 << 20;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, empty. It is taken out meanwhile, so that an [`Encode`]
/// that comes back here finds another.
pub(crate) fn with_buffer<T>(use_it: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // The destructor of another local of the thread may come here when this one is gone.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.clear();
    let result = use_it(&mut buffer);
    if buffer.capacity() <= BUFFER_BYTES_KEPT_MAX {
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
    result
}

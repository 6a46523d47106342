//! The engine of one database: what all handles of a file share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nanodb_pager::{Pager, Seq, Storage};

use crate::application::APPLICATION;
use crate::catalog::Catalog;
use crate::catalog::binding::NameBinding;
use crate::checkpoint::CatalogHooks;
use crate::error::{EngineError, Result};
use crate::id_index::index_set::IndexSet;
use crate::maintenance::relocation_pass::release_empty_pages;
use crate::maintenance::shrink::Shrinker;
use crate::open_files::OpenFile;
use crate::reclaim::Reclaimer;
use crate::write;
use crate::write::statement::{Failure, Statement};

/// What all [openings](crate::Opening) of a file share. The fields are dropped in this order: the
/// file is closed, by the last of them that has the pager, before the list of open files forgets
/// it.
pub struct Engine {
    pub(crate) catalog: Catalog,
    pub(crate) reclaimer: Arc<Reclaimer>,
    pub(crate) pager: Pager,
    pub(crate) shrinker: Arc<Shrinker>,
    /// How long opening it was to wait for others.
    pub(crate) lock_timeout: Duration,
    /// What was there when it was opened.
    pub(crate) opened_at: Seq,
    /// Who has opened it.
    pub(crate) process: u32,
    open_file: Option<Arc<OpenFile<Engine>>>,
}

impl Engine {
    /// Opens the database that `storage` holds.
    ///
    /// Waits for other processes as long as the pager's options say; `lock_timeout` is what was
    /// asked for. `failed` makes an error of the pager's.
    ///
    /// # Errors
    ///
    /// What `failed` makes; [`EngineError::Catalog`].
    pub fn open(
        storage: Arc<dyn Storage>,
        options: nanodb_pager::Options,
        index_bytes_max: usize,
        lock_timeout: Duration,
        open_file: Option<Arc<OpenFile<Self>>>,
        failed: impl FnOnce(nanodb_pager::Error) -> EngineError,
    ) -> Result<Arc<Self>> {
        let index_set = Arc::new(IndexSet::new(index_bytes_max));
        let shrinker = Arc::<Shrinker>::default();
        let hooks = CatalogHooks::new(Arc::clone(&index_set), Arc::clone(&shrinker));
        let pager = Pager::open(storage, Arc::new(hooks), options.application(APPLICATION))
            .map_err(failed)?;
        let reclaimer = Arc::new(Reclaimer::default());
        let catalog = Catalog::open(pager.clone(), Arc::clone(&reclaimer), index_set)?;
        shrinker.start(pager.clone(), Arc::clone(&catalog.names));
        let opened_at = pager.published();
        Ok(Arc::new(Self {
            catalog,
            reclaimer,
            pager,
            shrinker,
            lock_timeout,
            opened_at,
            process: std::process::id(),
            open_file,
        }))
    }

    /// Whether writing is refused for what the database was opened for.
    #[inline]
    ///
    /// # Errors
    ///
    /// [`EngineError::ReadOnly`], [`EngineError::Storage`].
    pub fn check_access(&self) -> Result<()> {
        Ok(self.pager.check_access()?)
    }

    /// Whether another process has opened it, of which this one is a fork.
    pub(crate) fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }

    /// Writes everything into the file, unless it is open for reading alone.
    ///
    /// # Errors
    ///
    /// [`EngineError::Storage`].
    pub(crate) fn save(&self) -> Result<()> {
        // Nothing is written where nobody has written.
        if self.is_changed() {
            self.release_empty_pages();
        }
        match self.check_access() {
            Ok(()) => Ok(self.pager.checkpoint()?),
            Err(_) => Ok(()),
        }
    }

    /// Frees the pages of collections that are empty and not in use. A collection for which that
    /// fails keeps its pages.
    fn release_empty_pages(&self) {
        for binding in self.all_published() {
            release_empty_pages(&self.pager, &binding);
        }
    }

    /// One of the openings is over; returns how many are left. For the last one there is
    /// [`shut`](Self::shut).
    pub(crate) fn leave(&self) -> usize {
        self.open_file.as_ref().map_or(0, |open_file| open_file.leave())
    }

    /// Closes the file and lets go of it, whatever handles there are, and says what fails. For the
    /// last opening, when no call is under way: afterwards nothing is written, and whoever opens
    /// the file next has it for himself.
    ///
    /// # Errors
    ///
    /// [`EngineError::Storage`].
    pub(crate) fn shut(&self) -> Result<()> {
        let released_anyway = ReleaseOnDrop(self);
        self.shrinker.stop();
        let closed = self.pager.clone().close();
        let released = self.release();
        drop(released_anyway);
        Ok(closed.and(released)?)
    }

    /// Lets go of the file, of which nothing is written any more. The list of open files forgets it
    /// last: who opens it waits until then.
    pub(crate) fn release(&self) -> Result<(), nanodb_pager::Error> {
        let _unlisted = UnlistOnDrop(self.open_file.as_deref());
        self.pager.release()
    }

    /// Returns the pager.
    #[inline]
    pub fn pager(&self) -> &Pager {
        &self.pager
    }

    /// Returns how long opening the file was allowed to wait for other processes.
    pub fn lock_timeout(&self) -> Duration {
        self.lock_timeout
    }

    /// Whether anything was committed since it was opened.
    pub fn is_changed(&self) -> bool {
        self.pager.published() != self.opened_at
    }

    /// Returns the collection that a name refers to as of the published commit.
    pub fn published(&self, name: &str) -> Option<Arc<NameBinding>> {
        self.catalog.names.published(name)
    }

    /// Returns all collections as of the published commit, sorted by name.
    pub fn all_published(&self) -> Vec<Arc<NameBinding>> {
        self.catalog.names.all_published()
    }

    /// Drops a collection; returns false if there is none of that name.
    ///
    /// # Errors
    ///
    /// [`EngineError::ReadOnly`], [`EngineError::Conflict`], [`EngineError::Storage`].
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        self.catalog.drop_collection(name)
    }

    /// Renames a collection.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoCollection`], [`EngineError::CollectionExists`],
    /// [`EngineError::CollectionName`]; as [`drop_collection`](Self::drop_collection).
    pub fn rename_collection(&self, from: &str, to: &str) -> Result<()> {
        self.catalog.rename(from, to)
    }

    /// Runs a statement on the collection of that name, which is made if there is none, as a
    /// transaction of its own; returns what the name means, too, if that is not what it was `known`
    /// to mean.
    ///
    /// # Errors
    ///
    /// What the statement returns; [`EngineError::CollectionName`], [`EngineError::Conflict`],
    /// [`EngineError::Storage`].
    #[inline]
    pub fn write_or_make(
        &self,
        name: &str,
        known: Option<&Arc<NameBinding>>,
        mut statement: impl FnMut(&mut Statement<'_>) -> Result<(), Failure>,
    ) -> Result<Option<Arc<NameBinding>>> {
        write::run_or_make(&self.catalog, name, known, &mut statement)
    }

    /// The same on a collection that exists, with what the statement returns; none if the
    /// collection does not exist.
    ///
    /// # Errors
    ///
    /// As [`write_or_make`](Self::write_or_make).
    #[inline]
    pub fn write_existing<T>(
        &self,
        name: &str,
        known: Option<&Arc<NameBinding>>,
        mut statement: impl FnMut(&mut Statement<'_>) -> Result<T, Failure>,
    ) -> Result<Option<(T, Option<Arc<NameBinding>>)>> {
        let mut done = None;
        let found = write::run_existing(&self.catalog, name, known, &mut |of| {
            done = Some(statement(of)?);
            Ok(())
        })?;
        Ok(done.map(|done| (done, found)))
    }
}

/// Lets go of the file also if closing it panics: else those who open it would wait for that.
struct ReleaseOnDrop<'a>(&'a Engine);

impl Drop for ReleaseOnDrop<'_> {
    fn drop(&mut self) {
        // What fails has been told before.
        let _ = self.0.release();
    }
}

/// Takes the file out of the list of open files, also if letting go of it panics.
struct UnlistOnDrop<'a>(Option<&'a OpenFile<Engine>>);

impl Drop for UnlistOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(open_file) = self.0 {
            open_file.release();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has a handle of the pager, which must not be the last.
        if self.is_inherited() {
            self.shrinker.abandon();
        } else {
            self.shrinker.stop();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("pager", &self.pager).finish_non_exhaustive()
    }
}

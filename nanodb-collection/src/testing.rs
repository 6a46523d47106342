//! The handles that this crate's own tests need: those that users hold are above.

use std::sync::Arc;
use std::time::Duration;

use nanodb_document::{Document, Encode, Id, IdRef, Key};
use nanodb_pager::{MemoryStorage, Storage};

use crate::catalog::binding::NameBinding;
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::maintenance::check::CheckReport;
use crate::opening::Opening;
use crate::pages::stored_doc::StoredDoc;
use crate::read_view::ReadView;
use crate::scan::Scan;
use crate::write::statement::{Failure, Statement};

pub(crate) struct Options {
    pager: nanodb_pager::Options,
    index_bytes_max: usize,
}

impl Options {
    pub(crate) fn background(mut self, background: bool) -> Self {
        self.pager = self.pager.background(background);
        self
    }

    pub(crate) fn cache_bytes_max(mut self, bytes: usize) -> Self {
        self.pager = self.pager.cache_bytes_max(bytes);
        self
    }

    pub(crate) fn index_bytes_max(mut self, bytes: usize) -> Self {
        self.index_bytes_max = bytes;
        self
    }

    pub(crate) fn open_on(self, storage: Arc<dyn Storage>) -> Result<Database> {
        let Self { pager, index_bytes_max } = self;
        let wait = Duration::ZERO;
        let engine = Engine::open(storage, pager, index_bytes_max, wait, None, EngineError::from)?;
        Ok(Database { opening: Opening::new(engine) })
    }
}

pub(crate) struct Database {
    opening: Arc<Opening>,
}

impl Database {
    pub(crate) fn in_memory() -> Result<Self> {
        Self::options().open_on(Arc::new(MemoryStorage::new()))
    }

    pub(crate) fn options() -> Options {
        Options { pager: nanodb_pager::Options::default(), index_bytes_max: usize::MAX }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        self.opening.engine()
    }

    pub(crate) fn opening(&self) -> &Arc<Opening> {
        &self.opening
    }

    pub(crate) fn collection(&self, name: &str) -> Collection {
        Collection { name: name.into(), opening: Arc::clone(&self.opening) }
    }

    pub(crate) fn collections(&self) -> Vec<Arc<NameBinding>> {
        self.engine().all_published()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::new(ReadView::new(&self.opening)))
    }

    pub(crate) fn rename_collection(&self, from: &str, to: &str) -> Result<()> {
        self.engine().rename_collection(from, to)
    }

    pub(crate) fn drop_collection(&self, name: &str) -> Result<bool> {
        self.engine().drop_collection(name)
    }

    pub(crate) fn checkpoint(&self) -> Result<()> {
        Ok(self.engine().pager().checkpoint()?)
    }

    pub(crate) fn check(&self) -> Result<CheckReport> {
        self.opening.check()
    }

    pub(crate) fn close(self) -> Result<()> {
        self.checkpoint()
    }
}

#[derive(Clone)]
pub(crate) struct Collection {
    name: Arc<str>,
    opening: Arc<Opening>,
}

impl Collection {
    fn engine(&self) -> &Arc<Engine> {
        self.opening.engine()
    }

    pub(crate) fn insert(&self, document: Document) -> Result<()> {
        self.insert_many([document])
    }

    pub(crate) fn insert_many(&self, documents: impl IntoIterator<Item = Document>) -> Result<()> {
        let mut buffer = Vec::new();
        let encoded = documents.into_iter().map(|document| document.encode(None, &mut buffer));
        let mut drafts: Vec<_> = encoded.map(Result::unwrap).collect();
        let insert =
            |statement: &mut Statement<'_>| statement.insert(&self.name, &mut drafts, &mut buffer);
        self.engine().write_or_make(&self.name, None, insert).map(drop)
    }

    fn write(
        &self,
        statement: impl FnMut(&mut Statement<'_>) -> Result<bool, Failure>,
    ) -> Result<bool> {
        let written = self.engine().write_existing(&self.name, None, statement)?;
        Ok(written.is_some_and(|(done, _)| done))
    }

    pub(crate) fn replace(&self, id: impl Into<Id>, document: Document) -> Result<bool> {
        let id = id.into();
        let mut buffer = Vec::new();
        let draft = document.encode(Some(IdRef::from(&id)), &mut buffer).unwrap();
        self.write(|statement| statement.replace(&id.to_key(), draft.record(&buffer)))
    }

    pub(crate) fn delete(&self, id: impl Into<Id>) -> Result<bool> {
        let key = id.into().to_key();
        self.write(|statement| statement.delete(&key))
    }

    pub(crate) fn get(&self, id: impl Into<Id>) -> Result<Option<StoredDoc>> {
        match self.engine().published(&self.name) {
            Some(binding) => binding.store().get(&id.into().to_key()),
            None => Ok(None),
        }
    }

    pub(crate) fn contains(&self, id: impl Into<Id>) -> Result<bool> {
        match self.engine().published(&self.name) {
            Some(binding) => binding.store().contains(&id.into().to_key()),
            None => Ok(false),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.engine().published(&self.name).map_or(0, |binding| binding.store().count())
    }

    pub(crate) fn scan(&self) -> Result<Scan> {
        let view = Arc::new(ReadView::new(&self.opening));
        Ok(match self.engine().published(&self.name) {
            Some(binding) => Scan::over(view, binding.store(), &self.name),
            None => Scan::empty(&self.opening),
        })
    }
}

pub(crate) struct Snapshot(Arc<ReadView>);

impl Snapshot {
    pub(crate) fn collection(&self, name: &str) -> SnapshotCollection {
        SnapshotCollection { binding: self.0.binding(name), view: Arc::clone(&self.0) }
    }

    pub(crate) fn collections(&self) -> Vec<Arc<NameBinding>> {
        self.0.all()
    }
}

pub(crate) struct SnapshotCollection {
    binding: Option<Arc<NameBinding>>,
    view: Arc<ReadView>,
}

impl SnapshotCollection {
    pub(crate) fn count(&self) -> u64 {
        self.binding.as_ref().map_or(0, |binding| binding.store().count_at(self.view.seq()))
    }

    pub(crate) fn get(&self, id: i64) -> Result<Option<StoredDoc>> {
        match &self.binding {
            Some(binding) => {
                binding.store().get_at(&Key::new(IdRef::Int(id)), self.view.snapshot())
            }
            None => Ok(None),
        }
    }

    pub(crate) fn get_many(
        &self,
        ids: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        ids.into_iter().map(|id| self.get(id)).collect()
    }

    pub(crate) fn contains(&self, id: i64) -> Result<bool> {
        Ok(self.get(id)?.is_some())
    }
}

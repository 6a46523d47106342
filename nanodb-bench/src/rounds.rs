//! The order in which everything happens: rounds, workloads within a round, stores within a
//! workload.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::corpus::Corpus;
use crate::stores::{Durability, Result, Store, StoreKind};
use crate::workloads::{self, Workload};

/// Everything a run found out.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) corpus: Corpus,
    /// One for each round, store and workload the store takes part in, in the order taken.
    pub(crate) figures: Vec<Figure>,
}

/// How one store did at one workload in one round, in the workload's unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) workload: Workload,
    pub(crate) store: StoreKind,
    pub(crate) value: f64,
}

/// Measures all the rounds, calling `progress` with each step before it is taken.
pub(crate) fn run(arguments: &Arguments, progress: impl Fn(&str)) -> Result<Results> {
    let stores = arguments.stores();
    let corpus = Corpus::generate(arguments.documents)?;
    let mut figures = Vec::new();
    for round in 0..arguments.rounds {
        let folder = TempDir::with_prefix_in("nanodb-bench-", &arguments.folder)?;
        let mut bench = Round {
            folder: folder.path(),
            corpus: &corpus,
            stores: &stores,
            rotation: round as usize,
            name: format!("round {} of {}", round + 1, arguments.rounds),
            progress: &progress,
            figures: &mut figures,
        };
        bench.insert_synced()?;
        let mut loaded = bench.insert_unsynced()?;
        bench.read(&mut loaded, round)?;
        bench.scan(&mut loaded)?;
        bench.close_and_reopen(loaded)?;
        folder.close()?;
    }
    Ok(Results { corpus, figures })
}

struct Loaded {
    kind: StoreKind,
    store: Box<dyn Store>,
    folder: PathBuf,
}

struct Round<'a, P> {
    folder: &'a Path,
    corpus: &'a Corpus,
    stores: &'a [StoreKind],
    /// How far the order of stores is turned; one further with each workload and each round.
    rotation: usize,
    name: String,
    progress: &'a P,
    figures: &'a mut Vec<Figure>,
}

impl<P: Fn(&str)> Round<'_, P> {
    fn insert_synced(&mut self) -> Result<()> {
        let documents = self.corpus.documents();
        for kind in self.turn() {
            if !kind.has_synced_commits() {
                continue;
            }
            self.announce(Workload::InsertSynced, kind);
            let folder = self.folder_for(kind, "synced")?;
            let mut store = kind.open(&folder, Durability::Synced)?;
            let time = workloads::insert(&mut *store, &documents)?;
            self.note(Workload::InsertSynced, kind, workloads::per_second(self.corpus, time));
            store.close()?;
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }

    fn insert_unsynced(&mut self) -> Result<Vec<Loaded>> {
        let documents = self.corpus.documents();
        let mut loaded = Vec::new();
        for kind in self.turn() {
            self.announce(Workload::InsertUnsynced, kind);
            let folder = self.folder_for(kind, "unsynced")?;
            let mut store = kind.open(&folder, Durability::Unsynced)?;
            let inserted = workloads::insert(&mut *store, &documents)?;
            self.note(Workload::InsertUnsynced, kind, workloads::per_second(self.corpus, inserted));
            if kind.has_files() {
                let start = Instant::now();
                store.checkpoint()?;
                let time = inserted + start.elapsed();
                let value = workloads::per_second(self.corpus, time);
                self.note(Workload::InsertUnsyncedThenCheckpoint, kind, value);
            }
            loaded.push(Loaded { kind, store, folder });
        }
        Ok(loaded)
    }

    fn read(&mut self, loaded: &mut [Loaded], round: u32) -> Result<()> {
        let ids = self.corpus.shuffled_ids(round);
        for (workload, threads) in [(Workload::Read, 1), (Workload::ReadTwoThreads, 2)] {
            loaded.rotate_left(1);
            for Loaded { kind, store, .. } in &*loaded {
                self.announce(workload, *kind);
                let value = workloads::read(&**store, &ids, threads, self.corpus)
                    .map_err(|error| named(*kind, error))?;
                self.note(workload, *kind, value);
            }
        }
        Ok(())
    }

    fn scan(&mut self, loaded: &mut [Loaded]) -> Result<()> {
        loaded.rotate_left(1);
        for Loaded { kind, store, .. } in &*loaded {
            self.announce(Workload::Scan, *kind);
            let value =
                workloads::scan(&**store, self.corpus).map_err(|error| named(*kind, error))?;
            self.note(Workload::Scan, *kind, value);
        }
        Ok(())
    }

    fn close_and_reopen(&mut self, loaded: Vec<Loaded>) -> Result<()> {
        for Loaded { kind, store, folder } in loaded {
            self.announce(Workload::OpenAndFirstRead, kind);
            store.close()?;
            if !kind.has_files() {
                continue;
            }
            self.note(Workload::FileSize, kind, workloads::file_size(&folder, self.corpus)?);
            let value = workloads::open_and_first_read(kind, &folder, self.corpus)
                .map_err(|error| named(kind, error))?;
            self.note(Workload::OpenAndFirstRead, kind, value);
        }
        Ok(())
    }

    /// Returns the stores in the order of their turn at the next workload.
    fn turn(&mut self) -> Vec<StoreKind> {
        let mut stores = self.stores.to_vec();
        stores.rotate_left(self.rotation % self.stores.len().max(1));
        self.rotation += 1;
        stores
    }

    fn folder_for(&self, kind: StoreKind, purpose: &str) -> Result<PathBuf> {
        let folder = self.folder.join(format!("{kind}-{purpose}"));
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    fn announce(&self, workload: Workload, kind: StoreKind) {
        (self.progress)(&format!("{}: {kind}: {}", self.name, workload.title()));
    }

    fn note(&mut self, workload: Workload, store: StoreKind, value: f64) {
        self.figures.push(Figure { workload, store, value });
    }
}

fn named(kind: StoreKind, error: Box<dyn Error + Send + Sync>) -> Box<dyn Error + Send + Sync> {
    format!("{kind}: {error}").into()
}

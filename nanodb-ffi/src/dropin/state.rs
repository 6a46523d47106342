//! The database of the process, and who uses it.
//!
//! # Invariants
//!
//! 1. While a `NanoInit` has failed and none has succeeded since, no call reads or writes: who
//!    wanted another file must not meet this one.
//! 2. The file is closed by the last of its users.
//! 3. A forked child has a state of its own: no file is open in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb::{Collection, Database, Durability};
use parking_lot::{Mutex, RwLock};

use crate::failure::{Failure, Result};
use crate::process::PerFork;

static STATE: PerFork<RwLock<State>> = PerFork::new();

#[inline]
fn state() -> &'static RwLock<State> {
    STATE.get(RwLock::default)
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    users: u64,
    /// How many `NanoInit`s have failed whose `NanoClose` is still to come.
    failed: u64,
    /// Whether the last `NanoInit` has failed.
    is_refused: bool,
    /// Whether a forked child was told that nothing is open in it.
    is_told: AtomicBool,
}

struct Open {
    database: Database,
    path: PathBuf,
    /// Those that are known to exist. Through this interface none ceases to.
    /// A few names are compared faster than one is hashed.
    collections: RwLock<BTreeMap<String, Arc<Collection>>>,
    /// Held by who creates a collection: of several that create the same one does.
    creating: Mutex<()>,
}

/// Opens a file, or takes part in its use.
pub(super) fn init(path: &Path) -> Result<()> {
    // Held as long as it takes: whoever calls meanwhile waits for the database.
    let mut state = state().write();
    *state.is_told.get_mut() = true;
    let open = match state.open.take() {
        Some(open) if fs::canonicalize(path).is_ok_and(|path| path == open.path) => open,
        Some(open) => {
            let (path, there) = (path.display(), open.path.display());
            let text = format!(
                "{path} cannot be opened while {there} is open: there is one database for the \
                 process, until it is closed"
            );
            state.open = Some(open);
            return Err(Failure::misuse(text));
        }
        None => {
            Database::convert_go_file(path)?;
            let database = Database::options().durability(Durability::Immediate).open(path)?;
            let path = database.path().unwrap_or(path).to_owned();
            Open { database, path, collections: RwLock::default(), creating: Mutex::default() }
        }
    };
    state.open = Some(open);
    state.users += 1;
    state.is_refused = false;
    Ok(())
}

/// Notes that a `NanoInit` has failed, and says why.
pub(super) fn refuse(failure: &Failure) {
    let mut state = state().write();
    state.is_refused = true;
    state.failed += 1;
    drop(state);
    eprintln!("nanodb: NanoInit: {}", failure.message());
}

/// Ends one use.
pub(super) fn close() -> Result<i64> {
    let mut state = state().write();
    if state.failed > 0 {
        state.failed -= 1;
        return Ok(-1);
    }
    state.users = state.users.saturating_sub(1);
    if state.users > 0 {
        return Ok(1);
    }
    if let Some(open) = state.open.take() {
        open.database.close()?;
    }
    Ok(1)
}

/// Returns the database.
pub(super) fn database() -> Result<Database> {
    with_open(|open| Ok(open.database.clone()))
}

/// Returns a collection that exists.
pub(super) fn collection(name: &str) -> Result<Arc<Collection>> {
    with_open(|open| {
        let found = open.collection(name)?;
        found.ok_or_else(|| Failure::invalid(format!("there is no collection {name:?}")))
    })
}

/// Has a collection created, if there is none of that name; returns whether there was none.
pub(super) fn creating(name: &str, create: impl FnOnce(&Database) -> Result<()>) -> Result<bool> {
    with_open(|open| {
        let _one_at_a_time = open.creating.lock();
        if open.collection(name)?.is_some() {
            return Ok(false);
        }
        create(&open.database)?;
        Ok(true)
    })
}

impl Open {
    fn collection(&self, name: &str) -> Result<Option<Arc<Collection>>> {
        if let Some(known) = self.collections.read().get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        if !self.database.collections()?.iter().any(|info| info.name == name) {
            return Ok(None);
        }
        let found = Arc::new(self.database.collection(name));
        self.collections.write().insert(name.to_owned(), Arc::clone(&found));
        Ok(Some(found))
    }
}

fn with_open<R>(run: impl FnOnce(&Open) -> Result<R>) -> Result<R> {
    let state = state().read();
    match &state.open {
        Some(open) if !state.is_refused => run(open),
        None if STATE.is_inherited() && !state.is_told.swap(true, Ordering::Relaxed) => {
            let text = "what the process that this one was forked from has open is not open here: \
                        until a NanoInit succeeds, each call returns its error value";
            eprintln!("nanodb: {text}");
            Err(Failure::misuse(text))
        }
        _ => {
            Err(Failure::misuse("no database is open: NanoInit has not been called, or has failed"))
        }
    }
}

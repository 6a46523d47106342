//! The test harness: a file system that loses what was not synced.
//!
//! [`mount`] makes a directory of one, by FUSE. Programs use it by the system's own calls, and what
//! they do is recorded as [`nanodb_sim`] records what is done to a disk in memory: each write,
//! sync, creation, renaming and removal. At a call that is chosen before, the power goes: from then
//! on every call fails, and [`Crash`](nanodb_sim::Crash) makes of the record the disks that this
//! may leave. A sync can be made to fail and to forget what it should have saved, too, while reads
//! go on returning it.
//!
//! Nothing here is shipped; Linux only.

#![cfg(target_os = "linux")]

mod files;
mod filesystem;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption};
use nanodb_sim::{Event, Files};

use crate::files::State;
use crate::filesystem::Disk;

/// When what goes wrong, counted in calls that change something or sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// At this call the power goes, before it has done anything.
    pub cut_at: Option<u64>,
    /// The first sync of a file from this call on fails and takes for saved what it has not saved.
    pub forget_at: Option<u64>,
}

/// A directory whose files are in memory, for as long as it lives.
#[derive(Debug)]
pub struct Mounted {
    state: Arc<Mutex<State>>,
    // Ends with it.
    _session: BackgroundSession,
}

/// Makes the empty directory at `path` one that has `files`, all of them saved.
///
/// # Errors
///
/// What the operating system says: above all, that there is no FUSE.
pub fn mount(path: &Path, files: &Files, plan: Plan) -> io::Result<Mounted> {
    let state = Arc::new(Mutex::new(State::new(files, plan)));
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("nanodb-fuse".to_owned())];
    let session = fuser::spawn_mount(Disk(Arc::clone(&state)), path, &config)?;
    Ok(Mounted { state, _session: session })
}

impl Mounted {
    /// Starts over with a plan; calls are counted from here on.
    pub fn set_plan(&self, plan: Plan) {
        lock(&self.state).set_plan(plan);
    }

    /// Returns how many calls there were that change something or sync.
    pub fn calls(&self) -> u64 {
        lock(&self.state).calls()
    }

    /// Returns whether the power has gone.
    pub fn is_cut(&self) -> bool {
        lock(&self.state).is_cut()
    }

    /// Returns all that was done so far, up to where the power went.
    pub fn journal(&self) -> Vec<Event> {
        lock(&self.state).journal().to_vec()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // The thread that panicked reports it.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

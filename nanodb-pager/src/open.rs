//! Opening a file.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::Mutex;

use crate::application::Application;
use crate::cache::state::CacheState;
use crate::call_gate::CallGate;
use crate::checkpoint::double_write;
use crate::checkpoint::hooks::CheckpointHooks;
use crate::checkpoint::state::{
    CheckpointSchedule, CheckpointState, DiskState, UncheckpointedChanges,
};
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header, LogState};
use crate::file::page::Checksummer;
use crate::file::sidecars::{SIDECARS, check_new, copy_suffix};
use crate::file::storage::{Access, ReadOnly, Storage, lock};
use crate::file::stream;
use crate::handle::PagerHandle;
use crate::ids::PageId;
use crate::open_report::OpenReport;
use crate::options::Options;
use crate::pager::Pager;
use crate::process;
use crate::random;
use crate::shared::{Commit, Shared};
use crate::space::change::SpaceChange;
use crate::space::free_map::FreeMap;
use crate::space::rebuild::{self, FreeMapSource};
use crate::space::state::SpaceState;
use crate::txn::publication::Publication;
use crate::wal::recovery::Replay;
use crate::wal::state::{OpenLog, WalState};

impl Pager {
    /// Opens the file that `storage` is, making a new one of an empty storage, unless it is to
    /// be [read only](Options::read_only).
    ///
    /// `hooks` is the layer above's part in checkpoints; `Arc::new(())` if it has none.
    /// Takes time in proportion to the root, the free map and, after a crash, the log;
    /// not to the pages.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::NotADatabase`], [`Error::OtherFormat`],
    /// [`Error::OtherApplication`], [`Error::NewerFormat`], [`Error::OlderFormat`],
    /// [`Error::NewerFeatures`], [`Error::Truncated`], [`Error::Corrupt`],
    /// [`Error::LogLost`], [`Error::LogWithoutFile`], [`Error::Empty`] and [`Error::Io`],
    /// each as its docs say. A file that is refused is not touched.
    pub fn open(
        storage: Arc<dyn Storage>,
        hooks: Arc<dyn CheckpointHooks>,
        options: Options,
    ) -> Result<Self> {
        let begun = Instant::now();
        lock::acquire(&*storage, options.access, options.lock_timeout)?;
        let storage: Arc<dyn Storage> = match options.access {
            // Refuses whatever is not refused before.
            Access::Read => Arc::new(ReadOnly::new(storage)),
            Access::Write => storage,
        };
        let is_new =
            storage.is_empty().map_err(|e| Error::io("asking for the file's length", e))?;
        let header = read_header(&*storage, is_new, &options)?;
        let checksummer = Checksummer::new(&header.uuid);
        let mut on_disk = read_disk_state(&*storage, header, checksummer, &*hooks)?;
        let replay = Replay::read(&storage, &on_disk.header, options.allow_missing_log)?;
        let allocator = allocator(&on_disk, &replay.space)?;
        let newest_root = match replay.metadata.is_empty() {
            true => on_disk.metadata_root.to_vec(),
            false => hooks
                .apply(&on_disk.metadata_root, &mut replay.metadata.iter())
                .map_err(Error::Metadata)?,
        };
        let checkpoint_pages = hooks.checkpoint_pages(&on_disk.metadata_root);
        let checkpoint_pages = u32::try_from(checkpoint_pages).unwrap_or(u32::MAX);
        let own_pages = on_disk.taken_pages.saturating_add(checkpoint_pages);
        let synced = is_new || is_synced(&*storage, &on_disk.header)?;
        let recovery_needed = replay.is_needed();
        // Without commits to recover nothing needs its images.
        if let Some(tail) = replay.recovered.double_write_tail().filter(|_| recovery_needed) {
            on_disk.double_write_tail = tail;
        }
        let report = OpenReport {
            clean: replay.commits == 0,
            commits_replayed: replay.commits,
            log_lost: replay.loss.is_some(),
            bytes_replayed: replay.bytes,
            free_map_lost: on_disk.lost_map.is_some(),
            duration: begun.elapsed(),
        };
        let commit = Commit {
            installed: replay.last_seq,
            uncheckpointed: UncheckpointedChanges {
                metadata: replay.metadata,
                space: replay.space,
                ..UncheckpointedChanges::default()
            },
            schedule: CheckpointSchedule::default(),
            log: OpenLog::new(on_disk.header.log_generation),
        };
        let pager = Self {
            shared: Arc::new(PagerHandle::new(Shared {
                checksummer,
                uuid: on_disk.header.uuid,
                hash_seed: on_disk.header.hash_seed,
                report,
                process: process::id(),
                poison: OnceLock::new(),
                closed: AtomicBool::new(false),
                uses: CallGate::new(),
                cache: CacheState::new(options.cache_bytes_max),
                space: SpaceState::new(allocator, own_pages),
                wal: WalState::new(recovery_needed.then_some(replay.recovered), synced),
                checkpoint: CheckpointState::new(on_disk, replay.last_seq, newest_root),
                commit: Mutex::new(commit),
                publication: Publication::new(replay.last_seq),
                options,
                storage,
                hooks,
            })),
        };
        pager.shared.apply_limit();
        Ok(pager)
    }
}

/// Returns the header of the file, which is made if it is empty and may be.
fn read_header(storage: &dyn Storage, is_new: bool, options: &Options) -> Result<Header> {
    if !is_new {
        return Header::read(storage, &options.application, options.access);
    }
    if !options.create || options.access == Access::Read {
        return Err(Error::Empty);
    }
    create(storage, options.application)
}

/// Reads what the last checkpoint has left: the metadata root and the free map.
fn read_disk_state(
    storage: &dyn Storage,
    header: Header,
    checksummer: Checksummer,
    hooks: &dyn CheckpointHooks,
) -> Result<DiskState> {
    let (place, page_count) = (header.root, header.page_count);
    let (root, root_pages) =
        stream::read(storage, "metadata root", place, page_count, header.seq, checksummer)?;
    let FreeMapSource { free, streams, lost: lost_map } =
        rebuild::find(storage, &header, checksummer, hooks, &root, root_pages)?;
    Ok(DiskState {
        header,
        metadata_root: root.into(),
        free,
        taken_pages: streams.iter().map(|extent| extent.pages).sum(),
        streams,
        lost_map,
        double_write_tail: double_write::Tail::new(),
        stopped: None,
    })
}

/// Returns the map that transactions allocate from: what the file says, and then the logs.
fn allocator(on_disk: &DiskState, logged: &[SpaceChange]) -> Result<FreeMap> {
    let mut allocator = on_disk.free.clone();
    // One by one, so that a page that both streams name shows too.
    for &extent in &on_disk.streams {
        if !allocator.in_use(extent) {
            return Err(Corruption::FreeMap { page: extent.start }.into());
        }
        allocator.add_own(extent);
    }
    allocator.replay(logged)?;
    Ok(allocator)
}

/// Whether what opening found is on stable storage for certain. A new file was synced when it was
/// made, and before a closed one lost its sidecars its header was.
fn is_synced(storage: &dyn Storage, header: &Header) -> Result<bool> {
    if !storage.is_persistent() {
        return Ok(true);
    }
    // A file without a checkpoint may be one whose making has failed.
    let mut synced = header.generation > 1 && header.log_state == LogState::Closed;
    let copy = copy_suffix(&header.uuid);
    for suffix in SIDECARS.into_iter().chain([&*copy]) {
        let found = storage.has_sidecar(suffix);
        synced &= !found.map_err(|e| Error::io("looking for the log", e))?;
    }
    Ok(synced)
}

/// Writes the header of a new file.
fn create(storage: &dyn Storage, application: Application) -> Result<Header> {
    check_new(storage)?;
    let header = Header::new(application.id, random::uuid(), random::bits());
    let written = (0..HEADER_PAGES)
        .try_for_each(|copy| {
            storage.write_at(&header.encode(copy).bytes, PageId::new(copy).offset())
        })
        .map_err(|e| Error::io("writing the header of a new file", e))
        .and_then(|()| storage.sync().map_err(|e| Error::io("syncing a new file", e)));
    if let Err(error) = written {
        // Half a header would be refused for ever; an empty file is tried again. If
        // this fails too, the error to tell of is still the first.
        let _ = storage.set_len(0);
        return Err(error);
    }
    Ok(header)
}

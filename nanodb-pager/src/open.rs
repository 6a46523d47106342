//! Opening a file.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use crate::cache::clock::Cache;
use crate::cache::frames::Frames;
use crate::cache::page_table::{PageTable, Stripes};
use crate::cache::snapshot_registry::Snapshots;
use crate::cache::version_file::Spill;
use crate::checkpoint::double_write;
use crate::checkpoint::hooks::CheckpointHooks;
use crate::checkpoint::state::Checkpointed;
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header, LogState};
use crate::file::page::Checksummer;
use crate::file::sidecars::{COMPANIONS, check_new, copy_suffix};
use crate::file::storage::{Access, ReadOnly, Storage, lock};
use crate::file::stream;
use crate::handle::PagerHandle;
use crate::ids::PageId;
use crate::open_report::OpenReport;
use crate::options::Options;
use crate::pager::Pager;
use crate::process;
use crate::shared::{Commit, NextLog, Shared};
use crate::space::rebuild::{self, FoundMap};
use crate::space::truncated_pages::TruncatedPages;
use crate::space::unlogged::UnloggedPages;
use crate::txn::publication::Publication;
use crate::wal::Lsn;
use crate::wal::group_commit::GroupSync;
use crate::wal::recovery::Replay;

impl Pager {
    /// Opens the file that `storage` is, making a new one of an empty storage, unless it is to
    /// be [read only](Options::read_only).
    ///
    /// `folder` adds the notes of the layer above up; `Arc::new(())` if it has none.
    /// Takes time in proportion to the root, the free map and, after a crash, the log;
    /// not to the pages.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::NotADatabase`], [`Error::GoFile`],
    /// [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::Truncated`], [`Error::Corrupt`],
    /// [`Error::LogLost`], [`Error::LogWithoutFile`], [`Error::Empty`] and [`Error::Io`],
    /// each as its docs say. A file that is refused is not touched.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: Arc<dyn CheckpointHooks>,
        options: Options,
    ) -> Result<Self> {
        let begun = Instant::now();
        lock::claim(&*storage, options.access, options.lock_timeout)?;
        let storage = match options.access {
            // Refuses whatever is not refused before.
            Access::Read => Arc::new(ReadOnly::new(storage)),
            Access::Write => storage,
        };
        let empty = storage.is_empty().map_err(|e| Error::io("asking for the file's length", e))?;
        let is_made = options.create && options.access == Access::Write;
        if empty && !is_made {
            return Err(Error::Empty);
        }
        let header = if empty { create(&*storage)? } else { Header::read(&*storage)? };
        let checksummer = Checksummer::new(&header.uuid);
        let (place, page_count) = (header.root, header.page_count);
        let (root, root_pages) =
            stream::read(&*storage, "root", place, page_count, header.seq, checksummer)?;
        let FoundMap { free, streams, lost: lost_map } =
            rebuild::find(&*storage, &header, checksummer, &*folder, &root, root_pages)?;
        let replay = Replay::read(&storage, &header, options.without_log)?;
        let mut allocator = free.clone();
        // One by one, so that a page that both streams name shows too.
        for &extent in &streams {
            if !allocator.in_use(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            allocator.add_own(extent);
        }
        allocator.replay(&replay.space)?;
        let newest_root = if replay.notes.is_empty() {
            root.clone()
        } else {
            folder.fold(&root, &mut replay.notes.iter()).map_err(Error::Fold)?
        };
        let root_bytes = newest_root.len();
        let seq = replay.last_seq;
        let stream_pages: u32 = streams.iter().map(|extent| extent.pages).sum();
        let saved_pages = u32::try_from(folder.saved_pages(&root)).unwrap_or(u32::MAX);
        let own_pages = stream_pages.saturating_add(saved_pages);
        let settled = empty || is_settled(&*storage, &header)?;
        let recovery_needed = replay.is_needed();
        let report = OpenReport {
            clean: replay.commits == 0,
            commits_replayed: replay.commits,
            log_lost: replay.loss.is_some(),
            bytes_replayed: replay.bytes,
            free_map_lost: lost_map.is_some(),
            duration: begun.elapsed(),
        };

        let pager = Self {
            shared: Arc::new(PagerHandle::new(Shared {
                checksummer,
                uuid: header.uuid,
                hash_seed: header.hash_seed,
                table: PageTable::new(),
                stripes: Stripes::new(),
                cache: Cache::new(options.cache_bytes_max),
                snapshots: Snapshots::default(),
                spill: Spill::default(),
                publication: Publication::new(seq),
                page_count: AtomicU32::new(allocator.page_count()),
                allocator: Mutex::new(allocator),
                disk_seq: AtomicU64::new(seq.get()),
                commit: Mutex::new(Commit {
                    installed: seq,
                    notes: replay.notes,
                    kept_bytes: 0,
                    dirty: Vec::new(),
                    under_way: 0,
                    under_way_bytes: 0,
                    checkpoint_asked: false,
                    preparing: false,
                    flush_asked: false,
                    postponed: 0,
                    log_full: false,
                    space: replay.space,
                    freed_pages: 0,
                    direct_pages: 0,
                    direct_unsynced: false,
                    checkpoint: 1,
                    next_header_names_log: false,
                    log: None,
                    next_log: NextLog {
                        generation: header.log_generation,
                        previous_salt: 0,
                        base: Lsn::default(),
                    },
                    former_log: None,
                }),
                turned: Condvar::new(),
                checkpointed_seq: AtomicU64::new(header.seq.get()),
                checkpointing: Mutex::new(Checkpointed {
                    header,
                    taken_pages: streams.iter().map(|extent| extent.pages).sum(),
                    root: root.into(),
                    free,
                    streams,
                    lost_map,
                    // Without commits to recover nothing needs its images.
                    side: recovery_needed
                        .then(|| replay.recovered.side_tail())
                        .flatten()
                        .unwrap_or_else(double_write::Tail::new),
                    under_way: None,
                }),
                turn_seq: AtomicU64::new(0),
                checkpoints: AtomicU64::new(0),
                group_sync: GroupSync::default(),
                named: Mutex::default(),
                recovered: RwLock::new(recovery_needed.then_some(replay.recovered)),
                root: Mutex::new(newest_root.into()),
                report,
                options,
                poison: OnceLock::new(),
                closed: AtomicBool::new(false),
                settled: AtomicBool::new(settled),
                ready: AtomicBool::new(false),
                frees: AtomicU64::new(0),
                own_pages: AtomicU32::new(own_pages),
                kept_bytes: AtomicUsize::new(0),
                has_reserve: AtomicBool::new(false),
                log_room: AtomicU64::new(0),
                met_full_disk: AtomicBool::new(false),
                root_bytes: AtomicUsize::new(root_bytes),
                root_grown: AtomicUsize::new(0),
                pages_max_min: AtomicU32::new(0),
                frames: Frames::default(),
                direct: UnloggedPages::default(),
                growing: Mutex::new(()),
                truncated_pages: TruncatedPages::default(),
                process: process::id(),
                storage,
                folder,
            })),
        };
        pager.shared.apply_limit();
        Ok(pager)
    }
}

/// Whether what opening found is on stable storage for certain. A new file was synced when it was
/// made, and before a closed one lost its companions its header was.
fn is_settled(storage: &dyn Storage, header: &Header) -> Result<bool> {
    if !storage.is_persistent() {
        return Ok(true);
    }
    // A file without a checkpoint may be one whose making has failed.
    let mut settled = header.generation > 1 && header.log_state == LogState::Closed;
    let copy = copy_suffix(&header.uuid);
    for suffix in COMPANIONS.into_iter().chain([&*copy]) {
        let found = storage.has_companion(suffix);
        settled &= !found.map_err(|e| Error::io("looking for the log", e))?;
    }
    Ok(settled)
}

/// Writes the header of a new file.
fn create(storage: &dyn Storage) -> Result<Header> {
    check_new(storage)?;
    let (uuid, seed) = (Uuid::new_v4(), Uuid::new_v4());
    let header = Header::new(*uuid.as_bytes(), seed.as_u64_pair().0);
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

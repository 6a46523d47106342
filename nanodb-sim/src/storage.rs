//! A file in memory that records what is done to it and fails when told to.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nanodb_pager::Storage;

use crate::fault::{CallKind, Failure, Fault};
use crate::journal::{Action, Event, Files};

/// A handle to a simulated file and its sidecars.
///
/// Clones are further handles to the same disk, as if the file were opened again:
/// the lock belongs to one handle and goes with it, the bytes stay.
#[derive(Default)]
pub struct SimStorage {
    disk: Arc<Disk>,
    /// Which of the disk's files: "" or a sidecar's suffix.
    name: String,
    /// For a file without a name: its number among those.
    temp_file: Option<usize>,
    holds_lock: AtomicBool,
}

#[derive(Default)]
struct Disk {
    state: Mutex<State>,
    /// Told when calls that are held may go on.
    released: Condvar,
    locked: AtomicBool,
}

#[derive(Default)]
struct State {
    files: Files,
    /// Files without a name. No crash leaves them, so no journal has them.
    temp_files: Vec<Vec<u8>>,
    journal: Option<Vec<Event>>,
    fault: Option<Fault>,
    /// Whether the fault is still to come, or lasts.
    armed: bool,
    calls: u64,
    failed: u64,
    /// How many bytes all files with names may have together.
    capacity: Option<u64>,
    /// Calls of this kind wait.
    held_kind: Option<CallKind>,
    /// How many do.
    held: usize,
    /// Bytes of the main file that the device can't read.
    unreadable: Vec<Range<u64>>,
    /// Whether a file has one name only.
    forbids_links: bool,
}

/// While it lives, calls of some kind wait.
#[derive(Debug)]
#[must_use = "the calls go on when it is dropped"]
pub struct Hold {
    disk: Arc<Disk>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.disk.state().held_kind = None;
        self.disk.released.notify_all();
    }
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere says so itself; the bytes are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimStorage {
    /// Returns an empty file.
    pub fn new() -> Self {
        Self::from_files(Files::from([(String::new(), Vec::new())]))
    }

    /// Returns a file with these bytes.
    pub fn from_contents(bytes: Vec<u8>) -> Self {
        let storage = Self::new();
        storage.set_contents(bytes);
        storage
    }

    /// Returns a disk with these files, whose main one is named "".
    pub fn from_files(files: Files) -> Self {
        let storage = Self::default();
        storage.state().files = files;
        storage
    }

    /// Returns the file's bytes; none if it is not there.
    pub fn contents(&self) -> Vec<u8> {
        self.state().files.get(&self.name).cloned().unwrap_or_default()
    }

    /// Replaces the file's bytes without the knowledge of those that have it open.
    pub fn set_contents(&self, bytes: Vec<u8>) {
        self.state().files.insert(self.name.clone(), bytes);
    }

    /// Returns the bytes of the file without a name that was made last; none if there was none.
    pub fn temp_file_contents(&self) -> Vec<u8> {
        self.state().temp_files.last().cloned().unwrap_or_default()
    }

    /// Replaces them without the knowledge of those that have the file open.
    pub fn set_temp_file_contents(&self, bytes: Vec<u8>) {
        if let Some(last) = self.state().temp_files.last_mut() {
            *last = bytes;
        }
    }

    /// Returns all files of the disk that have names.
    pub fn files(&self) -> Files {
        self.state().files.clone()
    }

    /// Begins to record, forgetting what was recorded before.
    pub fn start_journal(&self) {
        self.state().journal = Some(Vec::new());
    }

    /// Returns how many events were recorded so far.
    pub fn journal_len(&self) -> usize {
        self.state().journal.as_ref().map_or(0, Vec::len)
    }

    /// Returns what was done since [`start_journal`](Self::start_journal), so far; nothing that
    /// another thread does meanwhile is missed by who asks again.
    pub fn journal(&self) -> Vec<Event> {
        self.state().journal.clone().unwrap_or_default()
    }

    /// Returns what was done since [`start_journal`](Self::start_journal); ends recording.
    pub fn take_journal(&self) -> Vec<Event> {
        self.state().journal.take().unwrap_or_default()
    }

    /// Arranges for calls to fail. Replaces an earlier arrangement.
    pub fn set_fault(&self, fault: Fault) {
        let mut state = self.state();
        state.fault = Some(fault);
        state.armed = true;
        state.failed = 0;
    }

    /// Makes every call work from now on.
    pub fn clear_fault(&self) {
        let mut state = self.state();
        state.fault = None;
        state.armed = false;
    }

    /// Holds calls of this kind, to any file of the disk, until what is returned is dropped.
    pub fn hold(&self, kind: CallKind) -> Hold {
        self.state().held_kind = Some(kind);
        Hold { disk: Arc::clone(&self.disk) }
    }

    /// Returns how many calls are held.
    pub fn held(&self) -> usize {
        self.state().held
    }

    /// Makes reads of the main file fail that touch one of these bytes, as a device fails to read
    /// some sectors.
    pub fn set_unreadable(&self, ranges: Vec<Range<u64>>) {
        self.state().unreadable = ranges;
    }

    /// Makes this a file system on which files have one name each.
    pub fn forbid_links(&self) {
        self.state().forbids_links = true;
    }

    /// Lets the files with names grow to this many bytes in all; what goes beyond fails, for
    /// want of space, once the part that fits is written. `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Returns how long a file of the disk is; 0 if it is not there.
    pub fn file_len(&self, name: &str) -> u64 {
        self.state().files.get(name).map_or(0, Vec::len) as u64
    }

    /// Returns how many bytes the files with names have in all.
    pub fn total_len(&self) -> u64 {
        self.state().total_len()
    }

    /// Returns how many calls have failed since the fault was set.
    pub fn failed(&self) -> u64 {
        self.state().failed
    }

    /// Returns how many calls were made in the file's life, failed ones included, locks not.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Returns a handle to another file of the disk.
    fn file(&self, name: &str) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            name: name.to_owned(),
            temp_file: None,
            holds_lock: AtomicBool::new(false),
        }
    }

    fn is_main(&self) -> bool {
        self.name.is_empty() && self.temp_file.is_none()
    }

    /// Counts a call to this file; fails it if it is to fail.
    fn call(&self, state: &mut State, kind: CallKind) -> Result<(), Failure> {
        state.call(&self.name, if self.temp_file.is_some() { CallKind::TempFile } else { kind })
    }

    fn bytes<'s>(&self, state: &'s State) -> Option<&'s Vec<u8>> {
        match self.temp_file {
            Some(number) => state.temp_files.get(number),
            None => state.files.get(&self.name),
        }
    }

    /// Does something to this file.
    fn perform(&self, state: &mut State, action: Action) {
        match self.temp_file {
            Some(number) => action.apply(&mut state.temp_files[number]),
            None => state.perform(self.event(action)),
        }
    }

    fn event(&self, action: Action) -> Event {
        Event { file: self.name.clone(), action }
    }

    /// Returns the state, once calls of this kind are not held.
    fn pass(&self, kind: CallKind) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.held += 1;
        while state.held_kind == Some(kind) {
            state = self.disk.released.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.held -= 1;
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.disk.state()
    }
}

impl Clone for SimStorage {
    fn clone(&self) -> Self {
        let mut clone = self.file(&self.name);
        clone.temp_file = self.temp_file;
        clone
    }
}

impl Drop for SimStorage {
    fn drop(&mut self) {
        if *self.holds_lock.get_mut() {
            // Release pairs with the acquire of the next `lock`: who gets it sees all
            // that the former holder did.
            self.disk.locked.store(false, Ordering::Release);
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl fmt::Debug for SimStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the bytes: a failed assertion would bury itself in them.
        let state = self.state();
        f.debug_struct("SimStorage")
            .field("len", &state.files.get(&self.name).map_or(0, Vec::len))
            .field("calls", &state.calls)
            .field("failed", &state.failed)
            .finish_non_exhaustive()
    }
}

impl State {
    fn call(&mut self, file: &str, kind: CallKind) -> Result<(), Failure> {
        self.calls += 1;
        let armed = &mut self.armed;
        match self.fault.as_mut().and_then(|fault| fault.strike(file, kind, armed)) {
            Some(failure) => {
                self.failed += 1;
                Err(failure)
            }
            None => Ok(()),
        }
    }

    fn total_len(&self) -> u64 {
        self.files.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// Returns how long a file may become that is to be `wanted` bytes long.
    fn room(&self, name: &str, wanted: u64) -> u64 {
        let len = self.files.get(name).map_or(0, Vec::len) as u64;
        let free = self.capacity.map_or(u64::MAX, |max| max.saturating_sub(self.total_len()));
        wanted.min(len.saturating_add(free))
    }

    fn perform(&mut self, event: Event) {
        event.apply(&mut self.files);
        if let Some(journal) = &mut self.journal {
            journal.push(event);
        }
    }
}

impl Storage for SimStorage {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.pass(CallKind::Len);
        self.call(&mut state, CallKind::Len).map_err(Failure::error)?;
        Ok(self.bytes(&state).map_or(0, Vec::len) as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.pass(CallKind::SetLen);
        self.call(&mut state, CallKind::SetLen).map_err(Failure::error)?;
        if self.temp_file.is_none() && len > state.room(&self.name, len) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.perform(&mut state, Action::SetLen { len });
        Ok(())
    }

    fn extend(&self, _: u64, to: u64) -> io::Result<()> {
        // Here a length takes its room.
        self.set_len(to)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.pass(CallKind::Read);
        self.call(&mut state, CallKind::Read).map_err(Failure::error)?;
        let end = offset.saturating_add(buf.len() as u64);
        let touches = |range: &Range<u64>| offset < range.end && range.start < end;
        if self.is_main() && state.unreadable.iter().any(touches) {
            state.failed += 1;
            return Err(Failure::Device.error());
        }
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let there = self.bytes(&state);
        let there = there.and_then(|b| b.get(start..)).and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.pass(CallKind::Write);
        match self.call(&mut state, CallKind::Write) {
            Ok(()) => {
                let end = offset + buf.len() as u64;
                let fits = if self.temp_file.is_some() { end } else { state.room(&self.name, end) };
                let fits = usize::try_from(fits.saturating_sub(offset)).unwrap_or(usize::MAX);
                let data = buf[..fits.min(buf.len())].to_vec();
                self.perform(&mut state, Action::Write { offset, data });
                if fits < buf.len() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
            }
            Err(failure) => {
                if failure == Failure::Short {
                    let data = buf[..buf.len() / 2].to_vec();
                    self.perform(&mut state, Action::Write { offset, data });
                }
                return Err(failure.error());
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.pass(CallKind::Sync);
        if let Err(failure) = self.call(&mut state, CallKind::Sync) {
            if failure == Failure::Forgets {
                self.perform(&mut state, Action::Forget);
            }
            return Err(failure.error());
        }
        self.perform(&mut state, Action::Sync);
        Ok(())
    }

    fn lock(&self) -> io::Result<bool> {
        // Acquire pairs with the release in `drop`.
        if self.disk.locked.swap(true, Ordering::Acquire) {
            return Ok(false);
        }
        self.holds_lock.store(true, Ordering::Relaxed);
        Ok(true)
    }

    fn unlock(&self) -> io::Result<()> {
        if self.holds_lock.swap(false, Ordering::Relaxed) {
            // Release: as in `drop`.
            self.disk.locked.store(false, Ordering::Release);
        }
        Ok(())
    }

    fn sidecar(&self, suffix: &str) -> io::Result<Arc<dyn Storage>> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        let sidecar = self.file(&format!("{}{suffix}", self.name));
        if !state.files.contains_key(&sidecar.name) {
            state.perform(sidecar.event(Action::Create));
        }
        drop(state);
        Ok(Arc::new(sidecar))
    }

    fn has_sidecar(&self, suffix: &str) -> io::Result<bool> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        Ok(state.files.contains_key(&format!("{}{suffix}", self.name)))
    }

    fn remove_sidecar(&self, suffix: &str) -> io::Result<()> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        let sidecar = self.file(&format!("{}{suffix}", self.name));
        if state.files.contains_key(&sidecar.name) {
            state.perform(sidecar.event(Action::Remove));
        }
        Ok(())
    }

    fn replace_sidecar(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        let from = self.file(&format!("{}{from}", self.name));
        if !state.files.contains_key(&from.name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.perform(from.event(Action::Replace { to: format!("{}{to}", self.name) }));
        Ok(())
    }

    fn add_name(&self, suffix: &str) -> io::Result<()> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        if state.forbids_links {
            // What Linux says of a FAT file system.
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let to = format!("{}{suffix}", self.name);
        if state.files.contains_key(&to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.perform(&mut state, Action::Link { to });
        Ok(())
    }

    fn replace_by_sidecar(&self, suffix: &str) -> io::Result<()> {
        self.replace_sidecar(suffix, "")?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.pass(CallKind::Directory);
        state.call(&self.name, CallKind::Directory).map_err(Failure::error)?;
        state.perform(self.event(Action::SyncDirectory));
        Ok(())
    }

    fn temp_file(&self) -> io::Result<Arc<dyn Storage>> {
        let mut state = self.pass(CallKind::TempFile);
        state.call(&self.name, CallKind::TempFile).map_err(Failure::error)?;
        state.temp_files.push(Vec::new());
        let mut temp_file = self.file("");
        temp_file.temp_file = Some(state.temp_files.len() - 1);
        drop(state);
        Ok(Arc::new(temp_file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_handle_sees_the_bytes_and_gets_the_lock_once_the_first_is_gone() {
        let first = SimStorage::new();
        let second = first.clone();
        first.write_at(b"abc", 2).unwrap();
        assert!(first.lock().unwrap());
        assert!(!second.lock().unwrap() && !first.lock().unwrap());
        drop(first);
        assert!(second.lock().unwrap());
        second.unlock().unwrap();
        assert!(second.lock().unwrap());
        assert_eq!(second.contents(), b"\0\0abc");
    }

    #[test]
    fn calls_that_are_held_go_on_when_they_are_released_and_others_do_not_wait() {
        let storage = SimStorage::from_contents(b"abc".to_vec());
        let hold = storage.hold(CallKind::Sync);
        let thread = std::thread::spawn({
            let storage = storage.clone();
            move || storage.sync()
        });
        while storage.held() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(storage.len().unwrap(), 3);
        assert!(!thread.is_finished());
        drop(hold);
        thread.join().unwrap().unwrap();
        storage.sync().unwrap();
    }

    #[test]
    fn what_the_device_cannot_read_fails_each_read_that_touches_it() {
        let storage = SimStorage::from_contents(vec![1; 100]);
        storage.set_unreadable(std::iter::once(10..20).collect());
        for (offset, len, is_readable) in
            [(0, 10, true), (9, 2, false), (19, 1, false), (20, 80, true)]
        {
            assert_eq!(storage.read_at(&mut vec![0; len], offset).is_ok(), is_readable);
        }
    }

    #[test]
    fn the_journal_makes_the_same_bytes_again() {
        let storage = SimStorage::from_contents(b"old".to_vec());
        storage.start_journal();
        storage.write_at(b"new bytes", 1).unwrap();
        storage.sync().unwrap();
        storage.set_len(6).unwrap();
        let journal = storage.take_journal();
        assert_eq!(journal[1].action, Action::Sync);
        let mut files = Files::from([(String::new(), b"old".to_vec())]);
        journal.iter().for_each(|event| event.apply(&mut files));
        assert_eq!(files, storage.files());
        assert_eq!(files[""], b"onew b");
    }

    #[test]
    fn the_call_that_is_to_fail_fails_once_or_for_ever() {
        let storage = SimStorage::from_contents(vec![0; 8]);
        storage.set_fault(Fault::once(1, Failure::Short).of(CallKind::Write));
        storage.write_at(b"1", 0).unwrap();
        storage.sync().unwrap();
        let error = storage.write_at(b"2345", 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(storage.contents(), b"123\0\0\0\0\0");
        storage.write_at(b"6", 0).unwrap();
        assert_eq!(storage.failed(), 1);

        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
        assert!(storage.read_at(&mut [0], 0).is_err() && storage.sync().is_err());
        storage.clear_fault();
        assert!(storage.sync().is_ok());
    }
}

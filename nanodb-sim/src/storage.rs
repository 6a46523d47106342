//! A file in memory that records what is done to it and fails when told to.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanodb_pager::Storage;

use crate::fault::{CallKind, Failure, Fault};
use crate::journal::Event;

/// A handle to a simulated file.
///
/// Clones are further handles to the same bytes, as if the file were opened again:
/// the lock belongs to one handle and goes with it, the bytes stay.
#[derive(Default)]
pub struct SimStorage {
    disk: Arc<Disk>,
    holds_lock: AtomicBool,
}

#[derive(Default)]
struct Disk {
    state: Mutex<State>,
    locked: AtomicBool,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    journal: Option<Vec<Event>>,
    fault: Option<Fault>,
    /// Whether the fault is still to come, or lasts.
    armed: bool,
    calls: u64,
    failed: u64,
}

impl SimStorage {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with these bytes.
    pub fn from_contents(bytes: Vec<u8>) -> Self {
        let storage = Self::new();
        storage.set_contents(bytes);
        storage
    }

    /// The file's bytes.
    pub fn contents(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// Replaces the file's bytes behind the back of whoever has it open.
    pub fn set_contents(&self, bytes: Vec<u8>) {
        self.state().bytes = bytes;
    }

    /// Begins to record, forgetting what was recorded before.
    pub fn start_journal(&self) {
        self.state().journal = Some(Vec::new());
    }

    /// What was done since [`start_journal`](Self::start_journal); ends recording.
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

    /// From now on everything works.
    pub fn clear_fault(&self) {
        let mut state = self.state();
        state.fault = None;
        state.armed = false;
    }

    /// How many calls have failed since the fault was set.
    pub fn failed(&self) -> u64 {
        self.state().failed
    }

    /// How many calls were made in the file's life, failed ones included, locks not.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere says so itself; the bytes are still whole.
        self.disk.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for SimStorage {
    fn clone(&self) -> Self {
        Self { disk: Arc::clone(&self.disk), holds_lock: AtomicBool::new(false) }
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

impl fmt::Debug for SimStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the bytes: a failed assertion would bury itself in them.
        let state = self.state();
        f.debug_struct("SimStorage")
            .field("len", &state.bytes.len())
            .field("calls", &state.calls)
            .field("failed", &state.failed)
            .finish_non_exhaustive()
    }
}

impl State {
    fn call(&mut self, kind: CallKind) -> Result<(), Failure> {
        self.calls += 1;
        let armed = &mut self.armed;
        match self.fault.as_mut().and_then(|fault| fault.strike(kind, armed)) {
            Some(failure) => {
                self.failed += 1;
                Err(failure)
            }
            None => Ok(()),
        }
    }

    fn perform(&mut self, event: Event) {
        event.apply(&mut self.bytes);
        if let Some(journal) = &mut self.journal {
            journal.push(event);
        }
    }
}

impl Storage for SimStorage {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.call(CallKind::Len).map_err(Failure::error)?;
        Ok(state.bytes.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call(CallKind::SetLen).map_err(Failure::error)?;
        state.perform(Event::SetLen { len });
        Ok(())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call(CallKind::Read).map_err(Failure::error)?;
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let there = state.bytes.get(start..).and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        match state.call(CallKind::Write) {
            Ok(()) => state.perform(Event::Write { offset, data: buf.to_vec() }),
            Err(failure) => {
                if failure == Failure::Short {
                    state.perform(Event::Write { offset, data: buf[..buf.len() / 2].to_vec() });
                }
                return Err(failure.error());
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call(CallKind::Sync).map_err(Failure::error)?;
        state.perform(Event::Sync);
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
        assert_eq!(second.contents(), b"\0\0abc");
    }

    #[test]
    fn the_journal_makes_the_same_bytes_again() {
        let storage = SimStorage::from_contents(b"old".to_vec());
        storage.start_journal();
        storage.write_at(b"new bytes", 1).unwrap();
        storage.sync().unwrap();
        storage.set_len(6).unwrap();
        let journal = storage.take_journal();
        assert_eq!(journal[1], Event::Sync);
        let mut bytes = b"old".to_vec();
        journal.iter().for_each(|event| event.apply(&mut bytes));
        assert_eq!(bytes, storage.contents());
        assert_eq!(bytes, b"onew b");
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

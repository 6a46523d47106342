//! Who may have a file open at the same time: one writer alone, or any number of readers.
//!
//! The operating system keeps the lock, and gives it up when a process ends however it ends. All
//! that is decided about it is decided here: how a file is locked, how long somebody waits for it,
//! and who is named when it can't be had.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

use super::Storage;
use crate::error::{Error, Result};

/// What a file is opened for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Reading alone, beside others that do the same.
    Read,
    /// Writing too, alone.
    Write,
}

/// A process that has a file open, and so keeps others from opening it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LockHolder {
    /// The process's number.
    pub process_id: u32,
    /// The name of its program, where the system tells.
    pub program: Option<String>,
}

/// The processes that are known to have a file open; none where the system does not tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LockHolders(pub Vec<LockHolder>);

impl LockHolder {
    /// Returns the running process.
    #[must_use]
    pub fn current() -> Self {
        let process_id = std::process::id();
        Self { process_id, program: program_of(process_id) }
    }

    fn is_current(&self) -> bool {
        self.process_id == std::process::id()
    }
}

impl LockHolders {
    /// Returns the running process alone.
    #[must_use]
    pub fn current() -> Self {
        Self(vec![LockHolder::current()])
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_current() { "this process, " } else { "process " })?;
        write!(f, "{}", self.process_id)?;
        match &self.program {
            Some(program) => write!(f, " ({program})"),
            None => Ok(()),
        }
    }
}

/// The most holders that a message names; a hundred readers would hide what to do about them.
const NAMED_MAX: usize = 4;

impl fmt::Display for LockHolders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, holder) in self.0.iter().take(NAMED_MAX).enumerate() {
            write!(f, "{}{holder}", if at == 0 { "" } else { ", " })?;
        }
        match self.0.len().checked_sub(NAMED_MAX) {
            Some(more @ 1..) => write!(f, " and {more} more"),
            _ if self.0.is_empty() => f.write_str("another process"),
            _ => Ok(()),
        }
    }
}

/// How long somebody is prepared to wait for a file, and how long the next pause is.
///
/// The system tells nobody that a file has become free in a way that can be given up in time, so it
/// is asked again and again: soon at first, then ten times a second.
#[derive(Debug)]
pub struct LockWait {
    /// None if it never comes.
    until: Option<Instant>,
    pause: Duration,
}

const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(100);

impl LockWait {
    /// Returns a wait of `timeout` that begins now.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { until: Instant::now().checked_add(timeout), pause: PAUSE_MIN }
    }

    /// Returns when it is over; none if never.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Sleeps for a moment; false, and at once, when the time is over.
    #[must_use]
    pub fn pause(&mut self) -> bool {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return false;
        }
        std::thread::sleep(left.map_or(self.pause, |left| self.pause.min(left)));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

/// Claims a file, waiting as long as that.
pub(crate) fn acquire(storage: &dyn Storage, access: Access, timeout: Duration) -> Result<()> {
    let failed = |e| Error::io("locking the file", e);
    let mut wait = LockWait::new(timeout);
    loop {
        let acquired = match access {
            Access::Read => storage.lock_shared(),
            Access::Write => storage.lock(),
        };
        if acquired.map_err(failed)? {
            return Ok(());
        }
        if !wait.pause() {
            return Err(Error::Locked { holders: storage.lock_holders() });
        }
    }
}

/// Locks a file of the operating system; false if somebody else's lock excludes that.
pub(super) fn try_acquire(file: &File, access: Access) -> io::Result<bool> {
    let acquired = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    match acquired {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some file systems have no locks at all; refusing to work on them
        // would help nobody.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Gives up the lock on a file of the operating system, if this handle has one.
pub(super) fn give_up(file: &File) -> io::Result<()> {
    match file.unlock() {
        // Nothing was locked there either.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        unlocked => unlocked,
    }
}

/// Who has a lock on a file of the operating system.
#[cfg(target_os = "linux")]
pub(super) fn holders(file: &File) -> LockHolders {
    linux::holders(file)
}

/// Who has a lock on a file of the operating system: nothing tells.
#[cfg(not(target_os = "linux"))]
pub(super) fn holders(_: &File) -> LockHolders {
    LockHolders::default()
}

#[cfg(target_os = "linux")]
use linux::program_of;

#[cfg(not(target_os = "linux"))]
fn program_of(_: u32) -> Option<String> {
    None
}

/// What Linux tells, all of it text of the kernel's that is believed for messages only.
#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File, Metadata};
    use std::os::unix::fs::MetadataExt;

    use super::{LockHolder, LockHolders};

    pub(super) fn holders(file: &File) -> LockHolders {
        let (Ok(metadata), Ok(locks)) = (file.metadata(), fs::read_to_string("/proc/locks")) else {
            return LockHolders::default();
        };
        let mut process_ids: Vec<u32> =
            locks.lines().filter_map(|line| holder(line, &metadata)).collect();
        process_ids.sort_unstable();
        process_ids.dedup();
        let named = |process_id| LockHolder { process_id, program: program_of(process_id) };
        LockHolders(process_ids.into_iter().map(named).collect())
    }

    /// The process that a line of `/proc/locks` names, if it is about this file:
    /// `1: FLOCK  ADVISORY  WRITE 16697 fe:00:10010769 0 EOF`.
    fn holder(line: &str, metadata: &Metadata) -> Option<u32> {
        let mut fields = line.split_whitespace().skip(1);
        // Who only waits for a lock has an arrow here.
        if fields.next()? != "FLOCK" {
            return None;
        }
        let process_id = fields.nth(2)?.parse().ok().filter(|&process_id| process_id != 0)?;
        let mut file = fields.next()?.split(':');
        let mut hex = || u64::from_str_radix(file.next()?, 16).ok();
        let device = (hex()?, hex()?);
        let inode: u64 = file.next()?.parse().ok()?;
        if inode != metadata.ino() {
            return None;
        }
        // Some file systems (btrfs, overlays) tell programs another device than they tell the
        // kernel.
        let is_same = device == parts(metadata.dev()) || has_open(process_id, metadata);
        is_same.then_some(process_id)
    }

    /// A device's major and minor number.
    fn parts(device: u64) -> (u64, u64) {
        let major = (device >> 8) & 0xfff | (device >> 32) & !0xfff;
        let minor = device & 0xff | (device >> 12) & !0xff;
        (major, minor)
    }

    /// Whether a process has this very file open, as far as we may know.
    fn has_open(process_id: u32, metadata: &Metadata) -> bool {
        let Ok(files) = fs::read_dir(format!("/proc/{process_id}/fd")) else { return false };
        let is_same = |file: Metadata| (file.dev(), file.ino()) == (metadata.dev(), metadata.ino());
        files.flatten().any(|file| fs::metadata(file.path()).is_ok_and(is_same))
    }

    pub(super) fn program_of(process_id: u32) -> Option<String> {
        // Whole, but only for programs of our own user; the other one is cut to 15 bytes.
        let executable = fs::read_link(format!("/proc/{process_id}/exe")).ok();
        let executable = executable.as_deref().and_then(|path| path.file_name());
        let program = match executable {
            Some(name) => name.to_string_lossy().into_owned(),
            None => fs::read_to_string(format!("/proc/{process_id}/comm")).ok()?,
        };
        // It is printed: a program may be called anything.
        let printable: String = program.trim_end().chars().filter(|c| !c.is_control()).collect();
        (!printable.is_empty()).then_some(printable)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_about_another_file_or_of_one_who_waits_names_nobody() {
            let file = tempfile::NamedTempFile::new().unwrap();
            let metadata = file.as_file().metadata().unwrap();
            let (major, minor) = parts(metadata.dev());
            let inode = metadata.ino();
            let line = |kind: &str, process_id: u32, inode: u64| {
                format!(
                    "7: {kind}  ADVISORY  WRITE {process_id} {major:02x}:{minor:02x}:{inode} 0 EOF"
                )
            };
            assert_eq!(holder(&line("FLOCK", 16697, inode), &metadata), Some(16697));
            assert_eq!(holder(&line("FLOCK", 16697, inode + 1), &metadata), None);
            assert_eq!(holder(&line("-> FLOCK", 16697, inode), &metadata), None);
            assert_eq!(holder(&line("POSIX", 16697, inode), &metadata), None);
            // Of a process that we can't see.
            assert_eq!(holder(&line("FLOCK", 0, inode), &metadata), None);
            for nonsense in
                ["", "1:", "1: FLOCK ADVISORY WRITE x y", "1: FLOCK ADVISORY READ 5 1:2"]
            {
                assert_eq!(holder(nonsense, &metadata), None);
            }
        }

        #[test]
        fn a_process_is_known_by_its_file_where_the_device_is_told_differently() {
            let file = tempfile::NamedTempFile::new().unwrap();
            let metadata = file.as_file().metadata().unwrap();
            let line = |process_id: u32| {
                format!("7: FLOCK  ADVISORY  WRITE {process_id} fff:fff:{} 0 EOF", metadata.ino())
            };
            assert_eq!(holder(&line(std::process::id()), &metadata), Some(std::process::id()));
            drop(file);
            let other = tempfile::NamedTempFile::new().unwrap().as_file().metadata().unwrap();
            assert_eq!(holder(&line(std::process::id()), &other), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::storage::FileStorage;

    #[test]
    fn a_writer_has_a_file_alone_and_readers_share_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let open = || FileStorage::open(&path).unwrap();
        let read = || FileStorage::open_read_only(&path).unwrap();
        let writer = open();
        assert!(writer.lock().unwrap());
        assert!(!open().lock().unwrap() && !read().lock_shared().unwrap());
        drop(writer);
        let readers = [read(), read()];
        assert!(readers.iter().all(|reader| reader.lock_shared().unwrap()));
        assert!(!open().lock().unwrap());
        let [first, second] = readers;
        drop(first);
        assert!(!open().lock().unwrap());
        drop(second);
        assert!(open().lock().unwrap());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn who_has_a_file_is_named_as_this_process_and_by_its_program() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let writer = FileStorage::open(&path).unwrap();
        assert!(writer.lock().unwrap());
        let other = FileStorage::open(&path).unwrap();
        let error = acquire(&other, Access::Write, Duration::ZERO).unwrap_err();
        let Error::Locked { holders } = &error else { panic!("{error}") };
        assert_eq!(holders, &LockHolders::current());
        let text = error.to_string();
        assert!(text.contains(&format!("this process, {}", std::process::id())), "{text}");
        let program = std::env::current_exe().unwrap();
        assert!(text.contains(program.file_name().unwrap().to_str().unwrap()), "{text}");
    }

    #[test]
    fn who_waits_gets_the_file_when_it_is_let_go_of() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a file");
        let writer = FileStorage::open(&path).unwrap();
        assert!(writer.lock().unwrap());
        let (waiting, waits) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let acquired = scope.spawn(|| {
                let reader = FileStorage::open_read_only(&path).unwrap();
                assert!(!reader.lock_shared().unwrap());
                waiting.send(()).unwrap();
                acquire(&reader, Access::Read, Duration::MAX)
            });
            waits.recv().unwrap();
            drop(writer);
            acquired.join().unwrap().unwrap();
        });
    }

    #[test]
    fn holders_are_listed_and_many_are_counted() {
        let named = |process_id, program: Option<&str>| LockHolder {
            process_id,
            program: program.map(str::to_owned),
        };
        // No system has such processes.
        let holder = |n: u32| named(u32::MAX - n, None);
        let two = LockHolders(vec![named(u32::MAX, Some("nanodb")), holder(1)]);
        assert_eq!(two.to_string(), "process 4294967295 (nanodb), process 4294967294");
        assert_eq!(LockHolders::default().to_string(), "another process");
        let many = LockHolders((0..9).map(holder).collect()).to_string();
        assert!(many.ends_with("process 4294967292 and 5 more"), "{many}");
    }

    #[test]
    fn no_time_is_no_pause_and_time_without_end_does_not_end() {
        assert!(!LockWait::new(Duration::ZERO).pause());
        let mut wait = LockWait::new(Duration::MAX);
        assert!(wait.until().is_none() && wait.pause() && wait.pause());
    }
}

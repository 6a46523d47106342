//! Which process this is: a fork uses nothing that its parent has opened.
//!
//! `fork` copies all handles, and none of the threads: a lock that another thread held at that
//! moment is held for ever. So a child looks into nothing that it has inherited, and does not even
//! drop it; what the library has one of, it has anew. The engine looks after the file itself.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// How many times this process and its forebears were forked.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Returns the number of this process, which no forebear had.
#[inline]
pub(crate) fn generation() -> u64 {
    // A child has one thread, which has counted.
    GENERATION.load(Ordering::Relaxed)
}

/// Has forks counted from now on.
#[cfg(unix)]
fn watch() {
    extern "C" fn after_fork_in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    if !IS_WATCHED.swap(true, Ordering::Relaxed) {
        // SAFETY: the function does what one may in a child: it takes no lock and no memory.
        let _failed = unsafe { libc::pthread_atfork(None, None, Some(after_fork_in_child)) };
        // It fails for want of memory. Then the engine alone refuses what would harm a file.
    }
}

#[cfg(not(unix))]
fn watch() {}

/// Something that a process has one of, made when it is asked for first; a fork has its own.
pub(crate) struct PerFork<T: 'static>(AtomicPtr<OfFork<T>>);

struct OfFork<T: 'static> {
    generation: u64,
    value: T,
    /// That of the process before the fork. Nobody looks into it.
    inherited: Option<&'static OfFork<T>>,
}

impl<T: Send + Sync> PerFork<T> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Returns that of this process. Takes no lock.
    #[inline]
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &'static T {
        &self.of(generation(), make).value
    }

    /// Whether the process that this one was forked from had one.
    pub(crate) fn is_inherited(&self) -> bool {
        self.newest().is_some_and(|of| of.generation != generation() || of.inherited.is_some())
    }

    #[inline]
    fn of(&self, generation: u64, make: impl FnOnce() -> T) -> &'static OfFork<T> {
        match self.newest() {
            Some(own) if own.generation == generation => own,
            inherited => self.make(generation, inherited, make()),
        }
    }

    #[inline]
    fn newest(&self) -> Option<&'static OfFork<T>> {
        // SAFETY: it is null, or `make` has made it of a box, which is never freed.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    #[cold]
    fn make(
        &self,
        generation: u64,
        inherited: Option<&'static OfFork<T>>,
        value: T,
    ) -> &'static OfFork<T> {
        watch();
        let before = inherited.map_or(ptr::null_mut(), |of| ptr::from_ref(of).cast_mut());
        let own = Box::into_raw(Box::new(OfFork { generation, value, inherited }));
        let first = match self.0.compare_exchange(before, own, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => own,
            Err(first) => {
                // SAFETY: it was made of a box just now, and nobody else has seen it.
                drop(unsafe { Box::from_raw(own) });
                first
            }
        };
        // SAFETY: it is the one just made, or another thread's, made in the same way.
        unsafe { &*first }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_fork_has_one_of_its_own_and_all_threads_the_same() {
        let names = PerFork::<Mutex<Vec<u64>>>::new();
        assert!(!names.is_inherited());
        for generation in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        names.of(generation, Mutex::default).value.lock().unwrap().push(generation);
                    });
                }
            });
            assert_eq!(
                *names.of(generation, Mutex::default).value.lock().unwrap(),
                [generation; 4]
            );
            assert_eq!(names.is_inherited(), generation > 0);
        }
    }
}

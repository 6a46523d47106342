//! Atomics of which loom tries every order of accesses.
//!
//! loom decides by the last access to an atomic which orders are worth trying, and takes two
//! loads for independent. Where a writer looks at a word before it stores to it, that makes it
//! forget an earlier load by a reader, and so miss the order in which the store comes before
//! it. Here each access first changes a counter beside the atomic, which makes any two of
//! them dependent. Relaxed, that orders nothing in the program under test.

use loom::sync::atomic::{self, Ordering};

macro_rules! atomics {
    ($($name:ident, $value:ty;)*) => {$(
        /// Like the standard library's.
        #[derive(Debug, Default)]
        pub struct $name {
            value: atomic::$name,
            accesses: atomic::AtomicUsize,
        }

        impl $name {
            /// Returns an atomic with a first value.
            pub fn new(value: $value) -> Self {
                Self { value: atomic::$name::new(value), accesses: atomic::AtomicUsize::new(0) }
            }

            fn accessed(&self) -> &atomic::$name {
                self.accesses.fetch_add(1, Ordering::Relaxed);
                &self.value
            }

            /// Returns the value, or one that it had and that may still be seen.
            pub fn load(&self, order: Ordering) -> $value {
                self.accessed().load(order)
            }

            /// Sets the value.
            pub fn store(&self, value: $value, order: Ordering) {
                self.accessed().store(value, order);
            }

            /// Sets the value and returns the one before.
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.accessed().swap(value, order)
            }

            /// Sets the value if it is `current`; returns what it was.
            ///
            /// # Errors
            ///
            /// What the value is, if it is another.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.accessed().compare_exchange(current, new, success, failure)
            }
        }
    )*};
}

macro_rules! numbers {
    ($($name:ident, $value:ty;)*) => {$(
        impl $name {
            /// Adds to the value and returns the one before.
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.accessed().fetch_add(value, order)
            }

            /// Subtracts from the value and returns the one before.
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.accessed().fetch_sub(value, order)
            }

            /// Sets the bits of `value` and returns what was before.
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.accessed().fetch_or(value, order)
            }

            /// Takes out all but the bits of `value` and returns what was before.
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.accessed().fetch_and(value, order)
            }

            /// Raises the value to `value` if it is lower; returns the one before.
            pub fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                self.accessed().fetch_max(value, order)
            }
        }
    )*};
}

atomics! {
    AtomicBool, bool;
    AtomicU32, u32;
    AtomicU64, u64;
    AtomicUsize, usize;
}

numbers! {
    AtomicU32, u32;
    AtomicU64, u64;
    AtomicUsize, usize;
}

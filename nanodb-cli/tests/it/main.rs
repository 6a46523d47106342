//! The built program, run on files.

#![expect(clippy::unwrap_used, reason = "a test says so by panicking")]

mod changing;
mod data;
mod demo;
mod failures;
mod formats;
mod go_files;
mod guide;
mod importing;
mod locking;
mod querying;
mod reading;
mod support;
#[cfg(target_os = "linux")]
mod terminal;

#[cfg(not(target_os = "linux"))]
#[test]
#[ignore = "pseudo-terminals are made on Linux only"]
fn what_a_terminal_shows() {}

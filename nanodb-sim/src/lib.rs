//! The test harness: storage that fails on purpose, and the shared model.

//! What is left of a file whose opening has failed.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nanodb_pager::{Access, FileStorage, LockWait};

use super::OpenFiles;
use crate::error::{EngineError, Result};

#[test]
fn opening_that_fails_or_panics_leaves_the_file_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    static FILES: OpenFiles<u8> = OpenFiles::new();
    let file = || Ok(FileStorage::open(&path).unwrap());
    let wait = || LockWait::new(Duration::ZERO);
    let failing = |_, _| Err(EngineError::TransactionOver);
    let failed = FILES.open(Access::Write, wait(), file, failing, |_| unreachable!());
    assert!(matches!(failed, Err(EngineError::TransactionOver)));
    let panics = |_, _| -> Result<Arc<u8>> { panic!("planned") };
    let panicking = thread::scope(|scope| {
        scope.spawn(|| FILES.open(Access::Write, wait(), file, panics, |_| unreachable!())).join()
    });
    assert!(panicking.is_err());
    let opened =
        FILES.open(Access::Write, wait(), file, |_, _| Ok(Arc::new(7)), |_| unreachable!());
    assert_eq!(*opened.unwrap(), 7);
}

//! A write from a destructor that runs while its thread ends.

use std::cell::RefCell;
use std::process::Command;

use nanodb_database::{Database, doc};
use serde::Serialize;

/// Set in the process of its own that a test runs in.
const CHILD: &str = "NANODB_TEST_THREAD_END";

#[derive(Serialize)]
struct Item {
    n: i64,
}

struct WritesWhenDropped(Database);

impl Drop for WritesWhenDropped {
    fn drop(&mut self) {
        self.0.collection("a").insert(doc! { "_id": "at the end of a thread" }).unwrap();
        self.0.typed::<Item>("a").insert(&Item { n: 1 }).unwrap();
    }
}

thread_local! {
    static LATE: RefCell<Option<WritesWhenDropped>> = const { RefCell::new(None) };
}

/// A panic in a destructor of a thread's local aborts the process.
#[test]
fn a_write_while_a_thread_ends_is_no_panic() {
    if std::env::var_os(CHILD).is_none() {
        let test = "thread_end::a_write_while_a_thread_ends_is_no_panic";
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        return;
    }
    let db = Database::in_memory().unwrap();
    let inner = db.clone();
    let writes = move || {
        // Made first, and so dropped after the locals that the insert makes.
        LATE.with(|late| *late.borrow_mut() = Some(WritesWhenDropped(inner.clone())));
        inner.collection("a").insert(doc! { "_id": 1 }).unwrap();
        inner.typed::<Item>("a").insert(&Item { n: 1 }).unwrap();
    };
    std::thread::spawn(writes).join().unwrap();
    assert_eq!(db.collection("a").count().unwrap(), 4);
}

//! Four threads write and read at once.
//!
//! `cargo run -p nanodb --example threads`

use std::thread;

use nanodb::{Database, Result, doc};

fn main() -> Result<()> {
    let db = Database::in_memory()?;

    // Handles are cheap to clone and go to any thread. Each thread has a collection of its
    // own here, and one that all of them write.
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (own, shared) = (db.collection(&format!("worker-{worker}")), db.collection("all"));
            thread::spawn(move || -> Result<u64> {
                for number in 0..500 {
                    let id = own.insert(doc! { "number": number })?;
                    shared.insert(doc! { "worker": worker, "id": id })?;
                }
                own.count()
            })
        })
        .collect();

    for worker in workers {
        match worker.join() {
            Ok(written) => println!("a worker wrote {} documents", written?),
            Err(_) => println!("a worker panicked"),
        }
    }
    println!("all wrote {} together", db.collection("all").count()?);
    assert_eq!(db.collection("all").count()?, 2000);
    Ok(())
}

//! A queue of jobs that survives the process being killed.
//!
//! Each state has a collection of its own, so that taking a job never looks at finished ones. A job
//! moves from one to the next in a transaction: it is in one of them at any moment, also after a
//! crash.
//!
//! `cargo run -p nanodb --example job_queue`

use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use nanodb::{Database, Document, Result, Timestamp, Update, doc};

fn main() -> Result<()> {
    let path = std::env::temp_dir().join("job-queue.nanodb");
    let done = run(&path, 500, 4)?;
    println!("{done} jobs are done since the file was made: {}", path.display());
    Ok(())
}

/// Adds so many jobs and has so many workers do them; returns how many are done in all.
pub(crate) fn run(path: &Path, jobs: i64, workers: usize) -> Result<u64> {
    let db = Database::open(path)?;
    let given_back = give_back(&db)?;
    if given_back > 0 {
        println!("{given_back} jobs were being done when the process ended");
    }
    let added = (0..jobs).map(|number| doc! { "square": number, "added": Timestamp::now() });
    db.collection("waiting").insert_many(added)?;

    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&db))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|p| resume_unwind(p)))
    })?;
    let done = db.collection("done").count()?;
    db.close()?;
    Ok(done)
}

/// Does jobs until none is left.
fn work(db: &Database) -> Result<()> {
    while let Some(job) = take(db)? {
        let number = job.get_i64("square")?;
        match number.checked_mul(number) {
            Some(square) => finish(db, &job, "done", doc! { "result": square })?,
            None => finish(db, &job, "failed", doc! { "reason": "too large" })?,
        }
    }
    Ok(())
}

/// Moves the job that has waited longest to `running`, and returns it.
fn take(db: &Database) -> Result<Option<Document>> {
    db.write(|tx| {
        let Some(job) = tx.collection("waiting").find_one_and_delete(doc! {}).run()? else {
            return Ok(None);
        };
        let job = job.to_document()?;
        tx.collection("running").insert(&job)?;
        Ok(Some(job))
    })
}

/// Moves a job that is running to where it ends, with what came of it.
fn finish(db: &Database, job: &Document, state: &str, outcome: Document) -> Result<()> {
    let mut ended = job.clone();
    ended.extend(outcome);
    ended.insert("ended", Timestamp::now());
    db.write(|tx| {
        if let Some(id) = job.id() {
            tx.collection("running").delete(id)?;
        }
        tx.collection(state).insert(&ended)?;
        Ok(())
    })
}

/// Puts jobs back that were running when the process ended; returns how many.
fn give_back(db: &Database) -> Result<u64> {
    db.write(|tx| {
        let running = tx.collection("running");
        running.update_many(doc! {}, Update::new().inc("attempts", 1))?;
        for job in running.find(doc! {}).run()? {
            tx.collection("waiting").insert(&*job?)?;
        }
        running.delete_many(doc! {})
    })
}

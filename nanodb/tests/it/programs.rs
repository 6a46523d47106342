//! The examples that are whole programs, in a short form.

#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/job_queue.rs"]
mod job_queue;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/log_analytics.rs"]
mod log_analytics;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/notes.rs"]
mod notes;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/service.rs"]
mod service;

use nanodb::{Database, doc};

#[test]
fn a_queue_does_every_job_once_and_gives_back_what_a_killed_worker_had() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jobs.nanodb");
    assert_eq!(job_queue::run(&path, 40, 3).unwrap(), 40);

    // As if the process had been killed while a worker had this job.
    let db = Database::open(&path).unwrap();
    db.collection("running").insert(doc! { "_id": 1_000, "square": 9 }).unwrap();
    db.close().unwrap();
    assert_eq!(job_queue::run(&path, 10, 2).unwrap(), 51);

    let db = Database::open(&path).unwrap();
    for state in ["waiting", "running", "failed"] {
        assert_eq!(db.collection(state).count().unwrap(), 0, "{state}");
    }
    let done = db.collection("done").get(1_000).unwrap().unwrap();
    assert_eq!(done.get_i64("result").unwrap(), 81);
    assert_eq!(done.get_i64("attempts").unwrap(), 1);
    assert_eq!(db.collection("done").distinct("square", doc! {}).unwrap().len(), 40);
}

#[test]
fn notes_are_found_tagged_and_paged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.nanodb");
    let found = [
        "13 notes",
        "Shopping: Oat milk, 100% organic [\"home\", \"errands\"]",
        "tags: errands, even, home, odd",
        "newest: Some(\"Shopping\")",
    ];
    assert_eq!(notes::run(&path, 12).unwrap(), found);
    assert_eq!(notes::run(&path, 12).unwrap(), found);
}

#[test]
fn a_service_loses_no_money_and_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accounts.nanodb");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let told = runtime.block_on(service::run(&path, 5, 40)).unwrap();
    assert!(told.ends_with("500 in all accounts"), "{told}");
}

#[test]
fn a_log_is_counted_ranked_and_grouped() {
    let told = log_analytics::run(3_000).unwrap();
    assert!(told[0].ends_with(" of 3000 failed"), "{told:?}");
    assert_eq!(told[1], "3000 on the first day");
    let slow = told.iter().filter(|line| line.starts_with("slow: ")).count();
    assert_eq!(slow, 3);
    let levels: u64 = told
        .iter()
        .filter_map(|line| line.strip_prefix("level ")?.split_once(": ")?.1.parse::<u64>().ok())
        .sum();
    assert_eq!(levels, 3_000);
}

//! Queries and updates at random on a collection of 1,000 documents: each is answered or refused,
//! soon and in little memory, and leaves the database in order.

use std::process::Command;
use std::time::{Duration, Instant};

use nanodb::{Collection, Database, ErrorKind, Filter, Sort, Transaction, Update};
use nanodb_query::bytes::{FilterBytes, UpdateBytes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

#[path = "../../../nanodb-query/tests/it/generate.rs"]
#[allow(dead_code, unreachable_pub)]
mod generate;

use generate::msgpack;

const DOCUMENTS: usize = 1_000;

/// Far more than any should take; a hang is what this is to find.
const EACH_MAX: Duration = Duration::from_secs(10);

/// The most memory that all of it takes at any time, the database and the tests' own included.
const MEMORY_BYTES_MAX: u64 = 512 << 20;

/// Set for the process that a test has all of its memory to itself in.
const ALONE: &str = "NANODB_QUERIES_ALONE";

/// Does the work in a process of its own, and sees what memory that took at its most, where the
/// system says so.
fn in_bounded_memory(test: &str, work: impl FnOnce()) {
    if std::env::var_os(ALONE).is_none() {
        let name = format!("queries::{test}");
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(ALONE, "1");
        let done = child.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        assert!(said.contains("1 passed"), "{said}");
        print!("{said}");
        return;
    }
    work();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let Some(peak) = peak.and_then(|peak| peak.trim().strip_suffix(" kB")) else { return };
    println!("at most {peak} KiB of memory");
    assert!(peak.parse::<u64>().unwrap() << 10 < MEMORY_BYTES_MAX, "{peak} KiB");
}

struct Random(TestRunner);

impl Random {
    /// From the seed in `NANODB_SEED`, which a failure prints.
    fn new() -> Self {
        let seed = std::env::var("NANODB_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or(1);
        println!("NANODB_SEED={seed}");
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self(TestRunner::new_with_rng(ProptestConfig::default(), rng))
    }

    fn draw<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.0).unwrap().current()
    }
}

fn fill(collection: &Collection, random: &mut Random) {
    let documents = generate::document();
    while collection.count().unwrap() < DOCUMENTS as u64 {
        // Some hold what is no timestamp, and are refused.
        let _ = collection.insert(random.draw(&documents));
    }
}

/// Changes documents within a transaction; an error must be one of the request.
fn change(tx: &Transaction, filter: &Filter, update: &Update) {
    let all = tx.collection("all");
    for done in [all.update_many(filter, update), all.upsert(filter, update)] {
        match done {
            Ok(done) => assert!(done.modified <= done.matched),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{error}"),
        }
    }
}

#[test]
fn queries_and_updates_at_random_are_answered_or_refused_and_soon() {
    in_bounded_memory("queries_and_updates_at_random_are_answered_or_refused_and_soon", at_random);
}

fn at_random() {
    let count = if std::env::var_os("NANODB_TEST_LONG").is_some() { 100_000 } else { 2_000 };
    let mut random = Random::new();
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    fill(&all, &mut random);
    let (filters, updates, paths) = (generate::filter(), generate::update(), generate::path());
    let mut slowest = Duration::ZERO;
    for number in 0..count {
        let filter = random.draw(&filters);
        let (path, update) = (random.draw(&paths), random.draw(&updates));
        let start = Instant::now();
        let parsed = Filter::parse(&msgpack(&filter)).unwrap();
        let found = all.find(&parsed).sort(Sort::descending(&path)).limit(5).run().unwrap();
        let found = found.collect::<Result<Vec<_>, _>>().unwrap().len() as u64;
        if number % 4 == 0 {
            assert_eq!(all.count_documents(&parsed).unwrap().min(5), found, "{filter}");
            all.distinct(&path, &parsed).unwrap();
        }
        // Updates of all that pass are dear: one in eight.
        if let (0, Ok(update)) = (number % 8, Update::parse(&msgpack(&update))) {
            let tx = db.begin_write();
            change(&tx, &parsed, &update);
            tx.rollback();
        }
        let taken = start.elapsed();
        slowest = slowest.max(taken);
        assert!(taken < EACH_MAX, "{taken:?}: {filter}, {update}");
    }
    println!(
        "{count} filters, as many sorts and an eighth of updates: {slowest:?} for the slowest"
    );
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.documents, DOCUMENTS as u64);
}

#[test]
fn deep_and_wide_queries_are_answered_or_refused_and_soon() {
    in_bounded_memory("deep_and_wide_queries_are_answered_or_refused_and_soon", deep_and_wide);
}

fn deep_and_wide() {
    let mut random = Random::new();
    let db = Database::in_memory().unwrap();
    let all = db.collection("all");
    fill(&all, &mut random);
    let nested = |open: &str, core: &str, close: &str, depth: usize| {
        format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
    };
    let list = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let fields =
        |count: usize| (0..count).map(|n| format!(r#""f{n}": {n}"#)).collect::<Vec<_>>().join(", ");
    let filters = [
        nested(r#"{"$or": ["#, r#"{"a": 1}"#, "]}", 45),
        nested(r#"{"$nor": ["#, r#"{"a": 1}, {"b": 2}"#, "]}", 45),
        nested(r#"{"a": {"$elemMatch": "#, r#"{"b": 1}"#, "}}", 45),
        format!(r#"{{"a": {{"$in": [{}]}}}}"#, list(9_000)),
        format!(r#"{{"_id": {{"$in": [{}]}}}}"#, list(9_000)),
        format!("{{{}}}", fields(5_000)),
        format!(r#"{{"{}": 1}}"#, vec!["a"; 100].join(".")),
        format!(r#"{{"{}": {{"$exists": true}}}}"#, ["0"; 10].join(".")),
    ];
    for text in &filters {
        let start = Instant::now();
        let filter = Filter::parse_json(text).unwrap();
        let found: Result<Vec<_>, _> = all.find(&filter).run().unwrap().collect();
        assert_eq!(all.count_documents(&filter).unwrap(), found.unwrap().len() as u64);
        assert!(start.elapsed() < EACH_MAX, "{:?}: {text}", start.elapsed());
    }
    let updates = [
        format!(r#"{{"$set": {{{}}}}}"#, fields(500)),
        format!(r#"{{"$set": {{"x.{}": 1}}}}"#, vec!["a"; 98].join(".")),
        format!(r#"{{"$push": {{"x": {{"$each": [{}], "$sort": -1}}}}}}"#, list(500)),
        format!(r#"{{"$mergePatch": {}}}"#, nested(r#"{"x": "#, "1", "}", 90)),
    ];
    for text in &updates {
        let start = Instant::now();
        let tx = db.begin_write();
        change(&tx, &Filter::all(), &Update::parse_json(text).unwrap());
        tx.rollback();
        assert!(start.elapsed() < EACH_MAX, "{:?}: {text}", start.elapsed());
    }
    let too_deep = nested(r#"{"$or": ["#, r#"{"a": 1}"#, "]}", 100_000);
    assert!(Filter::parse_json(&too_deep).is_err());
    assert!(Update::parse_json(&format!(r#"{{"$set": {{"a": [{}]}}}}"#, list(20_000))).is_err());
}

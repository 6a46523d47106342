//! A process writes to a real file system, and the power goes: what it was told is durable is
//! there, and all of it is as of one commit.
//!
//! The process is this program, run again. It says on its standard output up to which commit all is
//! durable. In a third of the runs a sync fails before that and forgets what it should have saved,
//! and another process goes on with what it reads; in another third the power goes twice, the
//! second time soon after the file is opened again.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nanodb::{Database, Durability};
use nanodb_fuse::{Mounted, Plan, mount};
use nanodb_sim::{Crash, Event, Files, Random, Unsynced};

use crate::workload::{COMMITS, State, found, perform, states};

const PATH: &str = "NANODB_FUSE_PATH";
const SEED: &str = "NANODB_FUSE_SEED";
const DURABLE: &str = "NANODB_FUSE_DURABLE";

/// Says aloud if there can be none.
pub(crate) fn mounted(disk: io::Result<Mounted>) -> Option<Mounted> {
    disk.inspect_err(|error| eprintln!("SKIPPED, for there is no FUSE here: {error}")).ok()
}

/// Returns how many commits a database has; `None` if it is as of none of those allowed.
fn commits(states: &[State], found: &State, durable: u64) -> Option<u64> {
    (durable..=COMMITS).find(|&number| states[usize::try_from(number).unwrap()] == *found)
}

/// Does the child's part; does nothing when the tests run.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let number = |name| std::env::var(name).unwrap().parse().unwrap();
    let (seed, durable): (u64, u64) = (number(SEED), number(DURABLE));
    let states = states(seed);
    let relaxed = seed % 2 == 1;
    let level = if relaxed { Durability::Relaxed } else { Durability::Immediate };
    // Little memory and a small log, so that checkpoints come often.
    let options = Database::options().cache_bytes_max(1 << 18).log_bytes_max(1 << 16);
    let options = options.durability(level).relaxed_flush_interval(Duration::from_millis(5));
    let Ok(db) = options.open(path) else { return };
    let first = commits(&states, &found(&db), durable).expect("a state that was never committed");
    for number in first..COMMITS {
        let state = &states[usize::try_from(number).unwrap()];
        if perform(&db, seed, number, state).is_err() {
            return;
        }
        if relaxed && (number % 5 != 4 || db.sync().is_err()) {
            continue;
        }
        println!("durable {}", number + 1);
        if number % 16 == 15 && db.checkpoint().is_err() {
            return;
        }
    }
}

/// Runs the child to its end; returns up to which commit all is durable.
fn write(directory: &Path, seed: u64, durable: u64) -> u64 {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "power_cuts::child", "--nocapture", "--test-threads=1"])
        .env(PATH, directory.join("db"))
        .env(SEED, seed.to_string())
        .env(DURABLE, durable.to_string())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&child.stderr));
    let told = said.lines().filter_map(|line| line.split_once("durable ")?.1.parse().ok());
    told.max().unwrap_or(durable).max(durable)
}

fn crashed(before: &Files, journal: &[Event]) -> Crash {
    let mut crash = Crash::new(before);
    journal.iter().for_each(|event| crash.advance(event));
    crash
}

/// Opens what a power cut may have left.
fn check(files: &Files, states: &[State], durable: u64, what: &str) {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let db = match Database::options().background(false).open(directory.path().join("db")) {
        // Refused may be only a file that was just being made.
        Err(error) => return assert_eq!(durable, 0, "{what}: {error:?}"),
        Ok(db) => db,
    };
    let found = found(&db);
    let is_one = commits(states, &found, durable).is_some();
    assert!(is_one, "{what}: {} documents, {durable} commits are durable", found.len());
    let report = db.check().unwrap();
    // A copy of the header may be torn: the other one serves.
    let is_header = |problem: &nanodb::Problem| problem.page.is_some_and(|page| page < 2);
    assert!(report.problems.iter().all(is_header), "{what}: {report}");
}

/// Makes one run and returns how many disks were looked at; none if there is no FUSE.
fn run(seed: u64) -> Option<usize> {
    let states = states(seed);
    let mut random = Random::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut before = Files::new();
    let mut durable = 0;
    let cut_at = |random: &mut Random, calls| Some(random.below(calls) as u64);
    if seed % 3 == 2 {
        // The first of two power cuts.
        let plan = Plan { cut_at: cut_at(&mut random, 400), ..Plan::default() };
        let disk = mounted(mount(directory.path(), &before, plan))?;
        durable = write(directory.path(), seed, durable);
        let fate = Unsynced::Random(seed);
        let image = crashed(&before, &disk.journal()).image(fate);
        check(&image, &states, durable, &format!("seed {seed}, first cut"));
        before = image;
    }
    let disk = mounted(mount(directory.path(), &before, Plan::default()))?;
    if seed % 3 == 1 {
        disk.set_plan(Plan { forget_at: cut_at(&mut random, 300), ..Plan::default() });
        durable = write(directory.path(), seed, durable);
    }
    let calls = if seed % 3 == 2 { 60 } else { 400 };
    disk.set_plan(Plan { cut_at: cut_at(&mut random, calls), ..Plan::default() });
    durable = write(directory.path(), seed, durable);
    let crash = crashed(&before, &disk.journal());
    let chances = (0..3).map(|chance| Unsynced::Random(seed * 10 + chance));
    let fates: Vec<Unsynced> =
        [Unsynced::Lost, Unsynced::Kept].into_iter().chain(chances).collect();
    for &fate in &fates {
        check(&crash.image(fate), &states, durable, &format!("seed {seed}, {fate:?}"));
    }
    Some(fates.len())
}

#[test]
fn after_a_power_cut_a_real_file_system_has_what_was_durable() {
    let is_long = std::env::var_os("NANODB_TEST_LONG").is_some();
    let first: u64 = std::env::var("NANODB_SEED").map_or(0, |seed| seed.parse().unwrap());
    let runs = if is_long { 200 } else { 6 };
    let mut disks = 0;
    for seed in first..first + runs {
        match run(seed) {
            Some(more) => disks += more,
            None => return,
        }
    }
    println!("{runs} runs from seed {first} on, {disks} disks");
}

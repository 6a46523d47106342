//! That the file system is one, and loses what it should.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

use nanodb_fuse::{Plan, mount};
use nanodb_sim::{Crash, Files, Unsynced};

use crate::power_cuts::mounted;

#[test]
fn what_was_not_synced_is_lost_and_what_was_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let before = Files::from([("old".to_owned(), b"old bytes".to_vec())]);
    let Some(disk) = mounted(mount(directory.path(), &before, Plan::default())) else { return };
    let path = |name| directory.path().join(name);
    let mut made = File::create_new(path("made")).unwrap();
    made.write_all(b"saved").unwrap();
    made.sync_all().unwrap();
    File::open(directory.path()).unwrap().sync_all().unwrap();
    made.write_all(b", and lost").unwrap();
    fs::rename(path("old"), path("new")).unwrap();
    File::create_new(path("unnamed")).unwrap().write_all(b"gone").unwrap();
    fs::remove_file(path("unnamed")).unwrap();
    assert_eq!(fs::read(path("made")).unwrap(), b"saved, and lost");
    assert_eq!(fs::read(path("new")).unwrap(), b"old bytes");
    let mut names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(Result::unwrap).collect();
    names.sort_unstable_by_key(std::fs::DirEntry::file_name);
    assert_eq!(names.len(), 2);

    let mut crash = Crash::new(&before);
    disk.journal().iter().for_each(|event| crash.advance(event));
    let lost = crash.image(Unsynced::Lost);
    assert_eq!(lost["made"], b"saved");
    assert_eq!(lost["old"], b"old bytes");
    let kept = crash.image(Unsynced::Kept);
    assert_eq!(kept["made"], b"saved, and lost");
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["made", "new"]);
}

#[test]
fn a_sync_that_forgets_fails_once_and_nothing_saves_what_it_forgot() {
    let directory = tempfile::tempdir().unwrap();
    let before = Files::from([("a".to_owned(), vec![0; 4])]);
    let plan = Plan { forget_at: Some(0), ..Plan::default() };
    let Some(disk) = mounted(mount(directory.path(), &before, plan)) else { return };
    let file = OpenOptions::new().read(true).write(true).open(directory.path().join("a")).unwrap();
    file.write_all_at(b"1", 0).unwrap();
    assert!(file.sync_data().is_err());
    file.write_all_at(b"2", 1).unwrap();
    file.sync_data().unwrap();
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"12\0\0");
    let mut crash = Crash::new(&before);
    disk.journal().iter().for_each(|event| crash.advance(event));
    assert_eq!(crash.image(Unsynced::Kept)["a"], b"\x002\0\0");

    disk.set_plan(Plan { cut_at: Some(1), ..Plan::default() });
    file.write_all_at(b"3", 2).unwrap();
    assert!(!disk.is_cut());
    assert!(file.write_all_at(b"4", 3).is_err() && file.sync_data().is_err());
    assert!(disk.is_cut());
    assert_eq!(disk.calls(), 1);
}

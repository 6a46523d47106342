//! `get`, `export`, `collections`, `count`, `stats` and `check`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::support::Room;

#[test]
fn a_document_is_found_by_an_id_of_each_type() {
    let room = Room::new();
    room.import("{\"_id\":5}\n{\"_id\":\"5\"}\n{\"_id\":\"abc\"}\n{\"_id\":-5}\n{\"_id\":{\"$binary\":\"AQ==\"}}");
    let get = |arguments: &[&str]| room.run(&[&["get", "db", "c"], arguments].concat());
    assert_eq!(get(&["5"]).ok(), "{\"_id\":5}\n");
    assert_eq!(get(&["-5"]).ok(), "{\"_id\":-5}\n");
    assert_eq!(get(&["abc"]).ok(), "{\"_id\":\"abc\"}\n");
    assert_eq!(get(&["5", "--id-type", "string"]).ok(), "{\"_id\":\"5\"}\n");
    assert_eq!(get(&["05", "--id-type", "integer"]).ok(), "{\"_id\":5}\n");
    assert_eq!(
        get(&["AQ==", "--id-type", "binary"]).ok(),
        "{\"_id\":{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"00\"}}}\n"
    );
    assert_eq!(get(&["5", "--pretty"]).ok(), "{\n  \"_id\": 5\n}\n");

    assert!(get(&["6"]).fails(1).contains("no document with the id 6, an integer"));
    assert!(get(&["x"]).fails(1).contains("no document with the id \"x\""));
    assert!(get(&["x", "--id-type", "integer"]).fails(1).contains("not an integer"));
}

#[test]
fn collections_are_listed_and_counted() {
    let room = Room::new();
    room.pipe(&["import", "db", "users", "-"], b"{}{}{}").ok();
    room.pipe(&["import", "db", "a b", "-"], b"{}").ok();
    let list = room.run(&["collections", "db", "--json"]).json();
    assert_eq!(list, json!([{"name": "a b", "count": 1}, {"name": "users", "count": 3}]));
    let list = room.run(&["collections", "db"]).ok();
    let words: Vec<&str> = list.split_whitespace().collect();
    assert_eq!(words, ["a", "b", "1", "users", "3"]);
    let count = room.run(&["count", "db", "users", "--json"]).json();
    assert_eq!(count, json!({"collection": "users", "count": 3}));
}

#[test]
fn figures_and_checks_are_printed_for_people_and_for_programs() {
    let room = Room::new();
    room.import("{}{}");
    let stats = room.run(&["stats", "db", "--json"]).json();
    let size = std::fs::metadata(room.path("db")).unwrap().len();
    assert_eq!((&stats["file_bytes"], &stats["documents"]), (&size.into(), &2.into()));
    assert_eq!(stats["collections"][0]["name"], "c");
    assert!(room.run(&["stats", "db"]).ok().contains("documents"));

    let check = room.run(&["check", "db", "--json"]).json();
    assert_eq!((&check["clean"], &check["documents"]), (&true.into(), &2.into()));
    assert!(room.run(&["check", "db"]).ok().contains("no problems"));
}

#[test]
fn an_export_ends_quietly_when_nobody_reads_on() {
    let room = Room::new();
    room.import(&"{\"text\":\"0123456789012345678901234567890123456789\"}\n".repeat(20_000));
    let mut command = room.command(&["export", "db", "c"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"_id\":1,"), "{first}");
    // The reading end is closed now, with most of the export unread.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn reading_changes_nothing_in_the_file() {
    let room = Room::new();
    room.import("{}{}");
    let before = std::fs::read(room.path("db")).unwrap();
    for arguments in [
        ["get", "db", "c", "1"].as_slice(),
        &["export", "db", "c"],
        &["collections", "db"],
        &["count", "db", "c"],
        &["stats", "db"],
        &["check", "db"],
    ] {
        room.run(arguments).ok();
        assert!(std::fs::read(room.path("db")).unwrap() == before, "{arguments:?}");
    }
}

#[test]
fn a_compacted_file_is_shorter_and_has_the_same_documents() {
    let room = Room::new();
    let old: String = (0..3000).map(|n| format!("{{\"_id\":{n},\"v\":\"{n:0>200}\"}}\n")).collect();
    room.import(&old);
    let short: String = (0..3000).map(|n| format!("{{\"_id\":{n}}}\n")).collect();
    let replace = ["import", "db", "c", "-", "--on-conflict", "replace"];
    room.pipe(&replace, short.as_bytes()).ok();
    let summary = room.run(&["compact", "db", "--json"]).json();
    let (before, after) = (&summary["bytes_before"], &summary["bytes_after"]);
    assert!(after.as_u64().unwrap() * 4 < before.as_u64().unwrap(), "{summary}");
    let len = || room.path("db").metadata().unwrap().len();
    assert_eq!(after.as_u64(), Some(len()), "the file as it is, closed");
    let again = room.run(&["compact", "db", "--json"]).json();
    assert_eq!((&again["bytes_before"], again["bytes_after"].as_u64()), (after, Some(len())));
    assert!(room.run(&["compact", "db"]).ok().ends_with(" now\n"));
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "3000\n");
    room.run(&["check", "db"]).ok();
}

/// Ctrl-C is a signal that ends the process wherever it is.
#[cfg(unix)]
#[test]
fn compaction_that_is_interrupted_leaves_a_whole_file() {
    let room = Room::new();
    let lines = |len| (0..6000).map(move |n| format!("{{\"_id\":{n},\"v\":\"{n:0>len$}\"}}\n"));
    room.import(&lines(400).collect::<String>());
    let replace = ["import", "db", "c", "-", "--on-conflict", "replace"];
    room.pipe(&replace, lines(9).collect::<String>().as_bytes()).ok();
    for wait_ms in [0, 2, 4, 8, 16, 32] {
        let mut child = room.command(&["compact", "db"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        let pid = child.id().to_string();
        // It may be done already.
        std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        child.wait().unwrap();
        room.run(&["check", "db"]).ok();
        assert_eq!(room.run(&["count", "db", "c"]).ok(), "6000\n");
    }
    room.run(&["compact", "db"]).ok();
    assert_eq!(room.run(&["export", "db", "c"]).ok().lines().count(), 6000);
}

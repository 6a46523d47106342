//! Exit codes, and what is said.

use crate::support::Room;

const READERS: [&[&str]; 6] = [
    &["get", "db", "c", "1"],
    &["export", "db", "c"],
    &["collections", "db"],
    &["count", "db", "c"],
    &["stats", "db"],
    &["check", "db"],
];

#[test]
fn reading_makes_no_database() {
    let room = Room::new();
    for arguments in READERS {
        assert_eq!(room.run(arguments).fails(1), "nanodb: db: there is no such file\n");
        assert!(!room.path("db").exists());
    }
    room.write("db", "");
    for arguments in READERS {
        assert!(room.run(arguments).fails(1).contains("empty"), "{arguments:?}");
        assert_eq!(std::fs::metadata(room.path("db")).unwrap().len(), 0);
    }
    assert!(room.run(&["check", "."]).fails(1).contains("directory"));
}

#[test]
fn an_input_that_is_not_there_leaves_no_database() {
    let room = Room::new();
    assert!(room.run(&["import", "db", "c", "no.json"]).fails(1).contains("no.json"));
    assert!(room.run(&["import", "db", "c", "."]).fails(1).contains("directory"));
    assert!(!room.path("db").exists());
}

#[test]
fn a_collection_that_is_not_there_is_told_with_those_that_are() {
    let room = Room::new();
    room.import("{}");
    for command in ["export", "count"] {
        let message = room.run(&[command, "db", "cc"]).fails(1);
        assert_eq!(message, "nanodb: there is no collection \"cc\"; there are: \"c\"\n");
    }
    assert!(room.run(&["get", "db", "cc", "1"]).fails(1).contains("there is no collection"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_2() {
    let room = Room::new();
    for arguments in [
        [].as_slice(),
        &["frobnicate"],
        &["get", "db", "c"],
        &["import", "db", "c", "f", "--batch-size", "0"],
        &["import", "db", "c", "f", "--on-conflict", "shrug"],
    ] {
        room.run(arguments).fails(2);
    }
    assert!(room.run(&["--help"]).ok().contains("Exit codes"));
    assert!(room.run(&["import", "--help"]).ok().contains("$binary"));
    assert!(room.run(&["export", "--help"]).ok().contains("exit code 4"));
    assert!(room.run(&["--version"]).ok().starts_with("nanodb "));
}

#[test]
fn a_database_that_another_process_has_open_is_3() {
    let room = Room::new();
    room.import("{}");
    let database = nanodb::Database::open(room.path("db")).unwrap();
    for arguments in READERS {
        assert!(room.run(arguments).fails(3).contains("open"), "{arguments:?}");
    }
    room.pipe(&["import", "db", "c", "-"], b"{}").fails(3);
    drop(database);
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
}

#[test]
fn a_damaged_page_is_4_and_costs_its_own_documents_only() {
    let room = Room::new();
    room.import(&"{\"text\":\"0123456789012345678901234567890123456789\"}\n".repeat(1000));
    let mut file = std::fs::read(room.path("db")).unwrap();
    let undamaged = room.run(&["export", "db", "c"]).ok();
    // Somewhere among the documents, whose text is easy to find.
    let middle = file.len() / 2;
    let text = b"0123456789";
    let at = middle + file[middle..].windows(text.len()).position(|bytes| bytes == text).unwrap();
    file[at] ^= 1;
    room.write("db", file);

    let run = room.run(&["check", "db", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    run.fails(4);
    assert_eq!(report["clean"], false);
    assert_eq!(report["problems"][0]["page"], at / 4096, "{report}");
    assert!(room.run(&["check", "db"]).fails(4).contains("damaged in"));

    let run = room.run(&["export", "db", "c"]);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines.len() > 800 && lines.len() < 1000, "{}", lines.len());
    assert!(lines.iter().all(|line| undamaged.contains(line)));
    let left = lines.len() as u64;
    assert!(run.fails(4).contains("left out"));

    let run = room.run(&["salvage", "db", "new", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    run.fails(4);
    assert_eq!((&report["documents"], &report["how"]), (&left.into(), &"opened".into()));
    assert_eq!(report["collections"][0]["expected"], 1000);
    assert!(room.run(&["check", "new"]).ok().contains("no problems"));
    assert!(room.run(&["salvage", "db", "new"]).fails(1).contains("must not exist"));
}

#[test]
fn a_file_without_its_header_is_salvaged_by_its_pages() {
    let room = Room::new();
    room.import(&"{\"text\":\"0123456789\"}\n".repeat(1000));
    let mut file = std::fs::read(room.path("db")).unwrap();
    file[..2 * 4096].fill(0);
    room.write("db", file);
    room.run(&["check", "db"]).fails(1);
    let run = room.run(&["salvage", "db", "new"]);
    assert!(run.out.contains("\"c\": 1,000 documents\n"), "{}", run.out);
    run.fails(4);
    assert!(room.run(&["salvage", "missing", "other"]).fails(1).contains("no such file"));
    assert!(room.run(&["salvage", ".", "other"]).fails(1).contains("no such file"));
    assert!(!room.path("other").exists());
}

#[test]
fn what_is_no_database_is_1_and_stays_as_it_is() {
    let room = Room::new();
    room.write("db", "# a text file\n".repeat(1000));
    for arguments in READERS {
        assert!(room.run(arguments).fails(1).contains("not a NanoDB file"), "{arguments:?}");
    }
    room.pipe(&["import", "db", "c", "-"], b"{}").fails(1);
    assert_eq!(std::fs::read_to_string(room.path("db")).unwrap(), "# a text file\n".repeat(1000));
}

//! Files of the Go program of the same name.

use std::path::Path;

use serde_json::json;

use crate::support::Room;

fn file(name: &str) -> Vec<u8> {
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../nanodb-database/tests/data/go-program");
    std::fs::read(data.join(name)).unwrap()
}

#[test]
fn a_file_of_the_go_program_becomes_a_database() {
    for (name, users) in [("go-hash.db", 257), ("go-btree.db", 275)] {
        let room = Room::new();
        room.write("old", file(name));
        let printed = room.run(&["import-go", "old", "db"]).ok();
        let expected = format!(
            "users             {users}\nmovies             60\nempty               0\n\
             {} documents imported\n",
            users + 60
        );
        assert_eq!(printed, expected);
        assert_eq!(room.names(), ["db", "old"]);
        assert!(std::fs::read(room.path("old")).unwrap() == file(name));
        assert!(room.run(&["check", "db"]).ok().contains("no problems"));
        let exported = room.run(&["export", "db", "users"]).ok();
        assert!(exported.lines().all(|line| line.starts_with("{\"_id\":")));
        assert!(exported.contains("\"age\":70.0"), "numbers stay floats");
        // The second time there is something.
        assert!(room.run(&["import-go", "old", "db"]).fails(1).contains("must not exist yet"));
    }
}

#[test]
fn what_is_damaged_ends_the_import_or_is_listed() {
    let room = Room::new();
    let mut bytes = file("go-btree.db");
    bytes[9 * 4096..10 * 4096].fill(0);
    room.write("old", &bytes);
    for arguments in [&["import-go", "old", "db"][..], &["import-go", "old", "db", "--json"]] {
        let run = room.run(arguments);
        assert_eq!(run.out, "");
        let said = run.fails(4);
        assert!(said.contains("importing old: collection \"users\": page 9: "), "{said}");
        assert_eq!(room.names(), ["old"]);
    }
    let run = room.run(&["import-go", "old", "db", "--skip-damaged"]);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].starts_with("collection \"users\": page 9: cannot be read: "), "{lines:?}");
    assert!(lines[1].contains("no collection leads to it"), "{lines:?}");
    assert_eq!(
        lines[2..],
        [
            "users             248",
            "movies             60",
            "empty               0",
            "308 documents imported",
        ]
    );
    assert!(run.fails(4).contains("damaged in 2 places"));
    assert_eq!(room.run(&["count", "db", "users"]).ok(), "248\n");
    let report = room.run(&["import-go", "old", "other", "--skip-damaged", "--json"]).json_of(4);
    assert_eq!(report["complete"], json!(false));
    assert_eq!(report["problems"].as_array().unwrap().len(), 2);
    assert_eq!(
        report["collections"][0],
        json!({
            "name": "users", "documents": 248, "older_versions": 0, "vector_lists": 0, "same_name": 1,
        })
    );
}

#[test]
fn what_is_no_file_of_the_go_program_makes_no_file() {
    let room = Room::new();
    room.import("{}");
    room.write("text", "# a text file\n".repeat(1000));
    for (old, why) in [
        ("missing", "no such file"),
        (".", "no such file"),
        ("db", "a file of this library"),
        ("text", "not a file of the Go program"),
    ] {
        let said = room.run(&["import-go", old, "new"]).fails(1);
        assert!(said.contains(why), "{said}");
        assert_eq!(room.names(), ["db", "text"]);
    }
    room.write("old", file("go-hash.db"));
    room.run(&["import-go", "old", "no/such/directory/new"]).fails(1);
    assert_eq!(room.names(), ["db", "old", "text"]);
}

#[test]
fn other_commands_say_how_a_file_of_the_go_program_is_imported() {
    let room = Room::new();
    room.write("db", file("go-hash.db"));
    let said = room.run(&["collections", "db"]).fails(1);
    assert!(said.contains("nanodb import-go"), "{said}");
}

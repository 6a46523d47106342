//! `insert`, `drop`, `rename`; `--yes` and `--dry-run`; what a first command that fails leaves.

use serde_json::json;

use crate::support::Room;

#[test]
fn documents_of_the_command_line_are_stored_and_their_ids_printed() {
    let room = Room::new();
    let insert =
        |documents: &[&str]| room.run(&[["insert", "db", "c"].as_slice(), documents].concat());
    assert_eq!(insert(&[r#"{"a": 1}"#]).ok(), "1\n");
    let two = insert(&[r#"{"_id": "x"}"#, r#"[{"a": 2}, {"a": 3}] "#]).ok();
    assert_eq!(two, "\"x\"\n2\n3\n");
    let uuid = r#"{"$uuid":"123e4567-e89b-12d3-a456-426614174000"}"#;
    assert_eq!(insert(&[&format!("{{\"_id\": {uuid}}}")]).ok(), format!("{uuid}\n"));
    assert_eq!(room.pipe(&["insert", "db", "c", "-"], b"{}\n{}\n").ok(), "4\n5\n");
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "7\n");
}

#[test]
fn of_documents_of_which_one_is_refused_none_is_stored() {
    let room = Room::new();
    room.import("{\"_id\": 1}");
    for (documents, message) in [
        (&["{\"_id\": 2}", "{\"a\":}"][..], "document 2, line 1, column 6: expected value"),
        (&["{\"_id\": 2}", "[1]"], "document 2, line 1, column 2: expected a document"),
        (&["{\"_id\": 2} {\"_id\": 1}"], "document 1, line 1, column 12: "),
        (&["{\"_id\": 2}", "{\"_id\": 2}"], "document 2, line 1, column 1: "),
        (&["{\"_id\": 2}", "{\"_id\": []}"], "document 2, line 1, column 1: `_id`"),
        (&["{\"_id\": 2}", ""], "document 2: there is none"),
        (&[""], "document 1: there is none"),
    ] {
        let run = room.run(&[["insert", "db", "c"].as_slice(), documents].concat());
        let said = run.fails(1);
        assert!(said.contains(message), "{said}");
        assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
    }
    room.run(&["insert", "db", "c"]).fails(2);
}

#[test]
fn collections_are_renamed_and_dropped() {
    let room = Room::new();
    room.import("{}{}");
    room.pipe(&["import", "db", "other", "-"], b"{}").ok();
    let renamed = room.run(&["rename", "db", "c", "d"]).ok();
    assert_eq!(renamed, "\"d\", formerly \"c\": 2 documents\n");
    assert!(
        room.run(&["rename", "db", "c", "d"]).fails(1).contains("there is no collection \"c\"")
    );
    assert!(room.run(&["rename", "db", "d", "other"]).fails(1).contains("other"));
    let renamed = room.run(&["rename", "db", "d", "e", "--json"]).json();
    assert_eq!(renamed, json!({"collection": "e", "count": 2}));

    let message = room.run(&["drop", "db", "e"]).fails(1);
    assert!(message.contains("--yes") && message.contains("2 documents"), "{message}");
    assert_eq!(room.run(&["drop", "db", "e", "--dry-run"]).ok(), "2 documents would be deleted\n");
    let count = room.run(&["drop", "db", "e", "--dry-run", "--json"]).json();
    assert_eq!(count, json!({"would_delete": 2}));
    assert_eq!(room.run(&["drop", "db", "e", "--yes"]).ok(), "2 documents deleted\n");
    assert!(room.run(&["drop", "db", "e", "--yes"]).fails(1).contains("there is no collection"));
    assert_eq!(room.run(&["drop", "db", "other", "--yes", "--json"]).json(), json!({"deleted": 1}));
    assert_eq!(room.run(&["collections", "db", "--json"]).json(), json!([]));
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let room = Room::new();
    room.import("{\"a\": 1}{\"a\": 1}{\"a\": 2}");
    let before = std::fs::read(room.path("db")).unwrap();
    let set = "{\"$set\": {\"b\": 1}}";
    for (arguments, expected) in [
        (&["delete", "db", "c", "{}"][..], "3 documents would be deleted\n"),
        (&["delete", "db", "c", "{\"a\": 1}"], "2 documents would be deleted\n"),
        (&["delete", "db", "c", "{\"a\": 1}", "--one"], "1 document would be deleted\n"),
        (&["update", "db", "c", "{\"a\": 1}", set], "2 documents would be updated\n"),
        (&["update", "db", "c", "{}", set, "--one"], "1 document would be updated\n"),
        (&["update", "db", "c", "{}", set, "--upsert"], "1 document would be updated\n"),
        (&["update", "db", "c", "{\"a\": 5}", set, "--upsert"], "1 document would be inserted\n"),
        (&["update", "db", "new", "{}", set, "--upsert"], "1 document would be inserted\n"),
    ] {
        let reader = nanodb::Database::options().read_only(true).open(room.path("db")).unwrap();
        assert_eq!(room.run(&[arguments, &["--dry-run"]].concat()).ok(), expected, "{arguments:?}");
        drop(reader);
        assert!(std::fs::read(room.path("db")).unwrap() == before, "{arguments:?}");
    }
    let json = room.run(&["delete", "db", "c", "{}", "--dry-run", "--json"]).json();
    assert_eq!(json, json!({"would_delete": 3}));
    let json = room.run(&["update", "db", "c", "{}", set, "--dry-run", "--json"]).json();
    assert_eq!(json, json!({"would_update": 3, "would_insert": 0}));
    let wrong = ["update", "db", "c", "{}", "{\"$sett\": {}}", "--dry-run"];
    assert!(room.run(&wrong).fails(1).contains("$sett"));
}

#[test]
fn deleting_everything_wants_yes_where_nobody_can_be_asked() {
    let room = Room::new();
    room.import("{}{}{}");
    room.pipe(&["import", "db", "one", "-"], b"{}").ok();
    let message = room.run(&["delete", "db", "one", "{}"]).fails(1);
    assert!(message.contains("delete the only document of \"one\""), "{message}");
    for filter in ["{}", " { } "] {
        let message = room.run(&["delete", "db", "c", filter]).fails(1);
        assert!(message.contains("delete all 3 documents of \"c\""), "{message}");
        assert!(message.contains("--yes"), "{message}");
    }
    // An answer that is piped is none.
    room.pipe(&["delete", "db", "c", "{}"], b"y\n").fails(1);
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "3\n");
    assert_eq!(room.run(&["delete", "db", "c", "{}", "--yes"]).ok(), "3 documents deleted\n");
}

#[test]
fn a_first_import_that_stores_nothing_leaves_no_file() {
    for input in ["a,b\n1,2", "{\"_id\": 1.5}", "{\"_id\":1}{\"_id\":1}", "[{}", "{\"a\": 1"] {
        let room = Room::new();
        let arguments = ["import", "new.nanodb", "c", "-", "--json"];
        let run = room.pipe(&arguments, input.as_bytes());
        assert_eq!(run.json_of(1)["inserted"], 0, "{input}");
        assert_eq!(room.names(), [""; 0], "{input}");
        room.run(&["insert", "new.nanodb", "c", "{\"_id\": []}"]).fails(1);
        assert_eq!(room.names(), [""; 0], "{input}");
    }
    // What was stored before the failure stays, and what was there before the import.
    let room = Room::new();
    let arguments = ["import", "new.nanodb", "c", "-", "--batch-size", "1"];
    room.pipe(&arguments, b"{}\nnonsense").fails(1);
    assert_eq!(room.run(&["count", "new.nanodb", "c"]).ok(), "1\n");
    assert_eq!(room.names(), ["new.nanodb"]);
    room.run(&["drop", "new.nanodb", "c", "--yes"]).ok();
    room.pipe(&arguments, b"nonsense").fails(1);
    assert_eq!(room.names(), ["new.nanodb"]);
}

#[test]
fn strings_are_read_as_times_and_ids_where_one_says_so() {
    let room = Room::new();
    let import = |input: &str, options: &[&str]| {
        let arguments = [["import", "db", "c", "-"].as_slice(), options].concat();
        room.pipe(&arguments, input.as_bytes())
    };
    let line = r#"{"_id":"123e4567-e89b-12d3-a456-426614174000","at":"2023-11-14T22:13:20.5Z","log":[{"ts":"2023-11-14T23:13:20+01:00"},{}],"none":null}"#;
    import(line, &["--id-type", "uuid", "--dates", "at,log.ts", "--dates", "none"]).ok();
    assert_eq!(
        room.run(&["export", "db", "c"]).ok(),
        concat!(
            r#"{"_id":{"$uuid":"123e4567-e89b-12d3-a456-426614174000"},"#,
            r#""at":{"$date":"2023-11-14T22:13:20.5Z"},"#,
            r#""log":[{"ts":{"$date":"2023-11-14T22:13:20Z"}},{}],"none":null}"#,
            "\n",
        )
    );
    let later = r#"{"at": {"$gte": {"$date": "2023-01-01T00:00:00Z"}}}"#;
    assert_eq!(room.run(&["count", "db", "c", later]).ok(), "1\n");
    let uuid = ["123e4567-e89b-12d3-a456-426614174000", "--id-type", "uuid"];
    room.run(&[["get", "db", "c"].as_slice(), &uuid].concat()).ok();

    let bad = "{\"_id\":1}\n{\"_id\":2,\"at\":\"soon\"}\n{\"_id\":3,\"at\":5}\n";
    let message = import(bad, &["--dates", "at"]).fails(1);
    assert!(message.contains("line 2, column 1: \"soon\" is not a time like"), "{message}");
    let run = import(bad, &["--dates", "at", "--rejects", "bad", "--json"]);
    assert!(run.err.contains("rejected: standard input, line 2, column 1"), "{run:?}");
    assert_eq!(run.json_of(0)["rejected"], 1);
    assert_eq!(room.read("bad"), "{\"_id\":2,\"at\":\"soon\"}\n");

    let oid = "65a1b2c3d4e5f60718293a4b";
    import(&format!("{{\"key\":\"{oid}\"}}"), &["--id-field", "key", "--id-type", "objectid"]).ok();
    room.run(&["get", "db", "c", oid, "--id-type", "objectid"]).ok();
    room.run(&["get", "db", "c", oid, "--id-type", "object-id"]).ok();
    let message = import("{\"_id\":\"65a1\"}", &["--id-type", "objectid"]).fails(1);
    assert!(message.contains("line 1, column 1: \"65a1\" is not an ObjectId"), "{message}");
    import("{\"_id\":5}", &["--id-type", "string"]).ok();
    room.run(&["get", "db", "c", "5", "--id-type", "string"]).ok();
}

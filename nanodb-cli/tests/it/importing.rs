//! `nanodb import`: formats, ids, conflicts, and what a failure leaves behind.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::Room;

#[test]
fn arrays_lines_and_gzip_are_told_apart_by_content() {
    let room = Room::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"[{\"_id\":1,\"a\":[1,{}]},\n{\"_id\":2}]").unwrap();
    room.write("plain.gz", "\n [ {\"_id\":1,\"a\":[1,{}]},{\"_id\":2}] ");
    room.write("lines.array", "{\"_id\":1,\"a\":[1,{}]}\n\n{\"_id\":2}");
    room.write("packed.txt", gzip.finish().unwrap());
    for file in ["plain.gz", "lines.array", "packed.txt"] {
        room.run(&["import", file.split('.').next().unwrap(), "c", file]).ok();
        let exported = room.run(&["export", file.split('.').next().unwrap(), "c"]).ok();
        assert_eq!(exported, "{\"_id\":1,\"a\":[1,{}]}\n{\"_id\":2}\n", "{file}");
    }
    let message = room.run(&["import", "db", "c", "plain.gz", "--format", "lines"]).fails(1);
    assert!(message.contains("line 2, column 2: expected a document"), "{message}");
}

#[test]
fn documents_without_an_id_are_given_one() {
    let room = Room::new();
    room.import("{\"a\":1}\n{\"_id\":10}\n{\"a\":2}\n");
    let exported = room.run(&["export", "db", "c"]).ok();
    assert_eq!(exported, "{\"_id\":1,\"a\":1}\n{\"_id\":10}\n{\"_id\":11,\"a\":2}\n");
}

#[test]
fn a_field_becomes_the_id() {
    let room = Room::new();
    let id_field = ["import", "db", "c", "-", "--id-field", "key"];
    room.pipe(&id_field, b"{\"a\":1,\"key\":\"x\"}").ok();
    assert_eq!(room.run(&["get", "db", "c", "x"]).ok(), "{\"_id\":\"x\",\"a\":1}\n");

    let message = room.pipe(&id_field, b"{\"key\":1}\n{\"a\":1}").fails(1);
    assert!(message.contains("line 2, column 1: the document has no field \"key\""), "{message}");
    let message = room.pipe(&id_field, b"{\"key\":1,\"_id\":2}").fails(1);
    assert!(message.contains("line 1, column 1: the document has an `_id` besides"), "{message}");
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
}

#[test]
fn a_conflict_is_an_error_unless_one_says_otherwise() {
    let room = Room::new();
    room.import("{\"_id\":1,\"v\":\"old\"}");
    let again = b"{\"_id\":2,\"v\":\"new\"}\n{\"_id\":1,\"v\":\"new\"}\n";

    let message = room.pipe(&["import", "db", "c", "-"], again).fails(1);
    assert!(message.contains("line 2, column 1: a document with the id 1 is stored"), "{message}");
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");

    let skip = ["import", "db", "c", "-", "--json", "--on-conflict", "skip"];
    let summary = room.pipe(&skip, again).json();
    assert_eq!((&summary["inserted"], &summary["skipped"]), (&1.into(), &1.into()));
    assert_eq!(
        room.run(&["export", "db", "c"]).ok(),
        "{\"_id\":1,\"v\":\"old\"}\n{\"_id\":2,\"v\":\"new\"}\n"
    );

    let replace = ["import", "db", "c", "-", "--json", "--on-conflict", "replace"];
    let summary = room.pipe(&replace, again).json();
    assert_eq!((&summary["inserted"], &summary["replaced"]), (&0.into(), &2.into()));
    assert_eq!(
        room.run(&["export", "db", "c"]).ok(),
        "{\"_id\":1,\"v\":\"new\"}\n{\"_id\":2,\"v\":\"new\"}\n"
    );
}

#[test]
fn an_id_twice_in_the_input_is_a_conflict_too() {
    let input = b"{\"_id\":1,\"v\":1}\n{\"_id\":2}\n{\"_id\":1,\"v\":2}\n";
    for batch_size in ["1", "2", "100"] {
        let room = Room::new();
        let import = |on_conflict| {
            let arguments =
                ["import", on_conflict, "c", "-", "--batch-size", batch_size, "--on-conflict"];
            room.pipe(&[&arguments[..], &[on_conflict]].concat(), input)
        };
        let message = import("error").fails(1);
        assert!(message.contains("line 3, column 1"), "{message}");
        import("skip").ok();
        assert_eq!(room.run(&["get", "skip", "c", "1"]).ok(), "{\"_id\":1,\"v\":1}\n");
        import("replace").ok();
        assert_eq!(room.run(&["get", "replace", "c", "1"]).ok(), "{\"_id\":1,\"v\":2}\n");
        assert_eq!(room.run(&["count", "replace", "c"]).ok(), "2\n");
    }
}

#[test]
fn ids_given_out_do_not_hide_conflicts() {
    // The first document is given the id 1, which the second brings.
    let input = b"{\"a\":1}\n{\"_id\":1}\n{\"a\":2}\n";
    let room = Room::new();
    let message = room.pipe(&["import", "db", "c", "-"], input).fails(1);
    assert!(message.contains("1"), "{message}");
    room.pipe(&["import", "skip", "c", "-", "--on-conflict", "skip"], input).ok();
    assert_eq!(
        room.run(&["export", "skip", "c"]).ok(),
        "{\"_id\":1,\"a\":1}\n{\"_id\":2,\"a\":2}\n"
    );
}

#[test]
fn a_failure_leaves_the_batches_before_it() {
    let good: String = (1..=25).map(|n| format!("{{\"_id\":{n}}}\n")).collect();
    for (bad, message) in [
        ("{\"_id\":}\n", "line 26, column 8: expected value"),
        ("{\"_id\":1.5}\n", "line 26, column 1: `_id` must be an integer, a string, binary"),
        ("{\"_id\":3}\n", "line 26, column 1: a document with the id 3 is stored already"),
        ("{\"_id\":24}\n", "line 26, column 1: the id 24 is that of the document in line 24"),
        ("[]\n", "line 26, column 1: expected a document"),
    ] {
        let room = Room::new();
        let input = format!("{good}{bad}{{\"_id\":27}}\n");
        let arguments = ["import", "db", "c", "-", "--batch-size", "10", "--json"];
        let run = room.pipe(&arguments, input.as_bytes());
        let summary: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let said = run.fails(1);
        assert!(said.contains(message), "{said}");
        assert_eq!((&summary["inserted"], &summary["line"]), (&20.into(), &26.into()), "{summary}");
        assert_eq!(room.run(&["count", "db", "c"]).ok(), "20\n");
        room.run(&["check", "db"]).ok();
    }
}

#[test]
fn with_replace_nothing_of_a_batch_is_written_that_has_a_bad_document() {
    let room = Room::new();
    room.import("{\"_id\":1,\"v\":\"old\"}");
    let replace = ["import", "db", "c", "-", "--on-conflict", "replace"];
    let message = room.pipe(&replace, b"{\"_id\":1,\"v\":\"new\"}\n{\"_id\":[]}").fails(1);
    assert!(message.contains("line 2, column 1"), "{message}");
    assert_eq!(room.run(&["get", "db", "c", "1"]).ok(), "{\"_id\":1,\"v\":\"old\"}\n");
}

#[test]
fn documents_of_many_pages_are_imported_in_small_batches() {
    let room = Room::new();
    let text = "x".repeat(5_000_000);
    let lines: String = (1..=9).map(|n| format!("{{\"_id\":{n},\"t\":\"{text}\"}}\n")).collect();
    room.import(&lines);
    assert!(room.run(&["export", "db", "c"]).ok() == lines);
    let too_large = format!("{{}}\n{{\"t\":\"{}\"}}", "x".repeat(17 << 20));
    let message = room.pipe(&["import", "db", "d", "-"], too_large.as_bytes()).fails(1);
    assert!(message.contains("line 2, column 1"), "{message}");
}

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

#[test]
fn documents_with_and_without_ids_are_all_stored_whatever_their_order() {
    let input =
        b"{\"n\":\"a\"}\n{\"n\":\"b\"}\n{\"_id\":1,\"n\":\"c\"}\n{\"n\":\"d\"}\n{\"_id\":2}\n";
    for batch_size in ["1", "2", "3", "100"] {
        for on_conflict in ["error", "skip", "replace"] {
            let room = Room::new();
            let import = [
                "import",
                "db",
                "c",
                "-",
                "--batch-size",
                batch_size,
                "--on-conflict",
                on_conflict,
            ];
            room.pipe(&import, input).ok();
            let exported = room.run(&["export", "db", "c"]).ok();
            let what = format!("{batch_size}, {on_conflict}: {exported}");
            assert_eq!(exported.lines().count(), 5, "{what}");
            for name in ["a", "b", "d"] {
                assert_eq!(exported.matches(&format!("\"n\":\"{name}\"")).count(), 1, "{what}");
            }
            assert_eq!(
                room.run(&["get", "db", "c", "1"]).ok(),
                "{\"_id\":1,\"n\":\"c\"}\n",
                "{what}"
            );
            assert_eq!(room.run(&["get", "db", "c", "2"]).ok(), "{\"_id\":2}\n", "{what}");
        }
    }
    // Those that were there before are conflicts as ever.
    let room = Room::new();
    room.import("{\"_id\":1,\"old\":true}");
    let message = room.pipe(&["import", "db", "c", "-"], b"{}\n{\"_id\":2}\n{\"_id\":1}").fails(1);
    assert!(message.contains("line 3, column 1: a document with the id 1 is stored"), "{message}");
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "1\n");
}

#[test]
fn one_document_without_an_id_before_many_with_integers_moves_once_a_batch() {
    let room = Room::new();
    let with_ids: String = (1..=2000).map(|id| format!("{{\"_id\":{id}}}\n")).collect();
    let input = format!("{{\"first\":true}}\n{with_ids}");
    room.pipe(&["import", "db", "c", "-", "--batch-size", "100"], input.as_bytes()).ok();
    assert_eq!(room.run(&["count", "db", "c"]).ok(), "2001\n");
    let found = room.run(&["find", "db", "c", "{\"first\":true}"]).ok();
    assert_eq!(found, "{\"_id\":2001,\"first\":true}\n");
}

#[test]
fn half_of_a_surrogate_pair_stops_the_import_or_is_replaced() {
    let room = Room::new();
    let input = b"{\"_id\":1}\n{\"_id\":2,\"t\":\"cut \\ud83d\"}\n{\"_id\":3}\n";
    let message = room.pipe(&["import", "db", "c", "-"], input).fails(1);
    assert!(message.contains("line 2, column ") && message.contains("surrogate"), "{message}");
    room.pipe(&["import", "db", "c", "-", "--surrogates", "replace"], input).ok();
    let found = room.run(&["get", "db", "c", "2"]).ok();
    assert_eq!(found, "{\"_id\":2,\"t\":\"cut \u{fffd}\"}\n");
}

#[test]
fn decimals_are_refused_or_become_what_one_says() {
    let input = b"{\"_id\":1,\"p\":{\"$numberDecimal\":\"19.990\"}}";
    let room = Room::new();
    let message = room.pipe(&["import", "db", "c", "-"], input).fails(1);
    assert!(message.contains("$numberDecimal"), "{message}");
    for (decimals, expected) in [("string", "\"19.990\""), ("double", "19.99")] {
        let import = ["import", decimals, "c", "-", "--decimals", decimals];
        room.pipe(&import, input).ok();
        let exported = room.run(&["export", decimals, "c"]).ok();
        assert_eq!(exported, format!("{{\"_id\":1,\"p\":{expected}}}\n"));
    }
}

#[test]
fn numbers_that_json_lacks_are_told_with_how_they_are_written() {
    let room = Room::new();
    for number in ["NaN", "Infinity", "-Infinity"] {
        let input = format!("{{\"_id\":1,\"t\":{number}}}");
        let message = room.pipe(&["import", "db", "c", "-"], input.as_bytes()).fails(1);
        assert!(message.contains("$numberDouble"), "{message}");
    }
    room.import("{\"_id\":1,\"t\":{\"$numberDouble\":\"NaN\"}}");
}

#[test]
fn bytes_behind_a_gzip_are_left_out_with_a_warning_and_what_is_before_a_cut_is_stored() {
    let room = Room::new();
    let gzip = |text: &str| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let junk = [&gzip("{\"_id\":1}\n")[..], b"junk"].concat();
    room.write("junk.gz", junk);
    let run = room.run(&["import", "db", "c", "junk.gz"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("junk.gz") && run.err.contains("left out"), "{run:?}");
    assert_eq!(room.run(&["export", "db", "c"]).ok(), "{\"_id\":1}\n");

    let first = gzip("{\"_id\":2}\n{\"_id\":3}\n");
    let cut = gzip("{\"_id\":4}\n");
    room.write("cut.gz", [&first[..], &cut[..cut.len() - 6]].concat());
    let message = room.run(&["import", "db", "c", "cut.gz"]).fails(1);
    assert!(message.contains("cut.gz") && message.contains("cut off"), "{message}");
    assert!(room.run(&["count", "db", "c"]).ok().trim().parse::<u64>().unwrap() >= 3);
}

#[test]
fn an_input_without_documents_makes_the_collection() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"").unwrap();
    let inputs = [b"".to_vec(), b"[]".to_vec(), b" \n".to_vec(), gzip.finish().unwrap()];
    for (input, name) in inputs.iter().zip(["a", "b", "c", "d"]) {
        let room = Room::new();
        room.pipe(&["import", "db", name, "-"], input).ok();
        assert_eq!(room.run(&["count", "db", name]).ok(), "0\n");
        // No id is used up by that.
        room.pipe(&["import", "db", name, "-"], b"{}").ok();
        assert_eq!(room.run(&["export", "db", name]).ok(), "{\"_id\":1}\n");
    }
}

#[test]
fn what_mongoexport_writes_comes_in_with_its_values() {
    let room = Room::new();
    let values = "{\"_id\":1,\"n\":{\"$numberLong\":\"7000000000\"},\
        \"by\":{\"$oid\":\"65a1b2c3d4e5f60718293a4c\"},\"f\":{\"$numberDouble\":\"5.0\"}}\n";
    room.import(values);
    let count = |filter: &str| room.run(&["count", "db", "c", filter]).ok();
    assert_eq!(count("{\"n\":{\"$gte\":5}}"), "1\n");
    assert_eq!(count("{\"by\":{\"$oid\":\"65a1b2c3d4e5f60718293a4c\"}}"), "1\n");
    assert_eq!(count("{\"f\":5}"), "1\n");
    let expected = "{\"$date\":\"2023-11-14T22:13:20.5Z\"}";
    let dates = [
        "{\"$date\":1700000000500}",
        "{\"$date\":{\"$numberLong\":\"1700000000500\"}}",
        "{\"$date\":\"2023-11-14T22:13:20.500+0000\"}",
    ];
    for (id, date) in (2..).zip(dates) {
        room.import(&format!("{{\"_id\":{id},\"d\":{date}}}"));
        let found = room.run(&["get", "db", "c", &id.to_string()]).ok();
        assert_eq!(found, format!("{{\"_id\":{id},\"d\":{expected}}}\n"));
    }
    let message = room.pipe(&["import", "db", "c", "-"], b"{\"a\":{\"$nonsense\":1}}").fails(1);
    assert!(message.contains("$nonsense") && message.contains("line 1, column"), "{message}");
}

#[test]
fn an_export_in_mongodbs_forms_ends_where_they_lack_a_value() {
    let room = Room::new();
    room.import(
        "{\"_id\":1,\"n\":5}\n{\"_id\":2,\"a\":{\"b\":18446744073709551615}}\n{\"_id\":3}\n",
    );
    let canonical = ["export", "db", "c", "--format", "canonical"];
    let run = room.run(&canonical);
    assert_eq!(run.out, "{\"_id\":{\"$numberInt\":\"1\"},\"n\":{\"$numberInt\":\"5\"}}\n");
    let message = run.fails(1);
    assert!(message.contains("the id 2") && message.contains("`a.b`"), "{message}");
    assert!(message.contains("--inexact"), "{message}");
    for (inexact, expected) in
        [("round", "1.8446744073709552e19"), ("text", "\"18446744073709551615\"")]
    {
        let relaxed = ["export", "db", "c", "--format", "relaxed", "--inexact", inexact];
        let out = room.run(&relaxed).ok();
        assert_eq!(out.lines().count(), 3);
        let line: serde_json::Value = serde_json::from_str(out.lines().nth(1).unwrap()).unwrap();
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(line["a"]["b"], expected, "{out}");
    }
    // In full everything is written, and read back.
    let out = room.run(&["export", "db", "c"]).ok();
    room.pipe(&["import", "again", "c", "-"], out.as_bytes()).ok();
    assert_eq!(room.run(&["export", "again", "c"]).ok(), out);
}

#[test]
fn an_upsert_makes_its_collection_and_tells_the_id_as_export_writes_it() {
    let room = Room::new();
    room.import("{}");
    let upsert = |filter: &str| {
        let update =
            ["update", "db", "visits", filter, "{\"$inc\":{\"n\":1}}", "--upsert", "--json"];
        room.run(&update).json()["upserted"].clone()
    };
    assert_eq!(upsert("{\"page\":\"/\"}"), serde_json::json!(1));
    assert_eq!(upsert("{\"page\":\"/\"}"), serde_json::Value::Null);
    assert_eq!(upsert("{\"_id\":\"2\"}"), serde_json::json!("2"));
    let binary = "{\"$binary\":{\"base64\":\"AQID\",\"subType\":\"00\"}}";
    let expected: serde_json::Value = serde_json::from_str(binary).unwrap();
    assert_eq!(upsert(&format!("{{\"_id\":{binary}}}")), expected);
    // Another update of a collection that is not there is a slip.
    let update = ["update", "db", "nothing", "{}", "{\"$inc\":{\"n\":1}}"];
    assert!(room.run(&update).fails(1).contains("there is no collection"));
}

#[test]
fn whole_numbers_with_a_point_are_ids() {
    let room = Room::new();
    room.import("{\"_id\":1.0}\n{\"_id\":1.234567890e+09}\n");
    assert_eq!(room.run(&["export", "db", "c"]).ok(), "{\"_id\":1}\n{\"_id\":1234567890}\n");
    let message = room.pipe(&["import", "db", "c", "-"], b"{\"_id\":1.5}").fails(1);
    assert!(message.contains("line 1, column 1"), "{message}");
}

#[test]
fn documents_that_cant_be_stored_go_to_a_file_of_rejects_if_there_is_one() {
    let lines = [
        ("{\"_id\":1}", true),
        ("{\"_id\":2,\"t\":\"cut \\ud83d\"}", false),
        ("{\"_id\":3,\"t\":\"cut off", false),
        ("{\"_id\":4,\"o\":{", false),
        ("{\"_id\":5}", true),
        ("[7]", false),
        ("nonsense", false),
        ("{\"_id\":[1]}", false),
        ("{\"_id\":1,\"again\":true}", false),
        ("{\"_id\":6}", true),
        ("{\"_id\":7,", false),
    ];
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    for batch_size in ["1", "3", "100"] {
        let room = Room::new();
        let import = |rejects| {
            let options = ["--rejects", rejects, "--batch-size", batch_size, "--json"];
            room.pipe(&[&["import", "db", "c", "-"], &options[..]].concat(), input.as_bytes())
        };
        let run = import("bad.jsonl");
        assert_eq!(run.code, 0, "{run:?}");
        // The document with that id is in the same batch only if all are.
        let why = match batch_size {
            "100" => "the id 1 is that of the document in line 1, column 1, too",
            _ => "a document with the id 1 is stored already",
        };
        let why = format!("standard input, line 9, column 1: {why}");
        assert!(run.err.contains(&why), "{run:?}");
        let summary: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((&summary["inserted"], &summary["rejected"]), (&3.into(), &8.into()));
        assert_eq!(room.run(&["count", "db", "c"]).ok(), "3\n");
        let rejects = std::fs::read_to_string(room.path("bad.jsonl")).unwrap();
        let mut rejects: Vec<&str> = rejects.lines().collect();
        let mut expected: Vec<&str> =
            lines.iter().filter(|(_, good)| !good).map(|(line, _)| *line).collect();
        rejects.sort_unstable();
        expected.sort_unstable();
        assert_eq!(rejects, expected);
        // Neither an earlier file of rejects nor any other is written over.
        assert!(import("bad.jsonl").fails(1).contains("exists already"));
        assert!(import("db").fails(1).contains("exists already"));
    }
}

#[test]
fn of_documents_on_many_lines_the_broken_one_is_rejected_and_no_part_of_it_stored() {
    let room = Room::new();
    let good =
        |id| format!("{{\n  \"_id\": {id},\n  \"a\": [\n    {{\n      \"b\": 1\n    }}\n  ]\n}}\n");
    let broken = good(2).replace("\"a\": [", "\"a\" [");
    let unclosed = good(3).replace("  ]\n", "");
    let input = [good(1), broken, unclosed, good(4)].concat();
    let import = ["import", "db", "c", "-", "--rejects", "bad"];
    let run = room.pipe(&import, input.as_bytes());
    assert_eq!(run.code, 0, "{run:?}");
    let ids = room.run(&["distinct", "db", "c", "_id"]).ok();
    assert_eq!(ids, "1\n4\n", "{run:?}");
    // In an array those are rejected whose brackets match.
    let input = b"[{\"_id\":8},\n{\"_id\":[]},\n{\"_id\":9}]";
    let run = room.pipe(&["import", "db", "d", "-", "--rejects", "worse"], input);
    assert_eq!((run.code, room.run(&["count", "db", "d"]).ok().as_str()), (0, "2\n"), "{run:?}");
}

//! Real data in, out and in again.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;

use crate::support::{Room, data_file, data_files, text};

fn source(path: &Path) -> Vec<Json> {
    let reader = BufReader::new(MultiGzDecoder::new(File::open(path).unwrap()));
    reader.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_file_comes_out_as_it_went_in_and_again_with_the_same_ids() {
    let files = data_files();
    assert!(files.len() >= 4, "{files:?}");
    // The cities are the demo's: it compares each of them.
    for path in files.iter().filter(|path| !path.ends_with("cities.jsonl.gz")) {
        let room = Room::new();
        let documents = source(path);
        room.run(&["import", "db", "c", text(path), "--batch-size", "100"]).ok();
        let count = room.run(&["count", "db", "c"]).ok();
        assert_eq!(count, format!("{}\n", documents.len()), "{path:?}");

        let exported = room.run(&["export", "db", "c"]).ok();
        let mut expected = documents;
        for (document, id) in expected.iter_mut().zip(1..) {
            document["_id"] = Json::from(id);
        }
        // Compared one by one: the difference of whole files helps nobody.
        let found = lines(&exported);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{path:?}");
        }

        room.pipe(&["import", "db2", "again", "-"], exported.as_bytes()).ok();
        assert!(room.run(&["export", "db2", "again"]).ok() == exported, "{path:?}");
        room.run(&["check", "db"]).ok();
        room.run(&["check", "db2"]).ok();
    }
}

#[test]
fn cities_are_found_by_their_own_ids() {
    let room = Room::new();
    let path = data_file("cities.jsonl.gz");
    let run = room.run(&["import", "db", "cities", text(&path), "--id-field", "cityId", "--json"]);
    assert_eq!(run.json()["inserted"], 135_233);
    let city = room.run(&["get", "db", "cities", "3039154"]).json();
    assert_eq!(city["name"], "El Tarter");
    assert_eq!(city["_id"], 3_039_154);
    assert_eq!(city.get("cityId"), None);
    let stats = room.run(&["stats", "db", "--json"]).json();
    assert_eq!(stats["documents"], 135_233);
    // Space stays near the data.
    assert!(stats["file_bytes"].as_u64().unwrap() < 24_000_000, "{stats}");
}

#[test]
fn fields_keep_their_order_and_values_their_types() {
    let room = Room::new();
    let lines = concat!(
        r#"{"_id":"é","z":5,"a":5.0,"m":-0.0,"u":18446744073709551615,"e":{"y":[],"x":{}}}"#,
        "\n",
        r#"{"_id":{"$binary":{"base64":"AQID","subType":"00"}},"at":{"$date":"2023-11-14T22:13:20.5Z"}}"#,
        "\n",
        r#"{"_id":-9,"n":{"$numberDouble":"NaN"},"op":{"$literal":{"$gt":5}}}"#,
        "\n",
        r#"{"_id":-7,"ext":{"$ext":{"type":5,"base64":"AQ=="}},"not":{"$literal":{"$date":"x"}}}"#,
        "\n",
    );
    room.import(lines);
    assert_eq!(room.run(&["export", "db", "c"]).ok(), lines);
}

#[test]
fn what_former_versions_and_mongoexport_wrote_is_read() {
    let room = Room::new();
    room.import(concat!(
        r#"{"_id":{"$binary":"AQID"},"n":{"$float":"NaN"},"at":{"$date":"-043-03-15T00:00:00Z"}}"#,
        "\n",
        r#"{"_id":1,"n":{"$numberLong":"7000000000"},"d":{"$date":{"$numberLong":"1700000000500"}}}"#,
        "\n",
        r#"{"_id":2,"b":{"$binary":"AQID","$type":"00"},"d":{"$date":1700000000500}}"#,
        "\n",
        r#"{"_id":3,"d":{"$date":"2023-11-14T22:13:20.500+0000"}}"#,
        "\n",
    ));
    assert_eq!(
        room.run(&["export", "db", "c"]).ok(),
        concat!(
            r#"{"_id":{"$binary":{"base64":"AQID","subType":"00"}},"n":{"$numberDouble":"NaN"},"#,
            r#""at":{"$date":"-000043-03-15T00:00:00Z"}}"#,
            "\n",
            r#"{"_id":1,"n":7000000000,"d":{"$date":"2023-11-14T22:13:20.5Z"}}"#,
            "\n",
            r#"{"_id":2,"b":{"$binary":{"base64":"AQID","subType":"00"}},"d":{"$date":"2023-11-14T22:13:20.5Z"}}"#,
            "\n",
            r#"{"_id":3,"d":{"$date":"2023-11-14T22:13:20.5Z"}}"#,
            "\n",
        )
    );
    assert_eq!(room.run(&["count", "db", "c", r#"{"n":{"$gte":5}}"#]).ok(), "1\n");
}

#[test]
fn what_import_does_not_understand_it_refuses_and_says_what_to_write() {
    let room = Room::new();
    for (value, message) in [
        (r#"{"$oidd":"65a1b2c3d4e5f60718293a4b"}"#, "column 6: unknown form `$oidd`"),
        (r#"{"$numberDecimal":"1.1"}"#, "column 6: `$numberDecimal` is no value here"),
        ("NaN", r#"column 6: JSON has no NaN; write {"$numberDouble": "NaN"}"#),
        (r#""cut \ud83d""#, "column 11: `\\ud83d` is half of a surrogate pair"),
        ("1,\"n\":2", "column 8: the field `n` occurs twice"),
    ] {
        let input = format!("{{}}\n{{\"n\":{value}}}\n");
        let message_found = room.pipe(&["import", "db", "c", "-"], input.as_bytes()).fails(1);
        assert!(message_found.contains(&format!("line 2, {message}")), "{message_found}");
    }
}

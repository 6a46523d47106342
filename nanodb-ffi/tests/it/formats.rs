//! Both formats say the same.

use std::ptr;

use nanodb_ffi::*;

use crate::c::{Coll, Db, bytes, call, updated};

fn convert(document: &[u8], from: nanodb_format, to: nanodb_format) -> Result<Vec<u8>, i32> {
    let mut out = nanodb_buf::default();
    call!(nanodb_convert(document.as_ptr().cast(), document.len(), from, to, &mut out))
        .map(|()| bytes(out).unwrap())
        .map_err(|failed| failed.status)
}

/// Returns MessagePack.
fn pack(json: &str) -> Vec<u8> {
    convert(json.as_bytes(), NANODB_JSON, NANODB_MSGPACK).unwrap()
}

/// Returns JSON of a document within an array of one field, for arrays and ids.
fn pack_value(json: &str) -> Vec<u8> {
    pack(&format!("{{\"v\":{json}}}"))[3..].to_vec()
}

#[test]
fn a_document_of_every_type_goes_back_and_forth() {
    let json = r#"{"null":null,"bool":true,"int":-5,"big":18446744073709551615,"float":1.5,"text":"ü\n","bin":{"$binary":{"base64":"AQID","subType":"00"}},"time":{"$date":"2023-11-14T22:13:20.5Z"},"oid":{"$oid":"65a1b2c3d4e5f60718293a4b"},"uuid":{"$uuid":"123e4567-e89b-12d3-a456-426614174000"},"array":[1,[2,{}]],"ext":{"$ext":{"type":5,"base64":"AQID"}}}"#;
    let packed = pack(json);
    let back = convert(&packed, NANODB_MSGPACK, NANODB_JSON).unwrap();
    assert_eq!(String::from_utf8(back).unwrap(), json);

    let db = Db::in_memory();
    let all = db.collection("all");
    let mut id = nanodb_buf::default();
    call!(nanodb_insert(all.0, packed.as_ptr().cast(), packed.len(), NANODB_MSGPACK, &mut id))
        .unwrap();
    assert_eq!(bytes(id).unwrap(), [1]);
    assert_eq!(all.get("1").unwrap().unwrap(), json.replacen('{', "{\"_id\":1,", 1));
    let mut document = nanodb_buf::default();
    call!(nanodb_get_i64(all.0, 1, NANODB_MSGPACK, &mut document)).unwrap();
    assert_eq!(bytes(document).unwrap(), pack(&json.replacen('{', "{\"_id\":1,", 1)));

    assert_eq!(convert(b"[1]", NANODB_JSON, NANODB_MSGPACK), Err(NANODB_INVALID));
    assert_eq!(convert(b"\x91\x01", NANODB_MSGPACK, NANODB_JSON), Err(NANODB_INVALID));
    assert_eq!(convert(b"\x80\x80", NANODB_MSGPACK, NANODB_JSON), Err(NANODB_INVALID));
}

#[test]
fn ids_of_every_type_are_given_and_taken_in_both_formats() {
    let db = Db::in_memory();
    let all = db.collection("all");
    for (json, expected) in [
        ("7", pack_value("7")),
        ("-7", pack_value("-7")),
        ("18446744073709551615", pack_value("18446744073709551615")),
        ("\"a\"", pack_value("\"a\"")),
        (r#"{"$binary":{"base64":"AQID","subType":"00"}}"#, b"\xc4\x03\x01\x02\x03".to_vec()),
        (
            r#"{"$oid":"65a1b2c3d4e5f60718293a4b"}"#,
            b"\xc7\x0c\x07\x65\xa1\xb2\xc3\xd4\xe5\xf6\x07\x18\x29\x3a\x4b".to_vec(),
        ),
        (
            r#"{"$uuid":"123e4567-e89b-12d3-a456-426614174000"}"#,
            b"\xd8\x04\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00".to_vec(),
        ),
    ] {
        let document = pack(&format!("{{\"_id\":{json}}}"));
        let mut id = nanodb_buf::default();
        let (at, len) = (document.as_ptr().cast(), document.len());
        call!(nanodb_insert(all.0, at, len, NANODB_MSGPACK, &mut id)).unwrap();
        let id = bytes(id).unwrap();
        assert_eq!(id, expected, "{json}");
        let mut found = nanodb_buf::default();
        call!(nanodb_get(all.0, id.as_ptr().cast(), id.len(), NANODB_MSGPACK, &mut found)).unwrap();
        assert_eq!(bytes(found).unwrap(), document);
        assert_eq!(all.get(json).unwrap().unwrap(), format!("{{\"_id\":{json}}}"));
    }
    // A whole float is the integer; JSON with space around it is the same.
    assert!(all.get("7.0").unwrap().is_some());
    assert!(all.get(" 7 ").unwrap().is_some());
    for wrong in ["07", "+7", "null", "true", "[1]", "1.5", "7 7", "", "{\"$date\": 5}"] {
        assert_eq!(
            all.get(wrong).unwrap_err().status,
            if wrong.is_empty() { NANODB_MISUSE } else { NANODB_INVALID },
            "{wrong}"
        );
    }
    for wrong in [&b"\x07\x07"[..], b"\xc0", b"\xcb", b"\x90"] {
        let mut found = nanodb_buf::default();
        let refused = call!(nanodb_get(
            all.0,
            wrong.as_ptr().cast(),
            wrong.len(),
            NANODB_MSGPACK,
            &mut found
        ));
        assert_eq!(refused.unwrap_err().status, NANODB_INVALID);
    }
}

#[test]
fn documents_are_inserted_from_messagepack_as_an_array_or_in_a_row() {
    let db = Db::in_memory();
    let all = db.collection("all");
    let insert = |documents: &[u8]| {
        let mut ids = nanodb_buf::default();
        let (at, len) = (documents.as_ptr().cast(), documents.len());
        call!(nanodb_insert_many(all.0, at, len, NANODB_MSGPACK, &mut ids))
            .map(|()| bytes(ids).unwrap())
    };
    assert_eq!(insert(b"\x92\x80\x81\xa1a\x05").unwrap(), b"\xdd\x00\x00\x00\x02\x01\x02");
    assert_eq!(insert(b"\x80\x80\x81\xa1a\x05").unwrap(), b"\xdd\x00\x00\x00\x03\x03\x04\x05");
    assert_eq!(insert(b"").unwrap(), b"\xdd\x00\x00\x00\x00");
    for wrong in [&b"\x92\x80"[..], b"\x91\x05", b"\x80\x05", b"\x80\x81", b"\x91\x80\x80", b"\xdc"]
    {
        assert_eq!(insert(wrong).unwrap_err().status, NANODB_INVALID, "{wrong:x?}");
    }
    assert_eq!(all.count().unwrap(), 5);
}

#[test]
fn queries_in_messagepack_are_those_in_json() {
    let db = Db::in_memory();
    let all = db.collection("all");
    all.insert_many(r#"[{"a": [1, 5, 9], "s": "x"}, {"a": [2], "s": "y"}, {"a": [], "s": "X"}]"#)
        .unwrap();
    // What JSON would take for a form of a value is made by hand.
    let filter = b"\x81\xa1s\x82\xa6$regex\xa1x\xa8$options\xa1i";
    let options = pack(r#"{"limit": 5, "skip": 0.0, "projection": {"s": 1}}"#);
    let options = {
        // And the sort added.
        let mut with = options.clone();
        with[0] += 1;
        with.extend_from_slice(b"\xa4sort\x81\xa3_id\xff");
        with
    };
    let mut cursor = nanodb_cursor::default();
    call!(nanodb_find(
        all.0,
        filter.as_ptr().cast(),
        filter.len(),
        options.as_ptr().cast(),
        options.len(),
        NANODB_MSGPACK,
        &mut cursor
    ))
    .unwrap();
    let cursor = crate::c::Cur(cursor);
    assert_eq!(cursor.all().unwrap(), r#"[{"_id":3,"s":"X"},{"_id":1,"s":"x"}]"#);

    // An update with array filters.
    let update = b"\x81\xa4$set\x81\xaaa.$[large]\x00";
    let options = b"\x81\xadarray_filters\x91\x81\xa5large\x81\xa3$gt\x04";
    let mut result = nanodb_update_result::default();
    call!(nanodb_update_many(
        all.0,
        ptr::null(),
        0,
        update.as_ptr().cast(),
        update.len(),
        options.as_ptr().cast(),
        options.len(),
        NANODB_MSGPACK,
        &mut result
    ))
    .unwrap();
    assert_eq!(updated_packed(result), (3, 1, None));
    assert_eq!(all.get("1").unwrap().unwrap(), r#"{"_id":1,"a":[1,0,0],"s":"x"}"#);

    // A bulk write.
    let bulk = b"\x91\x81\xaaupdate_one\x83\xa6filter\x81\xa3_id\x63\xa6update\x81\xa4$set\x81\xa1a\x05\xa6upsert\xc3";
    let mut result = nanodb_buf::default();
    call!(nanodb_bulk_write(all.0, bulk.as_ptr().cast(), bulk.len(), NANODB_MSGPACK, &mut result))
        .unwrap();
    let result = convert(&bytes(result).unwrap(), NANODB_MSGPACK, NANODB_JSON).unwrap();
    assert_eq!(
        String::from_utf8(result).unwrap(),
        r#"{"inserted":0,"matched":0,"modified":0,"deleted":0,"upserted":1,"inserted_ids":[],"upserted_ids":[{"operation":0,"id":99}]}"#
    );
    refused(&all);
}

fn updated_packed(result: nanodb_update_result) -> (u64, u64, Option<String>) {
    updated(result)
}

fn refused(all: &Coll) {
    let mut cursor = nanodb_cursor::default();
    for (filter, options) in [
        (&b"\x81\xa1a\x81\xa4$gtt\x01"[..], &b"\x80"[..]),
        (b"\x05", b"\x80"),
        (b"\x80", b"\x90"),
        (b"\x80", b"\x81\xa5limit\xa1x"),
        (b"\x80", b"\x81\xa5other\x01"),
        (b"\x80", b"\x81\x05\x01"),
        (b"\x80", b"\x81\xa4sort\x05"),
    ] {
        let failed = call!(nanodb_find(
            all.0,
            filter.as_ptr().cast(),
            filter.len(),
            options.as_ptr().cast(),
            options.len(),
            NANODB_MSGPACK,
            &mut cursor
        ));
        assert_eq!(failed.unwrap_err().status, NANODB_INVALID, "{filter:x?} {options:x?}");
    }
}

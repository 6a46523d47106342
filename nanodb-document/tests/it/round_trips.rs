//! What is written is what is read, by us and by others.

use nanodb_document::{
    DocView, Document, Encode, Id, Serialized, Value, from_document, record_has_key, record_key,
    to_document, with_hashed_key,
};
use proptest::prelude::*;

use super::any::{self, cases, id_first};
use super::encode;

fn decode_with_rmpv(mut bytes: &[u8]) -> rmpv::Value {
    let value = rmpv::decode::read_value(&mut bytes).unwrap();
    assert!(bytes.is_empty());
    value
}

/// `value` with every token in the longest form that MessagePack has for it.
fn longest_form(value: &Value, out: &mut Vec<u8>) {
    let header = |out: &mut Vec<u8>, marker: u8, len: usize| {
        out.push(marker);
        out.extend(u32::try_from(len).unwrap().to_be_bytes());
    };
    match value {
        Value::Int(number) => {
            out.push(0xd3);
            out.extend(number.to_be_bytes());
        }
        Value::String(text) => {
            header(out, 0xdb, text.len());
            out.extend(text.as_bytes());
        }
        Value::Binary(bytes) => {
            header(out, 0xc6, bytes.len());
            out.extend(bytes);
        }
        Value::Array(elements) => {
            header(out, 0xdd, elements.len());
            elements.iter().for_each(|element| longest_form(element, out));
        }
        Value::Document(document) => {
            header(out, 0xdf, document.len());
            for (name, value) in document {
                longest_form(&name.into(), out);
                longest_form(value, out);
            }
        }
        Value::Timestamp(timestamp) => {
            out.extend([0xc9, 0, 0, 0, 12, 0xff]);
            out.extend(timestamp.nanos().to_be_bytes());
            out.extend(timestamp.secs().to_be_bytes());
        }
        Value::Ext(tag, data) => {
            header(out, 0xc9, data.len());
            out.push(tag.cast_unsigned());
            out.extend(data);
        }
        other => {
            let general = rmpv::Value::try_from(other.clone()).unwrap();
            rmpv::encode::write_value(out, &general).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn documents_are_read_back_with_their_id_first(document in any::document()) {
        let record = encode(&document).unwrap();
        let view = DocView::parse(&record).unwrap();
        let expected = id_first(&document);
        prop_assert_eq!(&view.to_document().unwrap(), &expected);
        prop_assert_eq!(view.id(), document.id());
        prop_assert_eq!(view.len(), document.len());
        let by_field: Document = view
            .iter()
            .map(|field| field.map(|(name, value)| (name, value.to_value().unwrap())))
            .collect::<Result<_, _>>()
            .unwrap();
        prop_assert_eq!(&by_field, &expected);
        prop_assert_eq!(view.to_string(), expected.to_string());
        prop_assert_eq!(format!("{view:#?}"), format!("{expected:#?}"));
    }

    #[test]
    fn the_key_of_a_record_is_the_key_of_its_id(
        document in any::document(),
        other in any::id(),
    ) {
        let record = encode(&document).unwrap();
        let key = document.id().unwrap().to_key();
        let stored = record_key(&record).unwrap_or_default();
        prop_assert!(with_hashed_key(stored, |hashed| hashed == key.as_bytes()));
        // Only a UUID's is stored in another form than it is hashed in.
        let is_uuid = document["_id"].as_uuid().is_some();
        prop_assert_eq!(stored == key.as_bytes(), !is_uuid);
        prop_assert!(record_has_key(&record, &key));
        let other = Id::try_from(other).unwrap();
        let equal = other.as_ref() == document.id().unwrap();
        prop_assert_eq!(record_has_key(&record, &other.to_key()), equal);
        prop_assert_eq!(Id::from_key(&key), document.id().map(Id::from));
    }

    #[test]
    fn an_id_assigned_later_gives_the_same_record(fields in any::fields(), id in any::<i64>()) {
        let mut with_id = Document::from([("_id", id)]);
        with_id.extend(fields.clone());
        let expected = encode(&with_id).unwrap();

        // Something lies before it in the buffer, and must stay.
        let mut buffer = vec![0xee; 30];
        let mut draft = fields.encode(None, &mut buffer).unwrap();
        prop_assert!(!draft.has_id());
        prop_assert!(draft.record(&buffer).is_empty());
        draft.assign_id(id, &mut buffer);
        prop_assert_eq!(draft.record(&buffer), &expected[..]);
        prop_assert_eq!(&buffer[..30], &[0xee; 30]);
        draft.assign_id(id.wrapping_add(1), &mut buffer);
        prop_assert_eq!(draft.record(&buffer), &expected[..]);

        let mut buffer = Vec::new();
        let given = fields.encode(Some(id.into()), &mut buffer).unwrap();
        prop_assert_eq!(given.record(&buffer), &expected[..]);
    }

    #[test]
    fn every_way_in_gives_the_same_bytes(document in any::document()) {
        let record = encode(&document).unwrap();
        let general = rmpv::Value::try_from(document.clone()).unwrap();
        prop_assert_eq!(&encode(&general).unwrap(), &record);

        let mut by_rmpv = Vec::new();
        rmpv::encode::write_value(&mut by_rmpv, &general).unwrap();
        prop_assert_eq!(&encode(&DocView::from_bytes(&by_rmpv)).unwrap(), &record);

        let mut longest = Vec::new();
        longest_form(&document.clone().into(), &mut longest);
        prop_assert_eq!(&encode(&DocView::from_bytes(&longest)).unwrap(), &record);

        prop_assert_eq!(&encode(&Serialized(&document)).unwrap(), &record);
        prop_assert_eq!(&encode(&Serialized(DocView::from_bytes(&record))).unwrap(), &record);
        prop_assert_eq!(&encode(&DocView::from_bytes(&record)).unwrap(), &record);
    }

    #[test]
    fn rmpv_reads_our_bytes_and_we_read_its_values(document in any::document()) {
        let decoded = decode_with_rmpv(&encode(&document).unwrap());
        let back = Document::try_from(decoded).unwrap();
        prop_assert_eq!(back, id_first(&document));
    }

    #[test]
    fn serde_brings_every_value_back(document in any::document()) {
        prop_assert_eq!(&to_document(&document).unwrap(), &document);
        let back: Document = from_document(&document).unwrap();
        prop_assert_eq!(&back, &document);
        let record = encode(&document).unwrap();
        let back: Document = DocView::from_bytes(&record).deserialize().unwrap();
        prop_assert_eq!(back, id_first(&document));
    }

    #[test]
    fn values_equal_themselves_and_their_copies(value in any::value()) {
        prop_assert_eq!(&value, &value.clone());
    }
}

#[test]
fn an_id_in_long_form_is_found_wherever_it_stands() {
    let expected = encode(&nanodb_document::doc! { "a": 1, "_id": 7, "b": 2 }).unwrap();
    let id_name = [0xd9, 3, b'_', b'i', b'd'];
    let fields: [&[u8]; 3] =
        [&[0xa1, b'a', 0xd0, 1], &[&id_name[..], &[0xcd, 0, 7]].concat(), &[0xa1, b'b', 2]];
    for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1]] {
        let mut bytes = vec![0xde, 0, 3];
        order.iter().for_each(|&index| bytes.extend(fields[index]));
        assert_eq!(encode(&DocView::from_bytes(&bytes)).unwrap(), expected, "{order:?}");
    }
}

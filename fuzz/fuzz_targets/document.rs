//! Any bytes as a document: looked at through a view, and encoded for storing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_document::{DocView, Encode};

fuzz_target!(|bytes: &[u8]| {
    // Unchecked: whatever a damaged file may hand out.
    let view = DocView::from_bytes(bytes);
    let _ = view.id();
    let _ = view.get_path("a.b.0");
    let _ = view.get("_id");
    view.iter().for_each(drop);
    let _ = view.to_string();
    let decoded = view.to_document();

    let mut stored = Vec::new();
    let Ok(mut draft) = view.encode(None, &mut stored) else { return };
    if !draft.has_id() {
        draft.assign_id(1, &mut stored);
    }
    let record = draft.record(&stored).to_vec();
    let stored_view = DocView::parse(&record).expect("what is stored is a document");
    assert!(stored_view.id().is_some());
    let first = stored_view.to_document().expect("and can be decoded");
    // Storing what was stored changes nothing any more.
    let mut again = Vec::new();
    let draft = stored_view.encode(None, &mut again).expect("what is stored can be stored");
    assert_eq!(draft.record(&again), record);
    if let Ok(decoded) = decoded {
        assert!(decoded.len() <= first.len());
    }
});

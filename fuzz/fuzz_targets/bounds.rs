//! Any filter, any index and any document: whatever matches has a key within the bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nanodb_query::bytes::FilterBytes;
use nanodb_query::plan::{self, KeyPosition};
use nanodb_query::{Filter, Index, IndexKeys, IndexSpec};

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (filter, index, document) = input;
    let (Ok(filter), Ok(index)) = (Filter::parse_json(filter), Index::parse_json(index)) else {
        return;
    };
    let spec = index.spec().expect("what is read from text has been checked");
    assert_eq!(IndexSpec::decode(&spec.encode()).expect("what was stored"), spec);
    let mut keys = IndexKeys::default();
    // Bytes that are damaged where the filter does not look may have no keys.
    if keys.enumerate(&spec, document).is_err() || !filter.matches(document).unwrap_or(false) {
        return;
    }
    for bounds in plan::index_bounds(&filter, &spec, keys.multikey()).unwrap_or_default() {
        let ranges = bounds.scan_ranges(64);
        let found = keys.iter().any(|key| {
            bounds.position(key, &mut Vec::new()) == KeyPosition::Inside
                && ranges.iter().any(|range| range.contains(key))
        });
        assert!(found, "lost: {filter} by {spec}");
    }
});

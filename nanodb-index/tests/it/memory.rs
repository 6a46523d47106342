use nanodb_index::{IdIndex, KeyHash, RecordId};

#[test]
fn an_empty_index_takes_less_than_a_kilobyte() {
    assert!(IdIndex::new().memory_bytes() <= 1024, "{}", IdIndex::new().memory_bytes());
}

#[test]
fn an_index_of_one_entry_takes_less_than_two_kilobytes() {
    let index = IdIndex::new();
    index.write().insert(KeyHash::from_bits(1), RecordId { page: 1, slot: 1 });
    assert!(index.memory_bytes() < 2048, "{}", index.memory_bytes());
}

#[test]
fn an_entry_takes_less_than_twelve_bytes() {
    let index = IdIndex::new();
    let mut writer = index.write();
    let (mut sum, mut samples) = (0.0, 0);
    for id in 1..=1_000_000u32 {
        writer.insert(KeyHash::of_id(1, &id.to_le_bytes()), RecordId { page: id / 20, slot: 0 });
        if id >= 100_000 && id % 10_000 == 0 {
            let bytes = index.memory_bytes() as f64 / f64::from(id);
            assert!(bytes < 13.0, "{bytes} bytes an entry at {id} entries");
            (sum, samples) = (sum + bytes, samples + 1);
        }
    }
    let mean = sum / f64::from(samples);
    assert!(mean < 11.0, "{mean} bytes an entry from 100,000 to 1,000,000 entries");
}

#[test]
fn memory_is_used_again_after_all_entries_are_removed() {
    let index = IdIndex::new();
    let fill = || {
        for id in 0..50_000u32 {
            index
                .write()
                .insert(KeyHash::of_id(1, &id.to_le_bytes()), RecordId { page: id, slot: 0 });
        }
        index.memory_bytes()
    };
    let first = fill();
    for id in 0..50_000u32 {
        let key = KeyHash::of_id(1, &id.to_le_bytes());
        assert!(index.write().remove(key, RecordId { page: id, slot: 0 }));
    }
    assert_eq!(index.len(), 0);
    assert!(fill() <= first + first / 100);
    assert_eq!(index.len(), 50_000);
}

use super::*;
use crate::cache_lines::Lines;
use crate::{IdIndex, RecordId};

#[test]
fn position_and_tag_give_the_key_back_from_every_bucket_of_its_window() {
    let mut random = fastrand::Rng::with_seed(1);
    let lines = Lines::zeroed(1);
    let group = Group::new(lines.get(0).unwrap());
    for depth in UPPER_LEVELS..=crate::directory::DEPTH_MAX {
        for segments in 4..=SEGMENTS_MAX {
            group.install(segments * SEGMENT_BUCKETS, &[]);
            for _ in 0..2000 {
                let key = KeyHash::of(random.u64(..));
                let at =
                    GroupPosition { group, head: group.head(), depth, prefix: key.prefix(depth) };
                let entry = key.entry(RecordId { page: 1, slot: 1 }).unwrap();
                let mut position = at.home(key);
                for _ in 0..at.head.window() {
                    assert_eq!(at.key_at(position, entry), key, "{at:?}, bucket {position}");
                    position = at.head.next(position);
                }
            }
        }
    }
}

#[test]
fn installing_leaves_the_set_in_force_as_it_was() {
    let lines = Lines::zeroed(1);
    let group = Group::new(lines.get(0).unwrap());
    for round in 0..4 {
        let before = group.head();
        let in_force: Vec<u32> = group.segments(before).collect();
        let installed: Vec<u32> = (0..SEGMENTS_MAX).map(|number| round * 100 + number).collect();
        group.install(SEGMENTS_MAX * SEGMENT_BUCKETS, &installed);
        assert_eq!(group.segments(group.head()).collect::<Vec<_>>(), installed);
        assert_eq!(group.segments(before).collect::<Vec<_>>(), in_force);
        assert_ne!(group.head(), before);
    }
}

#[test]
fn even_hashes_leave_the_stash_empty_and_fill_groups_to_seven_eighths() {
    let index = IdIndex::new();
    let mut writer = index.write();
    let mut fullest: f64 = 0.0;
    for id in 0..200_000u32 {
        writer.insert(KeyHash::of_id(1, &id.to_le_bytes()), RecordId { page: id, slot: 0 });
        if id > 50_000 && id % 1000 == 0 {
            let buckets: u32 = index.directory.groups().map(|at| at.head.buckets()).sum();
            fullest = fullest.max(f64::from(id) / f64::from(buckets * 8));
        }
    }
    assert_eq!(index.stash.heap_bytes(), 0);
    assert!(fullest > 0.8, "{fullest}");
}

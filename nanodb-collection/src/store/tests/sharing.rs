//! One budget for the id indexes of all collections.

use super::*;

/// Memory of a group, roughly: some four to seven segments of 4 KiB.
const GROUP_BYTES_MAX: usize = 7 * 4096;

/// Collections with some 20 groups each, of which nothing is in memory.
fn reopened(names: &[&str], bytes_max: usize) -> Database {
    let file = SimStorage::new();
    let options = || Database::options().background(false).index_bytes_max(bytes_max);
    let db = options().open_on(Arc::new(file.clone())).unwrap();
    for name in names {
        db.collection(name).insert_many((0..COUNT).map(|id| doc! { "_id": id })).unwrap();
    }
    db.close().unwrap();
    options().open_on(Arc::new(file)).unwrap()
}

const COUNT: i64 = 40_000;

fn loaded(db: &Database, name: &str) -> usize {
    store(db, name).id_index.loaded_bytes()
}

fn all_loaded(db: &Database) -> usize {
    db.engine().catalog.index_set.budget.loaded.get()
}

/// Goes through some ids without an order.
fn read(collection: &Collection, times: i64) {
    for n in 0..times {
        assert!(collection.contains(n * 7919 % COUNT).unwrap());
    }
}

#[test]
fn a_collection_that_nobody_reads_gives_way_to_one_that_is_read() {
    let bytes_max = 400_000;
    let db = reopened(&["a", "b"], bytes_max);
    let (a, b) = (db.collection("a"), db.collection("b"));
    read(&a, 300);
    let whole = loaded(&db, "a");
    assert!(whole > bytes_max / 2 && whole <= bytes_max, "{whole}");
    read(&b, 600);
    assert!(loaded(&db, "b") > whole / 10 * 9, "{} of {whole}", loaded(&db, "b"));
    assert!(all_loaded(&db) <= bytes_max);
    assert_eq!(all_loaded(&db), loaded(&db, "a") + loaded(&db, "b"));
}

#[test]
fn what_one_collection_always_reads_stays_while_another_is_gone_through() {
    // Each database has a hash seed of its own, and so puts the ids into groups in another way.
    for _ in 0..4 {
        let db = reopened(&["a", "b"], 200_000);
        let (a, b) = (db.collection("a"), db.collection("b"));
        let store = store(&db, "a");
        let hot =
            [1, 2, 3].map(|id: i64| (id, store.hash(&nanodb_document::Id::from(id).to_key())));
        hot.iter().for_each(|&(id, _)| assert!(a.contains(id).unwrap()));
        let (steps, mut loads) = (2_000, 0);
        for id in 0..steps {
            assert!(b.contains(id * 7919 % COUNT).unwrap());
            for (id, hash) in hot {
                loads += i64::from(store.built_index().unwrap().ids.absent_range(hash).is_some());
                assert!(a.contains(id).unwrap());
            }
        }
        // By turns it would be every tenth time and more.
        let seed = store.hash_seed;
        assert!(
            loads < 3 * steps / 100,
            "{loads} times of {} not in memory; hash seed {seed}",
            3 * steps
        );
        assert!(loaded(&db, "b") > 0);
    }
}

#[test]
fn the_budget_holds_for_all_collections_together_whatever_is_done() {
    let names = ["a", "b", "c"];
    let mut random = nanodb_sim::Random::new(11);
    for bytes_max in [0, 50_000, 150_000] {
        let db = reopened(&names, bytes_max);
        let collections = names.map(|name| db.collection(name));
        let mut gone = std::collections::BTreeSet::new();
        for step in 0..400 {
            let at = random.below(3);
            let (collection, id) = (&collections[at], random.below(40_000) as i64);
            match random.below(8) {
                0 if gone.insert((at, id)) => assert!(collection.delete(id).unwrap()),
                1 if gone.remove(&(at, id)) => collection.insert(sized(id, 9)).unwrap(),
                2 => assert_eq!(
                    collection.replace(id, sized(id, 90)).unwrap(),
                    !gone.contains(&(at, id))
                ),
                _ => assert_eq!(collection.contains(id).unwrap(), !gone.contains(&(at, id))),
            }
            if step % 100 == 0 {
                db.checkpoint().unwrap();
            }
            assert!(all_loaded(&db) <= bytes_max.max(GROUP_BYTES_MAX), "{}", all_loaded(&db));
        }
        let sum: usize = names.iter().map(|name| loaded(&db, name)).sum();
        assert_eq!(sum, all_loaded(&db));
        assert!(db.check().unwrap().is_clean());
    }
}

#[test]
fn a_dropped_collection_takes_nothing_of_the_budget() {
    let db = reopened(&["a", "b"], 1 << 30);
    let a = db.collection("a");
    read(&a, 500);
    assert!(all_loaded(&db) > 0);
    let before = db.snapshot();
    assert!(db.drop_collection("a").unwrap());
    // The handle is still there.
    assert_eq!((all_loaded(&db), a.count()), (0, 0));
    assert!(!a.contains(1).unwrap());
    for _ in 0..2 {
        let dropped = before.collection("a");
        assert!((0..COUNT).step_by(997).all(|id| dropped.contains(id).unwrap()));
        db.checkpoint().unwrap();
    }
}

#[test]
fn a_handle_goes_on_with_what_its_name_comes_to_mean() {
    let db = Database::in_memory().unwrap();
    let a = db.collection("a");
    for round in 1..20_i64 {
        a.insert(sized(round, 10)).unwrap();
        assert!(a.contains(round).unwrap() && a.clone().contains(round).unwrap());
        assert!(!a.contains(round - 1).unwrap());
        assert!(a.replace(round, sized(round, 20)).unwrap());
        match round % 3 {
            0 => db.rename_collection("a", &format!("a{round}")).unwrap(),
            _ => assert!(db.drop_collection("a").unwrap()),
        }
        assert_eq!((a.count(), a.clone().count()), (0, 0));
        assert!(!a.delete(round).unwrap() && !a.contains(round).unwrap());
    }
}

//! Any sequence of operations, compared with a map from page to bytes. The cache is so small that
//! most of what a transaction takes is written to the file directly.
//!
//! Several transactions are open at once, on pages of their own; commits are held
//! between installed and published; snapshots live on; the file is closed and
//! reopened in between. After each operation everything is looked at: the newest
//! published pages, all snapshots, reads at commits long past, the root, and where
//! every page of the file belongs.

mod harness;

use proptest::prelude::*;

use self::harness::Harness;

/// One operation. Numbers pick among what there is, modulo how much there is.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Takes an extent and initialises the first pages of it.
    Allocate {
        tx: usize,
        pages: u32,
        init: u32,
    },
    /// Initialises a page that was taken but not initialised, perhaps long ago.
    Init {
        tx: usize,
        pick: usize,
    },
    Write {
        tx: usize,
        pick: usize,
        offset: usize,
        byte: u8,
        len: usize,
    },
    Free {
        tx: usize,
        pick: usize,
    },
    Commit {
        tx: usize,
        note: Vec<u8>,
    },
    /// As a commit, but published only before the next one.
    Install {
        tx: usize,
        note: Vec<u8>,
    },
    Rollback {
        tx: usize,
    },
    Snapshot,
    DropSnapshot {
        pick: usize,
    },
    Checkpoint,
    /// Closes and opens the file, with open transactions rolled back before or after.
    Reopen {
        rollback_first: bool,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let tx = || 0..harness::TRANSACTIONS;
    let note = || prop::collection::vec(any::<u8>(), 0..12);
    let pick = any::<usize>;
    prop_oneof![
        4 => (tx(), 0_u32..12, 0_u32..12).prop_map(|(tx, pages, init)| Op::Allocate { tx, pages, init }),
        3 => (tx(), pick()).prop_map(|(tx, pick)| Op::Init { tx, pick }),
        12 => (tx(), pick(), 0_usize..4064, any::<u8>(), prop_oneof![4 => 1_usize..200, 1 => 2500_usize..4000])
            .prop_map(|(tx, pick, offset, byte, len)| Op::Write { tx, pick, offset, byte, len }),
        4 => (tx(), pick()).prop_map(|(tx, pick)| Op::Free { tx, pick }),
        6 => (tx(), note()).prop_map(|(tx, note)| Op::Commit { tx, note }),
        3 => (tx(), note()).prop_map(|(tx, note)| Op::Install { tx, note }),
        1 => tx().prop_map(|tx| Op::Rollback { tx }),
        3 => Just(Op::Snapshot),
        2 => pick().prop_map(|pick| Op::DropSnapshot { pick }),
        2 => Just(Op::Checkpoint),
        1 => any::<bool>().prop_map(|rollback_first| Op::Reopen { rollback_first }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if crate::support::long() { 20_000 } else { 400 },
        max_shrink_iters: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_operations_leave_what_the_model_says(ops in prop::collection::vec(op(), 1..120)) {
        let mut harness = Harness::new();
        for op in ops {
            harness.perform(op);
            harness.check();
        }
        harness.perform(Op::Reopen { rollback_first: true });
        harness.check();
    }
}

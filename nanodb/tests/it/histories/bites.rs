//! The checker, on histories made by hand.

use super::checker::{Anomaly, check};
use super::history::{History, Op, Outcome, Transaction};
use Op::{Append, Read};

/// All at the same time, all committed.
fn history(transactions: &[&[Op]], lists: &[&[u64]]) -> History {
    let transaction = |ops: &&[Op]| Transaction {
        ops: ops.to_vec(),
        outcome: Outcome::Committed,
        begun: 0,
        ended: 1,
    };
    History {
        transactions: transactions.iter().map(transaction).collect(),
        lists: lists.iter().map(|list| list.to_vec()).collect(),
    }
}

#[test]
fn nothing_is_wrong_with_transactions_one_after_the_other() {
    let mut good = history(
        &[
            &[Append(0, 1), Append(1, 2)],
            &[Read(0, vec![1]), Append(0, 3), Read(0, vec![1, 3]), Append(0, 4)],
            &[Read(0, vec![1, 3, 4]), Read(1, vec![2])],
            &[Append(1, 9), Read(1, vec![2, 9])],
        ],
        &[&[1, 3, 4], &[2], &[]],
    );
    for (at, transaction) in good.transactions.iter_mut().enumerate() {
        (transaction.begun, transaction.ended) = (2 * at as u64, 2 * at as u64 + 1);
    }
    good.transactions[3].outcome = Outcome::Aborted;
    assert_eq!(check(&good), []);
}

#[test]
fn a_lost_update_is_found() {
    let both: [&[Op]; 2] = [&[Read(0, vec![]), Append(0, 1)], &[Read(0, vec![]), Append(0, 2)]];
    assert_eq!(check(&history(&both, &[&[2]])), [Anomaly::LostUpdate { by: 0, item: 1 }]);
    // Had the second kept the first's append, it would have seen it.
    assert_eq!(check(&history(&both, &[&[1, 2]])), [Anomaly::ReadSkew(vec![0, 1])]);
    // In the wrong list.
    let moved = history(&[&[Append(0, 1)]], &[&[], &[1]]);
    assert_eq!(check(&moved), [Anomaly::LostUpdate { by: 0, item: 1 }]);
    let twice = history(&[&[Append(0, 1)]], &[&[1, 1]]);
    assert_eq!(check(&twice), [Anomaly::Twice { key: 0, item: 1 }]);
}

#[test]
fn an_aborted_read_is_found() {
    let mut aborted = history(&[&[Append(0, 1)], &[Read(0, vec![1])]], &[&[]]);
    aborted.transactions[0].outcome = Outcome::Aborted;
    let seen = Anomaly::AbortedRead { by: Some(1), of: 0 };
    assert_eq!(check(&aborted), [seen, Anomaly::Diverged { by: 1, key: 0 }]);
    aborted.transactions.pop();
    aborted.lists[0].push(1);
    assert_eq!(check(&aborted), [Anomaly::AbortedRead { by: None, of: 0 }]);
}

#[test]
fn an_intermediate_read_is_found() {
    let middle = history(&[&[Append(0, 1), Append(0, 2)], &[Read(0, vec![1])]], &[&[1, 2]]);
    assert_eq!(check(&middle), [Anomaly::IntermediateRead { by: 1, of: 0 }]);
}

#[test]
fn not_seeing_ones_own_append_is_found() {
    let blind = history(&[&[Append(0, 1), Read(0, vec![])]], &[&[1]]);
    assert_eq!(check(&blind), [Anomaly::OwnWriteUnseen { by: 0, key: 0 }]);
}

#[test]
fn a_list_that_never_was_is_found() {
    let other = history(&[&[Append(0, 1)], &[Append(0, 2)], &[Read(0, vec![2])]], &[&[1, 2]]);
    assert_eq!(check(&other), [Anomaly::Diverged { by: 2, key: 0 }]);
}

#[test]
fn a_write_cycle_is_found() {
    let lists: [&[u64]; 2] = [&[1, 3], &[4, 2]];
    let crossed = history(&[&[Append(0, 1), Append(1, 2)], &[Append(0, 3), Append(1, 4)]], &lists);
    assert_eq!(check(&crossed), [Anomaly::WriteCycle(vec![0, 1])]);
}

#[test]
fn circular_information_flow_is_found() {
    let each = history(
        &[&[Append(0, 1), Read(1, vec![2])], &[Append(1, 2), Read(0, vec![1])]],
        &[&[1], &[2]],
    );
    assert_eq!(check(&each), [Anomaly::CircularFlow(vec![0, 1])]);
}

#[test]
fn read_skew_is_found() {
    let torn = history(
        &[&[Append(0, 1), Append(1, 2)], &[Read(0, vec![1]), Read(1, vec![])]],
        &[&[1], &[2]],
    );
    assert_eq!(check(&torn), [Anomaly::ReadSkew(vec![0, 1])]);
    // Also for one who was rolled back in the end.
    let mut aborted = torn;
    aborted.transactions[1].outcome = Outcome::Aborted;
    assert_eq!(check(&aborted), [Anomaly::ReadSkew(vec![0, 1])]);
    // The same list twice, differently.
    let again = history(&[&[Append(0, 1)], &[Read(0, vec![]), Read(0, vec![1])]], &[&[1]]);
    assert_eq!(check(&again), [Anomaly::ReadSkew(vec![0, 1])]);
}

#[test]
fn write_skew_is_found() {
    let skewed = history(
        &[&[Read(0, vec![]), Append(1, 1)], &[Read(1, vec![]), Append(0, 2)]],
        &[&[2], &[1]],
    );
    assert_eq!(check(&skewed), [Anomaly::WriteSkew(vec![0, 1])]);
    // Two readers who do not agree on which of two writers came first.
    let fork = history(
        &[
            &[Append(0, 1)],
            &[Append(1, 2)],
            &[Read(0, vec![1]), Read(1, vec![])],
            &[Read(0, vec![]), Read(1, vec![2])],
        ],
        &[&[1], &[2]],
    );
    assert_eq!(check(&fork), [Anomaly::WriteSkew(vec![0, 2, 1, 3])]);
}

#[test]
fn a_violation_of_real_time_is_found() {
    let mut stale = history(&[&[Append(0, 1)], &[Read(0, vec![])]], &[&[1]]);
    assert_eq!(check(&stale), []);
    stale.transactions[1].begun = 2;
    stale.transactions[1].ended = 3;
    assert_eq!(check(&stale), [Anomaly::RealTime(vec![0, 1])]);
}

//! Calls and a gate, without a model checker.

use std::thread;
use std::time::Duration;

use super::CallGate;

#[test]
fn a_gate_that_is_shut_refuses_calls_and_is_shut_once() {
    let gate = CallGate::new();
    assert!(!gate.is_shut());
    let calls = [gate.enter().unwrap(), gate.enter().unwrap()];
    drop(calls);
    assert!(gate.shut() && gate.is_shut());
    assert!(!gate.shut(), "it was shut before");
    assert!(gate.enter().is_none());
    gate.wait_until_idle();
    assert!(gate.enter().is_none(), "one that was refused leaves nothing behind");
    gate.wait_until_idle();
}

#[test]
fn who_waits_is_held_up_by_each_call_that_is_under_way() {
    let gate = CallGate::new();
    let mut calls = vec![gate.enter().unwrap(), gate.enter().unwrap()];
    assert!(gate.shut());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| gate.wait_until_idle());
        while let Some(call) = calls.pop() {
            thread::sleep(Duration::from_millis(10));
            assert!(!waiting.is_finished());
            drop(call);
        }
        waiting.join().unwrap();
    });
}

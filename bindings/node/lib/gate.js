'use strict';
// Waiting for collections that transactions hold, without a thread: see `src/gate.rs`.

const { ANSWER, addon, sleep, threadId } = require('./native.js');
const { NanoDBError } = require('./errors.js');

// A write outside of transactions gives up after so many milliseconds.
const WAIT_MS_MAX = 60_000;

// How often it is asked for collections that other threads hold.
const POLL_MS_MIN = 1;
const POLL_MS_MAX = 20;

// Who waits for a transaction of this thread to end.
let waiting = [];

// Lets all ask again.
function wake() {
  const woken = waiting;
  waiting = [];
  for (const resolve of woken) resolve();
}

// Resolves when it is worth asking again.
function changed(answer, attempt) {
  if (answer === ANSWER.HELD_HERE) return new Promise((resolve) => waiting.push(resolve));
  const milliseconds = Math.min(POLL_MS_MIN << Math.min(attempt, 10), POLL_MS_MAX);
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Resolves when a write to a collection may begin.
async function untilFree(object, name) {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (let attempt = 0; ; attempt++) {
    const answer = addon.ask(object, threadId);
    if (answer === ANSWER.BEGIN) return;
    const left = deadline - Date.now();
    if (left <= 0) throw held(name, `for ${WAIT_MS_MAX / 1000} seconds`);
    let timer;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, left);
    });
    await Promise.race([changed(answer, attempt), timeout]);
    clearTimeout(timer);
  }
}

// Resolves when a step of a transaction may begin, to true; or to false if it never could.
async function untilHeld(object) {
  for (let attempt = 0; ; attempt++) {
    const answer = addon.ask(object, threadId);
    if (answer === ANSWER.BEGIN) return true;
    if (answer === ANSWER.DEADLOCK) return false;
    await changed(answer, attempt);
  }
}

// Throws if a write of a synchronous call could never begin.
function checkFree(object, name) {
  if (addon.ask(object, threadId) === ANSWER.HELD_HERE) throw held(name, 'in this thread');
}

// Waits, in this thread, until a step of a synchronous transaction may begin.
function hold(object, name) {
  for (let attempt = 0; ; attempt++) {
    const answer = addon.ask(object, threadId);
    if (answer === ANSWER.BEGIN) return;
    if (answer === ANSWER.DEADLOCK) throw deadlock(name);
    if (answer === ANSWER.HELD_HERE) throw held(name, 'in this thread');
    sleep(Math.min(POLL_MS_MIN << Math.min(attempt, 10), POLL_MS_MAX));
  }
}

function held(name, how) {
  const error = new NanoDBError(
    `a transaction has held the collection ${JSON.stringify(name)} ${how}: within a ` +
      'transaction, read and write through its own collections, and await it before others write',
    'NANODB_CONFLICT',
  );
  error.collection = name;
  // Running it again would change nothing.
  error.isHopeless = true;
  return error;
}

// The error of a transaction that has lost a deadlock.
function deadlock(name) {
  const error = new NanoDBError(
    `waiting for the collection ${JSON.stringify(name)} would deadlock, so the transaction was ` +
      'rolled back: run it again',
    'NANODB_CONFLICT',
  );
  error.collection = name;
  return error;
}

module.exports = { changed, checkFree, deadlock, hold, untilFree, untilHeld, wake };

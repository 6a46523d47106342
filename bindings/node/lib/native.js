'use strict';
// The addon, and how it is called.
//
// A request is encoded into `encoder`, whose buffer the addon has, too; the reply to a call lies in
// the same buffer when the call returns, and is valid until the next one. A reply to an
// asynchronous call is taken into the same buffer, or has its own if it is large. `src/reply.rs`
// describes replies.

const path = require('node:path');
const { threadId } = require('node:worker_threads');
const { Encoder } = require('./encode.js');
const { Decoder } = require('./decode.js');
const { errorOf, NanoDBError } = require('./errors.js');

// The numbers of `src/operation.rs`.
const OP = Object.freeze({
  OPEN: 1,
  CLOSE: 10,
  COLLECTIONS: 11,
  DROP_COLLECTION: 12,
  RENAME_COLLECTION: 13,
  SYNC: 14,
  CHECKPOINT: 15,
  COMPACT: 16,
  STATS: 17,
  CHECK: 18,
  SNAPSHOT: 19,
  BEGIN: 20,
  COLLECTION: 21,
  GET: 30,
  GET_EACH: 31,
  FIND: 32,
  FIND_ONE: 33,
  COUNT: 34,
  COUNT_DOCUMENTS: 35,
  DISTINCT: 36,
  EXPLAIN: 37,
  INSERT: 40,
  INSERT_MANY: 41,
  UPDATE_ONE: 42,
  UPDATE_MANY: 43,
  REPLACE_ONE: 44,
  DELETE_ONE: 45,
  DELETE_MANY: 46,
  FIND_ONE_AND_UPDATE: 47,
  FIND_ONE_AND_REPLACE: 48,
  FIND_ONE_AND_DELETE: 49,
  BULK_WRITE: 50,
  NEXT: 60,
  COMMIT: 70,
  ROLLBACK: 71,
});

const TAG = Object.freeze({ DONE: 0, FAILED: 1, NOTHING: 2, MORE: 3, AGAIN: 4 });
const HEADER = 5;

// What the gate answers who asks.
const ANSWER = Object.freeze({ BEGIN: 0, HELD_HERE: 1, HELD_ELSEWHERE: 2, DEADLOCK: 3 });

const BUFFER_BYTES = 64 * 1024;

// A larger buffer is given back after the call that needed it.
const BUFFER_BYTES_KEPT = 4 * 1024 * 1024;

const addon = load();
const encoder = new Encoder(BUFFER_BYTES);
const plain = new Decoder();
addon.attach(encoder.buffer);
encoder.onGrow = (buffer) => addon.attach(buffer);

function load() {
  const { platform, arch } = process;
  const libc = platform === 'linux' ? (isMusl() ? '-musl' : '-gnu') : '';
  const name = `nanodb.${platform}-${arch}${libc}.node`;
  const file = path.join(__dirname, '..', 'addon', name);
  try {
    return require(file);
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND') throw cause;
    throw new NanoDBError(
      `this package has no addon for ${platform} on ${arch} (${file} is missing); build it with ` +
        '`npm run build`',
      'NANODB_UNSUPPORTED',
      { cause },
    );
  }
}

function isMusl() {
  return process.report?.getReport?.().header?.glibcVersionRuntime === undefined;
}

// Does an operation, of which the request was encoded, and returns how long the reply is.
function call(object, operation) {
  let size = addon.call(object, operation, encoder.at);
  if (size < 0) {
    encoder.replace(-size);
    size = addon.takeReply();
  }
  if (encoder.buffer[0] === TAG.FAILED) throw failure(encoder.buffer);
  return size;
}

// Gives back a buffer that one call needed.
function shrink() {
  if (encoder.buffer.length > BUFFER_BYTES_KEPT) encoder.replace(BUFFER_BYTES);
}

// What an asynchronous write resolves to that is to be sent again, and where its request is kept.
class Again {
  constructor(gathered) {
    this.gathered = gathered;
  }
}

// Does an operation in another thread, of which the request was encoded or gathered. Resolves to
// what `finish` makes of the reply, which is valid only during that call.
async function callAsync(object, operation, gathered, finish) {
  const started = addon.callAsync(object, operation, encoder.at, gathered);
  shrink();
  const reply = await started;
  // A small reply is taken into the buffer. Nobody is encoding there: that never awaits.
  if (typeof reply === 'number') return finished(encoder.buffer, addon.take(reply), finish);
  return finished(reply, reply.length, finish);
}

function finished(reply, size, finish) {
  if (reply[0] === TAG.FAILED) throw failure(reply);
  if (reply[0] === TAG.AGAIN) return new Again(objectOf(reply));
  return finish?.(reply, size);
}

// Returns a reply that outlasts the call of `finish`.
function kept(reply, size) {
  return reply === encoder.buffer ? Buffer.from(reply.subarray(0, size)) : reply;
}

function failure(reply) {
  return errorOf(plain.document(reply, HEADER));
}

// Returns the number of the object that a reply made.
function objectOf(reply) {
  return reply.readUInt32BE(1);
}

// An argument that is encoded by rules of its own.
class Part {
  constructor(value, encode) {
    this.value = value;
    this.encode = encode;
  }
}

// A document that is to be stored, in which regular expressions are refused.
function stored(document) {
  return new Part(document, (value) => {
    encoder.isQuery = false;
    encoder.document(value);
  });
}

function update(document) {
  return new Part(document, (value) => encoder.update(value));
}

// Encodes a request. Arguments that are undefined are left out.
function request(args, ignoreUndefined = false) {
  encoder.reset();
  encoder.ignoreUndefined = ignoreUndefined;
  fields(args);
}

// Encodes arguments as a map, behind what is encoded already.
function fields(args) {
  const names = Object.keys(args).filter((name) => args[name] !== undefined);
  encoder.mapHeader(names.length);
  for (const name of names) {
    const value = args[name];
    encoder.string(name);
    if (value instanceof Part) {
      value.encode(value.value);
    } else {
      encoder.isQuery = true;
      encoder.any(value);
    }
  }
}

// Returns all documents of a reply, made by the database for us.
function plainDocuments(reply, size) {
  const documents = [];
  plain.documents(reply, HEADER, size, documents);
  return documents;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

// Stops this thread.
function sleep(milliseconds) {
  Atomics.wait(sleeper, 0, 0, milliseconds);
}

module.exports = {
  OP,
  TAG,
  HEADER,
  ANSWER,
  Again,
  addon,
  encoder,
  fields,
  plain,
  call,
  callAsync,
  kept,
  objectOf,
  plainDocuments,
  request,
  shrink,
  sleep,
  stored,
  threadId,
  update,
};

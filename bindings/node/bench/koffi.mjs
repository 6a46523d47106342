// The addon beside the same done by koffi over the C library: reads by id, inserts of a thousand,
// and finds of a thousand documents, with the same encoder and decoder on both sides.
//
//     LIBNANODB=target/release/libnanodb_ffi.so node bench/koffi.mjs [ROUNDS]
//
// koffi is looked for where NODE_PATH says. Processor time of the whole process is what counts: it
// differs less from run to run than the clock does.

import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const koffi = createRequire(path.join(process.env.NODE_PATH ?? '.', 'x.js'))('koffi');
const nanodb = require('../lib/index.js');
const { Encoder } = require('../lib/encode.js');
const { Decoder } = require('../lib/decode.js');
const { addon } = require('../lib/native.js');

const ROUNDS = Number(process.argv[2] ?? 5);
const COUNT = 100_000;
const BATCH = 1000;
const MSGPACK = 1;

// Handles are structures of one number, which are passed as that number is.
const lib = koffi.load(path.resolve(process.env.LIBNANODB));
const c = {
  version: lib.func('uint32_t nanodb_version_number()'),
  open: lib.func('int nanodb_open_in_memory(void *o, size_t n, int format, void *db, void *error)'),
  collection: lib.func(
    'int nanodb_db_collection(uint64_t db, str name, size_t n, void *made, void *error)'),
  insertMany: lib.func(
    'int nanodb_insert_many(uint64_t c, void *d, size_t n, int format, void *ids, void *error)'),
  get: lib.func('int nanodb_get_i64(uint64_t c, int64_t id, int format, void *made, void *error)'),
  find: lib.func('int nanodb_find(uint64_t c, void *filter, size_t n, void *options, size_t m, ' +
    'int format, void *cursor, void *error)'),
  next: lib.func(
    'int nanodb_cursor_next(uint64_t c, size_t most, int format, void *made, void *n, ' +
      'void *error)'),
  freeCursor: lib.func('void nanodb_cursor_free(uint64_t cursor)'),
  freeBytes: lib.func('void nanodb_buf_free(void *bytes)'),
};

const bytes = Buffer.alloc(16);
const handle = Buffer.alloc(8);
const count = Buffer.alloc(8);
const error = Buffer.alloc(24);

function check(status) {
  if (status !== 0) throw new Error(`status ${status}`);
}

// Lends what a call returned, without a copy.
function lent() {
  const length = Number(bytes.readBigUInt64LE(8));
  return Buffer.from(koffi.view(bytes.readBigUInt64LE(0), length));
}

class OverKoffi {
  constructor() {
    this.encoder = new Encoder(1 << 16);
    this.decoder = new Decoder();
    check(c.open(null, 0, MSGPACK, handle, error));
    check(c.collection(handle.readBigUInt64LE(), 'c', 1, handle, error));
    this.collection = Number(handle.readBigUInt64LE());
  }

  insertMany(documents) {
    const { encoder } = this;
    encoder.reset();
    for (const document of documents) encoder.insertable(document, true);
    check(c.insertMany(this.collection, encoder.buffer, encoder.at, MSGPACK, null, error));
  }

  get(id) {
    check(c.get(this.collection, id, MSGPACK, bytes, error));
    const document = this.decoder.document(lent(), 0);
    c.freeBytes(bytes);
    return document;
  }

  find(filter) {
    const { encoder } = this;
    encoder.reset();
    encoder.document(filter);
    check(c.find(this.collection, encoder.buffer, encoder.at, null, 0, MSGPACK, handle, error));
    const cursor = Number(handle.readBigUInt64LE());
    let all = [];
    for (;;) {
      check(c.next(cursor, BATCH, MSGPACK, bytes, count, error));
      if (count.readBigUInt64LE() === 0n) break;
      this.decoder.buffer = lent();
      this.decoder.at = 0;
      all = all.concat(this.decoder.value(this.decoder.top));
      c.freeBytes(bytes);
    }
    c.freeCursor(cursor);
    return all;
  }

  empty() {
    return c.version();
  }
}

class OverAddon {
  constructor() {
    this.collection = nanodb.openSync(':memory:').sync.collection('c');
  }

  insertMany(documents) {
    return this.collection.insertMany(documents);
  }

  get(id) {
    return this.collection.findOne({ _id: id });
  }

  find(filter) {
    return this.collection.find(filter).toArray();
  }

  empty() {
    return addon.objectCount();
  }
}

const document = (n) => ({
  _id: n, name: `user ${n}`, email: `user${n}@example.com`, age: n % 100, city: 'Berlin',
  tags: ['a', 'b'], score: n / 7, active: true,
});

const best = {};
function measure(row, name, units, run) {
  globalThis.gc?.();
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  const each = ((user + system) * 1000) / units;
  best[row] ??= {};
  best[row][name] = Math.min(best[row][name] ?? Infinity, each);
}

for (let round = 0; round < ROUNDS; round++) {
  for (const [name, Kind] of [['addon', OverAddon], ['koffi', OverKoffi]]) {
    const db = new Kind();
    measure('empty call', name, COUNT, () => {
      for (let n = 0; n < COUNT; n++) db.empty();
    });
    measure('insert in batches of 1,000, a document', name, COUNT, () => {
      for (let from = 0; from < COUNT; from += BATCH) {
        db.insertMany(Array.from({ length: BATCH }, (_, n) => document(from + n)));
      }
    });
    measure('read by id', name, COUNT, () => {
      for (let n = 0; n < COUNT; n++) db.get((n * 7919) % COUNT);
    });
    measure('find of 1,000, a document', name, 20 * BATCH, () => {
      for (let times = 0; times < 20; times++) {
        if (db.find({ age: times }).length !== BATCH) throw new Error('not found');
      }
    });
    measure('read all, a document', name, COUNT, () => {
      if (db.find({}).length !== COUNT) throw new Error('not found');
    });
  }
}
console.log(`nanoseconds of processor time, the best of ${ROUNDS}`);
console.log('| | addon | koffi |\n|---|---:|---:|');
for (const [row, { addon: one, koffi: other }] of Object.entries(best)) {
  console.log(`| ${row} | ${one.toFixed(0)} | ${other.toFixed(0)} |`);
}

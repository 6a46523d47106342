'use strict';
// Reads by id that are asked for in the same turn go to another thread together.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { nanodb, random, test, withFolder } = require('./common.js');

const { ObjectId, open, openSync } = nanodb;

async function opened(t) {
  const db = await open(':memory:');
  t.after(() => db.close());
  return db;
}

test('each gets its own answer, whatever is asked for beside it', async (t) => {
  const db = await opened(t);
  const { below } = random(7);
  const kept = [new Map(), new Map()];
  for (const [which, expected] of kept.entries()) {
    for (let n = 0; n < 300; n++) {
      const _id = [n, `${n}`, -n, new ObjectId()][n % 4];
      // Some are longer than a reply may be before it ends.
      const document = { _id, which, text: 'x'.repeat(n % 30 === 0 ? 70_000 : below(50)) };
      expected.set(_id, document);
    }
    await db.collection(`c${which}`).insertMany([...expected.values()]);
  }
  const asked = [];
  for (let n = 0; n < 2000; n++) {
    const which = below(20) === 0 ? 1 : 0;
    const ids = [...kept[which].keys()];
    asked.push([which, below(10) === 0 ? `missing ${n}` : ids[below(ids.length)]]);
  }
  const found = await Promise.all(
    asked.map(([which, _id]) => db.collection(`c${which}`).findOne({ _id })));
  for (const [n, [which, _id]] of asked.entries()) {
    assert.deepEqual(found[n], kept[which].get(_id) ?? null);
  }
});

test('options of a collection hold for its own reads only', async (t) => {
  const db = await opened(t);
  const usual = db.collection('c');
  await usual.insertOne({ _id: 1, n: 2 ** 40 });
  const wide = db.collection('c', { useBigInt64: true });
  const found = await Promise.all([usual, wide, usual].map((c) => c.findOne({ _id: 1 })));
  assert.deepEqual(found.map(({ n }) => n), [2 ** 40, 2n ** 40n, 2 ** 40]);
});

test('if the database is closed, each is told', async (t) => {
  const db = await opened(t);
  const collection = db.collection('c');
  await collection.insertOne({ _id: 1 });
  await db.close();
  const all = await Promise.allSettled([1, 2, 3].map((_id) => collection.findOne({ _id })));
  assert.deepEqual(all.map(({ reason }) => reason?.kind), Array(3).fill('NANODB_CLOSED'));
});

test('a damaged document is the error of its own read', () => withFolder(async (folder) => {
  const file = path.join(folder, 'a.nanodb');
  const ids = Array.from({ length: 500 }, (_, n) => n);
  const before = openSync(file).sync;
  before.collection('c').insertMany(ids.map((_id) => ({ _id, text: 'x'.repeat(100) })));
  before.close();
  const bytes = fs.readFileSync(file);
  bytes[bytes.lastIndexOf('xxxxxxxx')] ^= 1;
  fs.writeFileSync(file, bytes);

  const db = await open(file);
  const all = await Promise.allSettled(ids.map((_id) => db.collection('c').findOne({ _id })));
  const failed = all.filter(({ status }) => status === 'rejected');
  assert.ok(failed.length > 0 && failed.length < 100, `${failed.length} failed`);
  assert.ok(failed.every(({ reason }) => reason.kind === 'NANODB_DAMAGED'));
  const sync = db.sync.collection('c');
  for (const [id, { status, value }] of all.entries()) {
    if (status === 'fulfilled') assert.equal(value._id, id);
    else assert.throws(() => sync.findOne({ _id: id }), { kind: 'NANODB_DAMAGED' });
  }
  await db.close();
}));

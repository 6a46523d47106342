'use strict';
// What is over, or left alone, is let go of.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { nanodb, packageName, test } = require('./common.js');

const { addon } = require(path.join(path.dirname(require.resolve(packageName)), 'native.js'));

test('cursors, transactions and snapshots that are over are let go of', async () => {
  const db = await nanodb.open(':memory:');
  const collection = db.collection('c');
  await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })));
  const before = addon.objectCount();
  for (let times = 0; times < 50; times++) {
    await collection.find().toArray();
    for await (const _ of collection.find().batchSize(10)) break;
    for (const _ of collection.sync.find().batchSize(10)) break;
    const cursor = collection.find().batchSize(10);
    await cursor.next();
    cursor.rewind();
    await cursor.next();
    await cursor.close();
    await db.transaction((tx) => tx.collection('c').updateOne({ n: 1 }, { $set: { a: times } }));
    await assert.rejects(db.transaction(async (tx) => {
      await tx.collection('c').find().batchSize(10).next();
      throw new RangeError('mine');
    }), RangeError);
    db.sync.transaction((tx) => tx.collection('c').findOne());
    const snapshot = db.snapshot();
    await snapshot.collection('c').findOne({ n: 1 });
    snapshot.close();
  }
  // What a transaction's cursor had is the garbage collector's to let go of.
  assert.ok(addon.objectCount() - before <= 50, `${addon.objectCount()}, ${before} before`);
  await db.close();
});

test('what is left alone is let go of when it is garbage', () => {
  const text = `
    const nanodb = require(${JSON.stringify(packageName)});
    const { addon } = require(${JSON.stringify(require.resolve(packageName))}.replace('index', 'native'));
    (async () => {
      for (let times = 0; times < 100; times++) {
        const db = nanodb.openSync(':memory:');
        const collection = db.sync.collection('c');
        collection.insertMany(Array.from({ length: 100 }, (_, n) => ({ n })));
        collection.find().batchSize(1).next();
        db.snapshot().sync.collection('c').findOne();
        db.sync.begin().collection('c').findOne();
      }
      for (let times = 0; addon.objectCount() > 50; times++) {
        if (times === 200) throw new Error(addon.objectCount() + ' objects are left');
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })()`;
  const { status, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', text],
    { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

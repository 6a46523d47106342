'use strict';
// Transactions and snapshots.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs/promises');
const { fails, nanodb, packageName, test, testBoth, withFolder } = require('./common.js');

const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

testBoth('a transaction commits as a whole, and is seen only then', async (db, t, kind) => {
  const [a, b] = [db.collection('a'), db.collection('b')];
  const run = kind === 'sync'
    ? (tx) => {
      tx.collection('a').insertOne({ _id: 1 });
      tx.collection('b').insertOne({ _id: 2 });
      assert.equal(tx.collection('a').countDocuments(), 1);
      assert.equal(a.countDocuments(), 0);
      return 'done';
    }
    : async (tx) => {
      await tx.collection('a').insertOne({ _id: 1 });
      await tx.collection('b').insertOne({ _id: 2 });
      assert.equal(await tx.collection('a').countDocuments(), 1);
      assert.equal(await a.countDocuments(), 0);
      return 'done';
    };
  assert.equal(await db.transaction(run), 'done');
  assert.equal(await a.countDocuments(), 1);
  assert.equal(await b.countDocuments(), 1);
});

testBoth('a transaction whose callback throws changes nothing', async (db, t, kind) => {
  const run = kind === 'sync'
    ? (tx) => {
      tx.collection('a').insertOne({ _id: 1 });
      throw new RangeError('mine');
    }
    : async (tx) => {
      await tx.collection('a').insertOne({ _id: 1 });
      throw new RangeError('mine');
    };
  await assert.rejects(async () => db.transaction(run), RangeError);
  assert.equal(await db.collection('a').countDocuments(), 0);
  // Nothing is held any more.
  await db.collection('a').insertOne({ _id: 1 });
});

testBoth('a statement that is refused leaves the transaction as it was', async (db) => {
  const tx = await db.begin();
  const collection = tx.collection('a');
  await collection.insertOne({ _id: 1 });
  await fails('NANODB_DUPLICATE_KEY', () => collection.insertOne({ _id: 1 }));
  await collection.insertOne({ _id: 2 });
  assert.deepEqual(await collection.find().toArray(), [{ _id: 1 }, { _id: 2 }]);
  await tx.commit();
  assert.equal(await db.collection('a').countDocuments(), 2);
  await fails('NANODB_TRANSACTION_OVER', () => collection.insertOne({ _id: 3 }));
  await fails('NANODB_TRANSACTION_OVER', () => tx.commit());
  await tx.rollback();
});

testBoth('the option session makes a call a step', async (db) => {
  const collection = db.collection('a');
  const tx = await db.begin();
  await collection.insertOne({ _id: 1 }, { session: tx });
  assert.equal(await collection.countDocuments({}, { session: tx }), 1);
  assert.deepEqual(await collection.find({}, { session: tx }).toArray(), [{ _id: 1 }]);
  assert.equal(await collection.countDocuments(), 0);
  await tx.rollback();
  assert.equal(await collection.countDocuments(), 0);
  await fails('NANODB_INVALID', () => collection.insertOne({}, { session: {} }));
  const other = await nanodb.open(':memory:');
  for (const foreign of [await other.begin(), other.sync.begin()]) {
    await fails('NANODB_INVALID', () => collection.insertOne({}, { session: foreign }));
    await fails('NANODB_INVALID', async () => collection.find({}, { session: foreign }));
  }
  const wrongKind = db === db.sync ? await db._core.database.begin() : db.sync.begin();
  await fails('NANODB_INVALID', () => collection.insertOne({}, { session: wrongKind }));
  await wrongKind.rollback();
  await other.close();
});

testBoth('cursors of a transaction see what it sees, and end with it', async (db) => {
  const tx = await db.begin();
  const collection = tx.collection('a');
  const text = 'x'.repeat(1000);
  await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: n, text })));
  assert.equal((await collection.find().toArray()).length, 1000);
  const cursor = collection.find().batchSize(10);
  await cursor.next();
  await tx.commit();
  await fails('NANODB_TRANSACTION_OVER', () => cursor.toArray());
});

testBoth('a snapshot stays as it is', async (db, t, kind) => {
  const collection = db.collection('a');
  await collection.insertOne({ _id: 1 });
  const snapshot = db.snapshot();
  await collection.deleteOne({ _id: 1 });
  await collection.insertOne({ _id: 2 });
  const before = (kind === 'sync' ? snapshot.sync : snapshot).collection('a');
  assert.deepEqual(await before.find().toArray(), [{ _id: 1 }]);
  assert.deepEqual(await before.findOne({ _id: 1 }), { _id: 1 });
  assert.equal(await before.countDocuments(), 1);
  assert.deepEqual(snapshot.collections(), [{ name: 'a', count: 1 }]);
  await fails('NANODB_READ_ONLY', () => before.insertOne({ _id: 3 }));
  snapshot.close();
  snapshot.close();
  await fails('NANODB_TRANSACTION_OVER', async () => snapshot.collection('b'));
  await fails('NANODB_CLOSED', () => before.findOne({ _id: 1 }));
});

test('transactions that wait for each other are run again, and none is lost', async () => {
  const db = await nanodb.open(':memory:');
  await db.collection('x').insertOne({ _id: 1, n: 0 });
  await db.collection('y').insertOne({ _id: 1, n: 0 });
  let attempts = 0;
  const add = (first, second) => db.transaction(async (tx) => {
    attempts++;
    await tx.collection(first).updateOne({ _id: 1 }, { $inc: { n: 1 } });
    await delay(1);
    await tx.collection(second).updateOne({ _id: 1 }, { $inc: { n: 1 } });
  });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? add('x', 'y') : add('y', 'x'))),
  );
  assert.equal((await db.collection('x').findOne({ _id: 1 })).n, 20);
  assert.equal((await db.collection('y').findOne({ _id: 1 })).n, 20);
  assert.ok(attempts > 20);
  await db.close();
});

test('writes outside wait for a transaction without a thread', async () => {
  const db = await nanodb.open(':memory:');
  const collection = db.collection('a');
  const done = [];
  await db.transaction(async (tx) => {
    await tx.collection('a').insertOne({ _id: 0 });
    // More than there are threads.
    for (let _id = 1; _id <= 20; _id++) done.push(collection.insertOne({ _id }));
    await delay(20);
    // These need threads of the pool, as the next step does.
    await fs.readFile(__filename);
    await tx.collection('a').insertOne({ _id: 100 });
    assert.equal(await collection.countDocuments(), 0);
  });
  await Promise.all(done);
  assert.equal(await collection.countDocuments(), 22);
  await db.close();
});

test('a synchronous write that would wait forever is refused', async () => {
  const db = await nanodb.open(':memory:');
  const tx = await db.begin();
  await tx.collection('a').insertOne({ _id: 1 });
  await fails('NANODB_CONFLICT', () => db.sync.collection('a').insertOne({ _id: 2 }));
  await fails('NANODB_CONFLICT', () =>
    db.sync.transaction((other) => other.collection('a').insertOne({ _id: 2 })));
  db.sync.collection('b').insertOne({ _id: 2 });
  await tx.commit();
  db.sync.collection('a').insertOne({ _id: 2 });
  db.sync.transaction((other) => {
    other.collection('a').insertOne({ _id: 3 });
    assert.throws(() => db.sync.collection('a').insertOne({ _id: 4 }), { kind: 'NANODB_CONFLICT' });
  });
  assert.equal(db.sync.collection('a').countDocuments(), 3);
  await db.close();
});

test('a synchronous transaction refuses a callback that returns a promise', async () => {
  const db = nanodb.openSync(':memory:');
  assert.throws(() => db.sync.transaction(async (tx) => {
    tx.collection('a').insertOne({ _id: 1 });
  }), /returned a promise/);
  assert.equal(db.sync.collection('a').countDocuments(), 0);
  db.sync.close();
});

test('steps that are begun at once are done one after the other', async () => {
  const db = await nanodb.open(':memory:');
  await db.transaction(async (tx) => {
    const collection = tx.collection('a');
    await Promise.all(Array.from({ length: 100 }, (_, _id) => collection.insertOne({ _id })));
  });
  assert.deepEqual(
    (await db.collection('a').find().toArray()).map(({ _id }) => _id),
    Array.from({ length: 100 }, (_, _id) => _id),
  );
  await db.close();
});

test('closing ends transactions that are open', async () => {
  await withFolder(async (folder) => {
    const db = await nanodb.open(`${folder}/a.nanodb`);
    const tx = await db.begin();
    await tx.collection('a').insertOne({ _id: 1 });
    await db.close();
    await assert.rejects(tx.collection('a').insertOne({ _id: 2 }), nanodb.NanoDBError);
    await tx.rollback();
    const again = await nanodb.open(`${folder}/a.nanodb`);
    assert.equal(await again.collection('a').countDocuments(), 0);
    await again.collection('a').insertOne({ _id: 1 });
    await again.close();
  });
});

testBoth('closing the database within a transaction is an error of that', async (db, t, kind) => {
  const open = await nanodb.open(':memory:');
  const other = kind === 'sync' ? open.sync : open;
  const run = kind === 'sync'
    ? (tx) => {
      tx.collection('c').insertOne({});
      other.close();
    }
    : async (tx) => {
      await tx.collection('c').insertOne({});
      await other.close();
    };
  await fails('NANODB_CLOSED', () => other.transaction(run));
});

test('the error of a step that nobody waits for is reported', () => {
  const program = `
    const { open } = require(${JSON.stringify(packageName)});
    open(':memory:').then(async (db) => {
      await db.collection('c').insertOne({ _id: 1 });
      await db.transaction(async (tx) => {
        tx.collection('c').insertOne({ _id: 1 });
      });
    });`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /DuplicateKeyError/);
});

testBoth('a durability that is no text is refused', async (db, t, kind) => {
  await fails('NANODB_INVALID', () => db.begin({ durability: 5 }));
  await fails('NANODB_INVALID', () => db.transaction(() => {}, { durability: 5 }));
});

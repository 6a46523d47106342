'use strict';
// Cursors: over one portion, and over many.

const assert = require('node:assert/strict');
const { fails, nanodb, test, testBoth } = require('./common.js');

const COUNT = 5000;

// More than a portion, so that the cursor stays in the database.
async function many(db) {
  const collection = db.collection('many');
  const text = 'x'.repeat(100);
  await collection.insertMany(Array.from({ length: COUNT }, (_, n) => ({ _id: n, n, text })));
  return collection;
}

async function ids(cursor) {
  const found = [];
  for await (const { _id } of cursor) found.push(_id);
  return found;
}

const RANGE = Array.from({ length: COUNT }, (_, n) => n);

testBoth('all documents come, in order, whatever the portions', async (db) => {
  const collection = await many(db);
  const sorted = () => collection.find().sort({ n: 1 });
  assert.deepEqual((await sorted().toArray()).map(({ n }) => n), RANGE);
  assert.deepEqual(await ids(sorted()), RANGE);
  assert.deepEqual(await ids(sorted().batchSize(7)), RANGE);
  assert.deepEqual((await sorted().batchSize(1).limit(9).toArray()).length, 9);
  const visited = [];
  await sorted().forEach(({ n }) => {
    visited.push(n);
  });
  assert.deepEqual(visited, RANGE);
  const one = sorted();
  const stepped = [];
  while (await one.hasNext()) stepped.push((await one.next()).n);
  assert.deepEqual(stepped, RANGE);
  assert.equal(await one.next(), null);
  assert.equal(await one.tryNext(), null);
});

testBoth('a cursor can end early, be begun again, and be cloned', async (db) => {
  const collection = await many(db);
  const cursor = collection.find().sort({ n: 1 });
  let seen = 0;
  for await (const { n } of cursor) {
    seen = n;
    if (n === 3) break;
  }
  assert.equal(seen, 3);
  assert.equal(cursor.closed, true);
  assert.equal(await cursor.next(), null);
  cursor.rewind();
  assert.equal((await cursor.next())._id, 0);
  await fails('NANODB_INVALID', async () => cursor.limit(5));
  const clone = cursor.clone();
  assert.equal((await clone.limit(2).toArray()).length, 2);
  assert.equal((await cursor.next())._id, 1);
  await cursor.close();
  let visits = 0;
  await collection.find().forEach(() => {
    visits++;
    return false;
  });
  assert.equal(visits, 1);
});

testBoth('a cursor sees the collection as it was when it began', async (db) => {
  const collection = await many(db);
  const cursor = collection.find().sort({ n: 1 }).batchSize(10);
  assert.equal((await cursor.next()).n, 0);
  await collection.deleteMany({});
  assert.equal((await cursor.toArray()).length, COUNT - 1);
});

testBoth('calls within a loop over a cursor do not disturb it', async (db) => {
  const collection = await many(db);
  const found = [];
  for await (const { _id } of collection.find().sort({ n: 1 }).limit(3000)) {
    if (_id % 100 === 0) {
      await db.collection('other').insertOne({ _id });
      assert.equal((await collection.findOne({ _id: COUNT - 1 })).n, COUNT - 1);
    }
    found.push(_id);
  }
  assert.deepEqual(found, RANGE.slice(0, 3000));
});

testBoth('a refused search is the error of the first step', async (db) => {
  const cursor = db.collection('c').find({ a: { $gtt: 1 } });
  const error = await fails('NANODB_INVALID', () => cursor.toArray());
  assert.match(error.message, /unknown operator `\$gtt`/);
});

testBoth('a map that throws ends the loop with its error', async (db) => {
  const collection = await many(db);
  const cursor = collection.find().map(() => {
    throw new RangeError('mine');
  });
  await assert.rejects(async () => {
    for await (const _ of cursor);
  }, RangeError);
  await cursor.close();
});

testBoth('a closed database is told', async (db) => {
  const collection = await many(db);
  const unread = collection.find();
  const begun = collection.find().batchSize(1);
  await begun.next();
  await db.close();
  await fails('NANODB_CLOSED', () => unread.next());
  await fails('NANODB_CLOSED', () => begun.toArray());
  await fails('NANODB_CLOSED', () => collection.findOne({ _id: 1 }));
  await fails('NANODB_CLOSED', () => collection.insertOne({}));
});

test('several cursors are read at the same time', async () => {
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  const all = await Promise.all(
    Array.from({ length: 8 }, () => collection.find().sort({ n: 1 }).toArray()),
  );
  for (const found of all) assert.deepEqual(found.map(({ n }) => n), RANGE);
  await db.close();
});

test('a cursor can be closed while it reads ahead', async () => {
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  for (let times = 0; times < 50; times++) {
    const cursor = collection.find().batchSize(10);
    const next = cursor.next();
    await Promise.all([next, cursor.close()]);
    const other = collection.find().batchSize(10);
    await other.next();
    other.rewind();
    assert.equal((await other.limit(3).toArray()).length, 3);
  }
  await db.close();
});

test('a stream gives the documents', async () => {
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  let count = 0;
  for await (const _ of collection.find().stream()) count++;
  assert.equal(count, COUNT);
  await db.close();
});

test('cursors are disposed of', async (t) => {
  if (!Symbol.asyncDispose) return t.skip('this Node.js has no Symbol.asyncDispose');
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  const cursor = collection.find();
  await cursor.next();
  await cursor[Symbol.asyncDispose]();
  assert.equal(cursor.closed, true);
  const sync = collection.sync.find();
  sync.next();
  sync[Symbol.dispose]();
  assert.equal(sync.closed, true);
  await db[Symbol.asyncDispose]();
  assert.equal(db.isOpen, false);
});

test('documents that are asked for at the same time come once each', async () => {
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  const distinct = (found) => new Set(found.map(({ _id }) => _id)).size;
  const cursor = collection.find().batchSize(7);
  const asked = await Promise.all(Array.from({ length: 50 }, () => cursor.next()));
  assert.equal(distinct(asked), 50);
  const [some, others] = await Promise.all([cursor.toArray(), cursor.toArray()]);
  assert.equal(distinct([...asked, ...some, ...others]), COUNT);
  assert.equal(some.length + others.length, COUNT - 50);
  const shared = collection.find().batchSize(7);
  const loops = await Promise.all(Array.from({ length: 4 }, () => ids(shared)));
  assert.deepEqual(loops.flat().sort((a, b) => a - b), RANGE);
  await db.close();
});

test('a cursor is closed or begun again while it is read', async () => {
  const db = await nanodb.open(':memory:');
  const collection = await many(db);
  for (const taken of [0, 1, 3, 4]) {
    const cursor = collection.find().batchSize(3);
    for (let count = 0; count < taken; count++) await cursor.next();
    const before = Promise.all([cursor.next(), cursor.next()]);
    cursor.rewind();
    const [first, second] = await before;
    const rest = await ids(cursor);
    // Those who had asked got documents of the one search or of the other, each once.
    const all = [...rest, ...[first, second].map((document) => document?._id)];
    for (const id of RANGE.slice(taken + 2)) assert.ok(all.includes(id));
    assert.equal(new Set(rest).size, rest.length);
    cursor.rewind();
    assert.deepEqual(await ids(cursor), RANGE);
    cursor.rewind();
    const late = cursor.next();
    await cursor.close();
    assert.ok([null, 0].includes((await late)?._id ?? null));
    assert.equal(await cursor.next(), null);
  }
  assert.throws(() => collection.find().map(5), TypeError);
  await db.close();
});

'use strict';
// The verbs of collections, through both interfaces.

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { fails, nanodb, testBoth } = require('./common.js');

const { Ext, ObjectId, UUID } = nanodb;

const PEOPLE = [
  { _id: 1, name: 'Ada', age: 36, tags: ['a', 'b'] },
  { _id: 2, name: 'Bob', age: 12, tags: ['b'] },
  { _id: 3, name: 'Cleo', age: 36, tags: [] },
];

async function people(db) {
  const collection = db.collection('people');
  await collection.insertMany(structuredClone(PEOPLE));
  return collection;
}

testBoth('insertOne makes an ObjectId and puts it into the document', async (db) => {
  const document = { name: 'Ada' };
  const result = await db.collection('c').insertOne(document);
  assert.equal(result.acknowledged, true);
  assert.ok(result.insertedId instanceof ObjectId);
  assert.equal(document._id, result.insertedId);
  const found = await db.collection('c').findOne({ _id: result.insertedId });
  assert.deepEqual(found, { _id: result.insertedId, name: 'Ada' });
  assert.deepEqual(Object.keys(found), ['_id', 'name']);
});

testBoth('ids can be left to the database', async (db) => {
  const document = { name: 'Ada' };
  const result = await db.collection('c').insertOne(document);
  assert.equal(result.insertedId, 1);
  assert.equal(document._id, undefined);
  const many = await db.collection('c').insertMany([{ a: 1 }, { _id: 9 }, { a: 2 }]);
  assert.deepEqual(many.insertedIds, { 0: 2, 1: 9, 2: 10 });
}, { ids: 'integer' });

testBoth('a given id is kept, wherever it stands', async (db) => {
  const collection = db.collection('c');
  for (const _id of [5, -1, 'five', 2 ** 53, 12345678901234567890n, Buffer.from([1, 2]),
    new nanodb.UUID(), new ObjectId()]) {
    const { insertedId } = await collection.insertOne({ a: 1, _id });
    assert.equal(insertedId, _id);
    const found = await collection.findOne({ _id });
    assert.deepEqual(Object.keys(found), ['_id', 'a']);
    assert.deepEqual(typeof _id === 'number' ? Number(found._id) : found._id, _id);
  }
});

testBoth('an id that is taken is MongoDB\'s error 11000', async (db) => {
  const collection = await people(db);
  const error = await fails('NANODB_DUPLICATE_KEY', () => collection.insertOne({ _id: 2 }));
  assert.equal(error.code, 11000);
  assert.ok(error instanceof nanodb.DuplicateKeyError);
  assert.equal(error.id, 2);
  assert.deepEqual(error.keyValue, { _id: 2 });
  assert.equal(error.collection, 'people');
  assert.match(error.message, /already has a document with the id 2/);
});

testBoth('insertMany ends at the first that is refused, or goes on', async (db) => {
  const collection = db.collection('c');
  await collection.insertOne({ _id: 1 });
  const documents = () => [{ _id: 2 }, { _id: 1 }, { _id: 3 }];
  const ended = await fails('NANODB_DUPLICATE_KEY', () => collection.insertMany(documents()));
  assert.ok(ended instanceof nanodb.BulkWriteError);
  assert.equal(ended.code, 11000);
  assert.equal(ended.insertedCount, 1);
  assert.deepEqual(ended.insertedIds, { 0: 2 });
  assert.deepEqual(ended.writeErrors.map(({ index, code }) => [index, code]), [[1, 11000]]);
  assert.equal(await collection.countDocuments(), 2);
  await collection.deleteOne({ _id: 2 });
  const wentOn = await fails('NANODB_DUPLICATE_KEY', () =>
    collection.insertMany(documents(), { ordered: false }));
  assert.equal(wentOn.insertedCount, 2);
  assert.deepEqual(wentOn.insertedIds, { 0: 2, 2: 3 });
  assert.equal(await collection.countDocuments(), 3);
});

testBoth('find with sort, skip, limit and projection', async (db) => {
  const collection = await people(db);
  assert.deepEqual(await collection.find().toArray(), PEOPLE);
  const names = async (cursor) => (await cursor.toArray()).map(({ name }) => name);
  assert.deepEqual(await names(collection.find({ age: 36 })), ['Ada', 'Cleo']);
  const byAge = collection.find({}).sort({ age: 1, name: -1 });
  assert.deepEqual(await names(byAge), ['Bob', 'Cleo', 'Ada']);
  const byName = collection.find({}).sort('name', 'desc');
  assert.deepEqual(await names(byName), ['Cleo', 'Bob', 'Ada']);
  const byPairs = collection.find().sort([['age', -1], ['name', 1]]);
  assert.deepEqual(await names(byPairs), ['Ada', 'Cleo', 'Bob']);
  assert.deepEqual(await names(collection.find().sort(['name', -1])), ['Cleo', 'Bob', 'Ada']);
  assert.deepEqual(await names(collection.find().sort({ _id: 1 }).skip(1).limit(1)), ['Bob']);
  const two = collection.find({}, { sort: { _id: -1 }, limit: 2 });
  assert.deepEqual(await names(two), ['Cleo', 'Bob']);
  assert.deepEqual(await names(collection.find({ name: /^[ab]/i })), ['Ada', 'Bob']);
  assert.deepEqual(await names(collection.find({ name: { $not: /^a/i } })), ['Bob', 'Cleo']);
  assert.deepEqual(
    await collection.find({ _id: 1 }).project({ name: 1, _id: 0 }).toArray(),
    [{ name: 'Ada' }],
  );
  assert.deepEqual(await collection.find().map(({ _id }) => _id * 2).map(String).toArray(),
    ['2', '4', '6']);
});

testBoth('findOne by id and by others', async (db) => {
  const collection = await people(db);
  assert.deepEqual(await collection.findOne({ _id: 2 }), PEOPLE[1]);
  assert.deepEqual(await collection.findOne({ _id: 2, age: 13 }), null);
  assert.equal(await collection.findOne({ _id: 99 }), null);
  assert.equal(await collection.findOne({ _id: 1.5 }), null);
  assert.equal(await collection.findOne({ _id: '1' }), null);
  assert.deepEqual(await collection.findOne({ _id: { $gt: 1 } }, { sort: { _id: -1 } }), PEOPLE[2]);
  assert.deepEqual(await collection.findOne({ _id: 1 }, { projection: { name: 1 } }),
    { _id: 1, name: 'Ada' });
  assert.deepEqual(await collection.findOne({}, { skip: 2, sort: { _id: 1 } }), PEOPLE[2]);
  assert.deepEqual(await collection.findOne({ session: 1 }), null);
});

testBoth('updateOne and updateMany', async (db) => {
  const collection = await people(db);
  assert.deepEqual(
    await collection.updateOne({ _id: 1 }, { $set: { city: 'Berlin' }, $inc: { age: 1 } }),
    { acknowledged: true, matchedCount: 1, modifiedCount: 1, upsertedCount: 0, upsertedId: null },
  );
  assert.deepEqual(await collection.findOne({ _id: 1 }), { ...PEOPLE[0], age: 37, city: 'Berlin' });
  const { matchedCount, modifiedCount } = await collection.updateMany({}, { $set: { age: 12 } });
  assert.deepEqual([matchedCount, modifiedCount], [3, 2]);
  assert.equal((await collection.updateOne({ _id: 99 }, { $set: { a: 1 } })).matchedCount, 0);
  const change = { $pull: { tags: /^b/ }, $push: { more: { $each: [1, 2] } } };
  await collection.updateOne({ _id: 1 }, change);
  assert.deepEqual((await collection.findOne({ _id: 1 })).tags, ['a']);
  await fails('NANODB_INVALID', () => collection.updateOne({}, { age: 1 }));
  await fails('NANODB_INVALID', () => collection.updateOne({}, [{ $set: { a: 1 } }]));
  await fails('NANODB_INVALID', () => collection.updateOne({}, { $sett: { a: 1 } }));
});

testBoth('arrayFilters select elements', async (db) => {
  const collection = db.collection('c');
  const at = new Date(1700000000500);
  await collection.insertOne({ _id: 1, items: [{ n: 1, at }, { n: 5, at }] });
  await collection.updateOne(
    { _id: 1 },
    { $set: { 'items.$[big].sale': true, 'items.$[big].at': new Date(0), x: { y: -0 } } },
    { arrayFilters: [{ 'big.n': { $gt: 2 }, 'big.at': at }] },
  );
  const { items, x } = await collection.findOne({ _id: 1 });
  assert.deepEqual(items, [{ n: 1, at }, { n: 5, at: new Date(0), sale: true }]);
  assert.ok(Object.is(x.y, -0));
});

testBoth('upserts make an ObjectId unless the filter or the update names one', async (db) => {
  const collection = db.collection('c');
  const made = await collection.updateOne({ a: 1 }, { $set: { b: 2 } }, { upsert: true });
  assert.equal(made.upsertedCount, 1);
  assert.ok(made.upsertedId instanceof ObjectId);
  assert.deepEqual(await collection.findOne({ a: 1 }), { _id: made.upsertedId, a: 1, b: 2 });
  const again = await collection.updateOne({ a: 1 }, { $set: { b: 3 } }, { upsert: true });
  assert.deepEqual([again.matchedCount, again.upsertedId], [1, null]);
  const named = await collection.updateOne({ _id: 7 }, { $set: { b: 2 } }, { upsert: true });
  assert.equal(named.upsertedId, 7);
  const set = await collection.updateOne({ a: 2 }, { $setOnInsert: { _id: 8 } }, { upsert: true });
  assert.equal(set.upsertedId, 8);
  const many = await collection.updateMany({ a: 3 }, { $set: { b: 1 } }, { upsert: true });
  assert.ok(many.upsertedId instanceof ObjectId);
  const replaced = await collection.replaceOne({ a: 4 }, { b: 4 }, { upsert: true });
  assert.ok(replaced.upsertedId instanceof ObjectId);
  assert.deepEqual(await collection.findOne({ b: 4 }), { _id: replaced.upsertedId, b: 4 });
  const within = await collection.replaceOne({ $and: [{ _id: 9 }] }, { b: 9 }, { upsert: true });
  assert.equal(within.upsertedId, 9);
});

testBoth('replaceOne keeps the id', async (db) => {
  const collection = await people(db);
  const result = await collection.replaceOne({ name: 'Bob' }, { name: 'Bert' });
  assert.deepEqual([result.matchedCount, result.modifiedCount], [1, 1]);
  assert.deepEqual(await collection.findOne({ _id: 2 }), { _id: 2, name: 'Bert' });
  await fails('NANODB_INVALID', () => collection.replaceOne({ _id: 2 }, { _id: 3 }));
  await fails('NANODB_INVALID', () => collection.replaceOne({ _id: 2 }, { $set: { a: 1 } }));
});

testBoth('deleteOne and deleteMany', async (db) => {
  const collection = await people(db);
  const one = await collection.deleteOne({ age: 36 });
  assert.deepEqual(one, { acknowledged: true, deletedCount: 1 });
  assert.equal((await collection.deleteMany({ age: 99 })).deletedCount, 0);
  assert.equal((await collection.deleteMany({})).deletedCount, 2);
});

testBoth('findOneAndUpdate, findOneAndReplace and findOneAndDelete', async (db) => {
  const collection = await people(db);
  const before = await collection.findOneAndUpdate({ _id: 1 }, { $inc: { age: 1 } });
  assert.equal(before.age, 36);
  const after = await collection.findOneAndUpdate({ _id: 1 }, { $inc: { age: 1 } },
    { returnDocument: 'after', projection: { age: 1 } });
  assert.deepEqual(after, { _id: 1, age: 38 });
  assert.equal(await collection.findOneAndUpdate({ _id: 99 }, { $inc: { age: 1 } }), null);
  const oldest = await collection.findOneAndReplace({}, { name: 'Old' }, { sort: { age: -1 } });
  assert.equal(oldest._id, 1);
  const made = await collection.findOneAndUpdate({ name: 'Dan' }, { $set: { age: 1 } },
    { upsert: true, returnDocument: 'after' });
  assert.ok(made._id instanceof ObjectId);
  assert.equal(made.name, 'Dan');
  const meta = { includeResultMetadata: true };
  assert.deepEqual(
    await collection.findOneAndUpdate({ _id: 50 }, { $set: { age: 1 } }, { upsert: true, ...meta }),
    { lastErrorObject: { n: 1, updatedExisting: false, upserted: 50 }, value: null, ok: 1 },
  );
  assert.deepEqual(
    await collection.findOneAndUpdate({ _id: 50 }, { $set: { age: 2 } }, { upsert: true, ...meta }),
    { lastErrorObject: { n: 1, updatedExisting: true }, value: { _id: 50, age: 1 }, ok: 1 },
  );
  assert.deepEqual(
    await collection.findOneAndUpdate({ _id: 51 }, { $set: { age: 2 } }, meta),
    { lastErrorObject: { n: 0, updatedExisting: false }, value: null, ok: 1 },
  );
  assert.deepEqual(await collection.findOneAndDelete({ _id: 50 }, meta),
    { lastErrorObject: { n: 1 }, value: { _id: 50, age: 2 }, ok: 1 });
  assert.equal((await collection.findOneAndDelete({ name: 'Cleo' })).name, 'Cleo');
  assert.equal(await collection.findOneAndDelete({ name: 'Cleo' }), null);
});

testBoth('bulkWrite does all kinds, and tells ids by position', async (db) => {
  const collection = await people(db);
  const result = await collection.bulkWrite([
    { insertOne: { document: { name: 'Dan' } } },
    { updateOne: { filter: { _id: 1 }, update: { $set: { age: 1 } } } },
    { updateMany: { filter: { age: { $gt: 1 } }, update: { $inc: { age: 1 } } } },
    { replaceOne: { filter: { _id: 99 }, replacement: { name: 'New' }, upsert: true } },
    { deleteOne: { filter: { _id: 2 } } },
    { deleteMany: { filter: { name: 'Cleo' } } },
  ]);
  assert.deepEqual(
    [result.insertedCount, result.matchedCount, result.modifiedCount, result.deletedCount,
      result.upsertedCount],
    [1, 3, 3, 2, 1],
  );
  assert.ok(result.insertedIds[0] instanceof ObjectId);
  assert.deepEqual(result.upsertedIds, { 3: 99 });
  assert.ok(result.isOk());
  await fails('NANODB_INVALID', () => collection.bulkWrite([{ insert: {} }]));
  await fails('NANODB_INVALID', () => collection.bulkWrite([]));
});

testBoth('a bulk write that is refused says what it did', async (db) => {
  const collection = await people(db);
  const operations = () => [
    { insertOne: { document: { _id: 10 } } },
    { insertOne: { document: { _id: 1 } } },
    { insertOne: { document: { _id: 11 } } },
  ];
  const error = await fails('NANODB_DUPLICATE_KEY', () => collection.bulkWrite(operations()));
  assert.equal(error.result.insertedCount, 1);
  assert.deepEqual(error.result.insertedIds, { 0: 10 });
  assert.equal(error.writeErrors[0].index, 1);
  assert.deepEqual(error.writeErrors[0].op, { insertOne: { document: { _id: 1 } } });
  assert.equal(await collection.countDocuments(), 4);
});

testBoth('counts and distinct', async (db) => {
  const collection = await people(db);
  assert.equal(await collection.countDocuments(), 3);
  assert.equal(await collection.countDocuments({ age: 36 }), 2);
  assert.equal(await collection.countDocuments({}, { limit: 2 }), 2);
  assert.equal(await collection.estimatedDocumentCount(), 3);
  assert.deepEqual(await collection.distinct('age'), [12, 36]);
  assert.deepEqual(await collection.distinct('tags', { age: 36 }), ['a', 'b']);
});

testBoth('collections are listed, renamed and dropped', async (db) => {
  await people(db);
  assert.deepEqual((await db.listCollections().toArray()).map(({ name }) => name), ['people']);
  const renamed = await db.collection('people').rename('folk');
  assert.equal(await renamed.countDocuments(), 3);
  assert.equal(await renamed.drop(), true);
  assert.equal(await renamed.drop(), false);
  await fails('NANODB_NOT_FOUND', () => renamed.rename('others'));
  await fails('NANODB_INVALID', () => db.collection(''));
});

testBoth('explain says how a search was carried out', async (db) => {
  const collection = await people(db);
  const byId = await collection.find({ _id: 1 }).explain();
  assert.equal(byId.nReturned, 1);
  assert.equal(byId.totalDocsExamined, 1);
  assert.equal((await collection.find({ age: 36 }).explain()).totalDocsExamined, 3);
});

testBoth('a document in the place of an update is refused, and nothing is done', async (db) => {
  const collection = await people(db);
  const error = await fails('NANODB_INVALID', () => collection.updateOne({ _id: 1 }, { age: 1 }));
  assert.match(error.message, /^unknown operator `age`: .* use `replaceOne` or/);
  await fails('NANODB_INVALID', () => collection.bulkWrite([
    { deleteMany: { filter: {} } }, { updateMany: { filter: {}, update: { age: 1 } } },
  ]));
  assert.deepEqual(await collection.find().toArray(), PEOPLE);
});

testBoth('collections and cursors are printed by name', async (db, t, kind) => {
  const prefix = kind === 'sync' ? 'Sync' : '';
  const collection = db.collection('people');
  assert.equal(inspect(collection), `${prefix}Collection "memory.people"`);
  const cursor = collection.find();
  assert.equal(inspect(cursor), `${prefix}FindCursor of "memory.people" (not begun)`);
  await cursor.next();
  await cursor.close();
  assert.equal(inspect(cursor), `${prefix}FindCursor of "memory.people" (closed)`);
});

testBoth('what is not supported is refused', async (db, t, kind) => {
  const collection = await people(db);
  await fails('NANODB_INVALID', () => collection.findOne({}, { collation: { locale: 'en' } }));
  await fails('NANODB_INVALID', () => collection.find({ $where: 'true' }).toArray());
  if (kind === 'sync') return;
  await fails('NANODB_UNSUPPORTED', () => collection.createIndex({ a: 1 }));
  await fails('NANODB_UNSUPPORTED', () => collection.aggregate([]));
});

testBoth('a rename that is refused drops nothing', async (db) => {
  await db.collection('kept').insertOne({ _id: 1 });
  await fails('NANODB_NOT_FOUND',
    () => db.renameCollection('missing', 'kept', { dropTarget: true }));
  await db.renameCollection('kept', 'kept', { dropTarget: true });
  assert.equal(await db.collection('kept').countDocuments(), 1);
  await db.collection('new').insertOne({ _id: 2 });
  await db.renameCollection('new', 'kept', { dropTarget: true });
  assert.deepEqual(await db.collection('kept').find().toArray(), [{ _id: 2 }]);
});

testBoth('with arrayFilters, values are stored as without', async (db) => {
  const collection = db.collection('c');
  const values = [
    5, 2 ** 60, -(2 ** 63), 1e300, -0, NaN, 5n, 2n ** 63n, 2n ** 64n - 1n, '\ud800', 'ß', null,
    undefined, true, new Date(5), Buffer.from('ab'), new Uint8Array(2), new ArrayBuffer(2),
    new ObjectId(), new UUID(), new Ext(5, Buffer.from('x')), new Map([['a', 1]]), [1, , 2],
    { $date: 5 }, { $oid: '0'.repeat(24) }, { $numberLong: '5' }, { a: { $binary: 'x' } },
    { toBSON: () => 7 }, { _bsontype: 'Double', valueOf: () => 5 }, Object(5), Object(2n ** 60n),
  ];
  for (const value of values) {
    await collection.replaceOne({ _id: 1 }, { with: [{ n: 1 }], without: 0 }, { upsert: true });
    const update = { $set: { 'with.$[one].value': value, without: value } };
    await collection.updateOne({ _id: 1 }, { $set: { without: value } });
    const { without } = await collection.findOne({ _id: 1 });
    await collection.updateOne({ _id: 1 }, update, { arrayFilters: [{ 'one.n': 1 }] });
    const found = await collection.findOne({ _id: 1 });
    assert.deepEqual(found.with[0].value, without);
    assert.deepEqual(found.without, without);
  }
  for (const value of [
    new Set(), Promise.resolve(), new Error('x'), new Uint16Array(1), /x/, () => 1, Symbol('x'),
    new Date(NaN), 2n ** 64n, { _bsontype: 'Decimal128' }, Object(Symbol('x')),
  ]) {
    const update = { $set: { 'with.$[one].value': value } };
    await fails('NANODB_INVALID',
      () => collection.updateOne({ _id: 1 }, update, { arrayFilters: [{ 'one.n': 1 }] }));
  }
  await fails('NANODB_INVALID',
    () => collection.updateOne({}, { $set: { a: 1 } }, { arrayFilters: [5] }));
});

testBoth('an upsert makes an ObjectId where the filter demands no one id', async (db) => {
  const collection = db.collection('c');
  const set = { $set: { b: 2 } };
  const filters = [
    { _id: { $gt: 1000 } }, { $or: [{ _id: 'x' }, { _id: 'y' }] }, { _id: { $in: ['x', 'y'] } },
    { _id: /x/ }, { _id: { $ne: 5 } },
  ];
  for (const filter of filters) {
    await collection.deleteMany();
    const { upsertedId } = await collection.updateOne(filter, set, { upsert: true });
    assert.ok(upsertedId instanceof ObjectId);
    await collection.deleteMany();
    const replaced = await collection.replaceOne(filter, { c: 1 }, { upsert: true });
    assert.ok(replaced.upsertedId instanceof ObjectId);
    await collection.deleteMany();
    const options = { upsert: true, returnDocument: 'after' };
    const found = await collection.findOneAndUpdate(filter, set, options);
    assert.ok(found._id instanceof ObjectId);
  }
  const uuid = new UUID();
  for (const [filter, id] of [
    [{ _id: { $eq: 'a' } }, 'a'], [{ _id: { $in: ['b'] } }, 'b'], [new Map([['_id', 'c']]), 'c'],
    [{ $and: [{ _id: 'd' }, { x: 1 }] }, 'd'], [{ _id: uuid }, uuid], [{ _id: 5n }, 5],
  ]) {
    const { upsertedId } = await collection.updateOne(filter, set, { upsert: true });
    assert.deepEqual(upsertedId, id);
    const replaced = await collection.replaceOne(filter, { c: 1 }, { upsert: true });
    assert.equal(replaced.matchedCount, 1);
    await collection.deleteOne({ _id: id });
    const again = await collection.replaceOne(filter, { c: 1 }, { upsert: true });
    assert.deepEqual(again.upsertedId, id);
  }
});

testBoth('changes want a filter, and bulk writes operations', async (db) => {
  const collection = db.collection('c');
  await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
  const set = { $set: { a: 1 } };
  for (const filter of [undefined, null, 5, [], new Date(), Buffer.from('x'), /x/]) {
    await fails('NANODB_INVALID', () => collection.updateOne(filter, set));
    await fails('NANODB_INVALID', () => collection.updateMany(filter, set));
    await fails('NANODB_INVALID', () => collection.replaceOne(filter, {}));
    await fails('NANODB_INVALID', () => collection.findOneAndUpdate(filter, set));
    await fails('NANODB_INVALID', () => collection.findOneAndReplace(filter, {}));
    await fails('NANODB_INVALID', () => collection.findOneAndDelete(filter));
    await fails('NANODB_INVALID', () => collection.bulkWrite([{ deleteOne: { filter } }]));
    await fails('NANODB_INVALID', () => collection.bulkWrite([{ deleteMany: { filter } }]));
    await fails('NANODB_INVALID',
      () => collection.bulkWrite([{ updateOne: { filter, update: set } }]));
  }
  for (const operation of [
    5, null, {}, { constructor: {} }, { toString: {} }, { insertOne: null }, { insertOne: {} },
    { deleteOne: [] },
  ]) {
    await fails('NANODB_INVALID', () => collection.bulkWrite([operation]));
  }
  await fails('NANODB_INVALID', async () => collection.find({}, { sort: [1] }).toArray());
  assert.equal(await collection.countDocuments({ a: { $exists: false } }), 2);
});

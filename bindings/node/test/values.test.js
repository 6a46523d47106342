'use strict';
// What values become, there and back.

const assert = require('node:assert/strict');
const { runInNewContext } = require('node:vm');
const { fails, nanodb, random, test, testBoth } = require('./common.js');

const { Ext, ObjectId, UUID } = nanodb;

const VALUES = [
  null, true, false, 0, -0, 1, -1, 127, 128, -32, -33, 255, 256, -128, -129, 65535, 65536, -32768,
  -32769, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32,
  Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, 1.5, -0.1, 1e300, 5e-324, NaN,
  Infinity, -Infinity, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n,
  '', 'a', 'é', '𝄞', 'ÿ', 'x'.repeat(24), 'x'.repeat(25), 'x'.repeat(31), 'x'.repeat(32),
  'x'.repeat(255), 'x'.repeat(256), 'é'.repeat(15), 'é'.repeat(16), 'é'.repeat(40),
  'x'.repeat(65535), 'x'.repeat(65536), 'null\0inside',
  Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(256, 1), Buffer.alloc(65536, 2),
  new Date(0), new Date(-1), new Date(1), new Date(1700000000500), new Date(2 ** 34 * 1000),
  new Date(8.64e15), new Date(-8.64e15),
  new ObjectId('65a1b2c3d4e5f60718293a4b'), new UUID('123e4567-e89b-12d3-a456-426614174000'),
  new Ext(5, Buffer.from('abc')), new Ext(-128, Buffer.alloc(300)), new Ext(100, Buffer.alloc(16)),
  [], [1, [2, [3]]], Array.from({ length: 16 }, (_, index) => index),
  Array.from({ length: 70000 }, () => 1),
  {}, { a: { b: { c: null } } }, JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
  { '': 1, 'a.b': 2, $c: 3, toString: 4, hasOwnProperty: 5 },
  { b: 1, a: 2, c: 3, A: 4 },
  Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index])),
];

testBoth('each type of value comes back as it was', async (db) => {
  const collection = db.collection('c');
  for (const [_id, v] of VALUES.entries()) {
    await collection.insertOne({ _id, v });
    // Several times, since what has been met before is read by other code.
    for (let times = 0; times < 12; times++) {
      const found = await collection.findOne({ _id });
      assert.deepEqual(found, { _id, v });
      assert.ok(typeof v === 'object' || Object.is(found.v, v));
      if (v?.constructor === Object) assert.deepEqual(Object.keys(found.v), Object.keys(v));
    }
  }
  const all = await collection.find().toArray();
  assert.deepEqual(all.map(({ v }) => v), VALUES);
});

testBoth('values of other forms are stored as these', async (db) => {
  const collection = db.collection('c');
  const bytes = new Uint8Array([1, 2, 3]);
  class Point {
    constructor() {
      this.x = 1;
    }

    get y() {
      return 2;
    }
  }
  for (const [given, stored] of [
    [undefined, null],
    [10n, 10],
    [new Uint8Array(bytes), Buffer.from(bytes)],
    [bytes.buffer, Buffer.from(bytes)],
    [new Map([['b', 1], ['a', new Map([['c', 2]])]]), { b: 1, a: { c: 2 } }],
    [new Point(), { x: 1 }],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [{ toBSON: () => ({ a: 1 }) }, { a: 1 }],
    [new String('a'), 'a'],
    [new Number(1.5), 1.5],
    ['\ud800', '\ufffd'],
    [[undefined, , 1], [null, null, 1]],
  ]) {
    const { insertedId } = await collection.insertOne({ v: given });
    assert.deepEqual((await collection.findOne({ _id: insertedId })).v, stored);
  }
});

testBoth('objects of the package bson are taken', async (db) => {
  const collection = db.collection('c');
  const id = { _bsontype: 'ObjectId', id: Buffer.from('65a1b2c3d4e5f60718293a4b', 'hex') };
  const uuid = { _bsontype: 'Binary', sub_type: 4, position: 16, buffer: Buffer.alloc(16, 7) };
  const binary = { _bsontype: 'Binary', sub_type: 0, position: 2, buffer: Buffer.from('abc') };
  for (const [given, stored] of [
    [id, new ObjectId('65a1b2c3d4e5f60718293a4b')],
    [uuid, new UUID(Buffer.alloc(16, 7))],
    [binary, Buffer.from('ab')],
    [{ _bsontype: 'Double', valueOf: () => 5 }, 5],
    [{ _bsontype: 'Int32', valueOf: () => 5 }, 5],
    [{ _bsontype: 'Long', toString: () => '9007199254740993' }, 9007199254740993n],
  ]) {
    const { insertedId } = await collection.insertOne({ v: given });
    assert.deepEqual((await collection.findOne({ _id: insertedId })).v, stored);
  }
  await collection.insertOne({ _id: id, a: 1 });
  assert.equal((await collection.findOne({ _id: id })).a, 1);
  assert.equal((await collection.findOne(new ObjectId(id))).a, 1);
  await fails('NANODB_INVALID', () => collection.insertOne({ v: { _bsontype: 'Decimal128' } }));
});

testBoth('what cannot be stored is refused, with its path', async (db) => {
  const collection = db.collection('c');
  const cycle = { a: {} };
  cycle.a.b = cycle;
  for (const [v, path, text] of [
    [() => 1, 'a.1.v', /is a function/],
    [Symbol('s'), 'a.1.v', /is a symbol/],
    [new Set([1]), 'a.1.v', /is a Set/],
    [Promise.resolve(1), 'a.1.v', /is a promise.*await it first/],
    [new Float32Array(1), 'a.1.v', /is a Float32Array/],
    [new Date(NaN), 'a.1.v', /invalid Date/],
    [2n ** 64n, 'a.1.v', /no integer of 64 bits/],
    [-(2n ** 63n) - 1n, 'a.1.v', /no integer of 64 bits/],
    [/a/, 'a.1.v', /regular expression/],
    [new Map([[1, 2]]), 'a.1.v', /Map with the key 1/],
  ]) {
    const error = await fails('NANODB_INVALID', () => collection.insertOne({ a: [0, { v }] }));
    assert.equal(error.path, path);
    assert.match(error.message, text);
    assert.match(error.message, /`a\.1\.v`/);
  }
  const error = await fails('NANODB_INVALID', () => collection.insertOne({ x: cycle }));
  assert.match(error.path, /^x\.a\.b\.a\.b/);
  for (const none of [null, undefined, 5, 'text', [], Buffer.alloc(1), new Date()]) {
    await fails('NANODB_INVALID', () => collection.insertOne(none));
  }
  await fails('NANODB_INVALID', () => collection.insertOne({ v: 'x'.repeat(17 * 1024 * 1024) }));
  await fails('NANODB_INVALID', () => collection.insertOne({ v: Buffer.alloc(17 * 1024 * 1024) }));
  await fails('NANODB_INVALID', () => collection.insertOne({ _id: [1] }));
  await fails('NANODB_INVALID', () => collection.insertOne({ _id: null }));
  assert.equal(await collection.countDocuments(), 0);
  // The encoder works as before.
  await collection.insertOne({ _id: 1, v: { w: 1 } });
  assert.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, v: { w: 1 } });
});

testBoth('large documents go there and back', async (db) => {
  const collection = db.collection('c');
  const v = Buffer.alloc(15 * 1024 * 1024, 'abc');
  await collection.insertOne({ _id: 1, v });
  assert.deepEqual((await collection.findOne({ _id: 1 })).v, v);
  assert.deepEqual((await collection.find().toArray())[0].v, v);
});

testBoth('undefined can be left out', async (db) => {
  const collection = db.collection('c', { ignoreUndefined: true });
  await collection.insertOne({ _id: 1, a: undefined, b: { c: undefined }, d: [undefined] });
  assert.deepEqual(await collection.findOne({ _id: 1 }), { _id: 1, b: {}, d: [null] });
  assert.equal(await collection.countDocuments({ b: {}, c: undefined }), 1);
});

testBoth('integers can all be BigInt', async (db) => {
  await db.collection('c').insertOne({ _id: 1, a: 5, b: 2 ** 31, c: -(2 ** 40), d: 2 ** 31 - 1 });
  const found = await db.collection('c', { useBigInt64: true }).findOne({ _id: 1 });
  assert.deepEqual(found, { _id: 1, a: 5, b: 2n ** 31n, c: -(2n ** 40n), d: 2 ** 31 - 1 });
});

testBoth('a document that calls the database while it is encoded is refused', async (db) => {
  const collection = db.collection('c');
  const { sync } = db;
  const nosy = () => ({
    a: 1,
    get b() {
      return sync.collection('other').countDocuments();
    },
  });
  const converted = () => ({ toBSON: () => ({ n: sync.collection('other').countDocuments() }) });
  for (const document of [nosy, converted]) {
    const run = [
      () => collection.insertOne(document()),
      () => collection.insertOne({ a: document() }),
      () => collection.insertMany([{ a: 1 }, document()]),
      () => collection.replaceOne({ a: 1 }, document()),
      () => collection.updateOne({ a: 1 }, { $set: { a: document() } }),
      () => collection.bulkWrite([{ insertOne: { document: { a: 1 } } }, {
        insertOne: { document: document() } }]),
      () => collection.find({ a: document() }).toArray(),
    ];
    for (const each of run) {
      const error = await fails('NANODB_INVALID', each);
      assert.match(error.message, /called the database/);
    }
  }
  const operation = {
    get filter() {
      return { a: sync.collection('other').countDocuments() };
    },
  };
  await fails('NANODB_INVALID', () =>
    collection.bulkWrite([{ insertOne: { document: { a: 1 } } }, { deleteOne: operation }]));
  assert.equal(await collection.countDocuments(), 0);
});

testBoth('documents of changing shapes come back as they were', async (db) => {
  const collection = db.collection('c');
  const documents = Array.from({ length: 3000 }, (_, _id) => {
    const document = { _id };
    for (let field = 0; field < _id % 7; field++) document[`f${(_id * 31 + field) % 40}`] = field;
    return _id % 10 === 0 ? { _id, a: { b: _id, c: [{ d: _id }, { e: _id }] } } : document;
  });
  await collection.insertMany(documents);
  for (let times = 0; times < 3; times++) {
    assert.deepEqual(await collection.find().sort({ _id: 1 }).toArray(), documents);
  }
});

// Documents of all kinds, of which the shapes recur.
function anyValue(numbers, depth) {
  const kinds = depth > 3 ? 9 : 12;
  switch (numbers.below(kinds)) {
    case 0:
      return null;
    case 1:
      return numbers.below(2) === 0;
    case 2:
      return numbers.below(300) - 150;
    case 3:
      return Math.floor((numbers.next() - 0.5) * 2 ** (1 + numbers.below(54)));
    case 4:
      return (numbers.next() - 0.5) * 10 ** (numbers.below(40) - 20);
    case 5:
      return BigInt(2 ** 53) * BigInt(1 + numbers.below(900)) * (numbers.below(2) ? 1n : -1n);
    case 6: {
      const alphabet = ['a', 'B', ' ', 'é', '語', '𝄞'].slice(0, 1 + numbers.below(6));
      const letter = () => alphabet[numbers.below(alphabet.length)];
      return Array.from({ length: numbers.below(50) }, letter).join('');
    }
    case 7:
      return new Date(Math.floor((numbers.next() - 0.5) * 1e15));
    case 8:
      return numbers.below(2)
        ? Buffer.from(Array.from({ length: numbers.below(40) }, () => numbers.below(256)))
        : new ObjectId(numbers.below(2 ** 31));
    case 9:
      return Array.from({ length: numbers.below(5) }, () => anyValue(numbers, depth + 1));
    default:
      return anyDocument(numbers, depth + 1);
  }
}

function anyDocument(numbers, depth) {
  const made = {};
  const names = ['a', 'b', 'name', 'a longer name', 'né', '__proto__', '1', 'x'.repeat(40)];
  const count = numbers.below(6);
  const first = numbers.below(names.length);
  for (let index = 0; index < count; index++) {
    const name = names[(first + index) % names.length];
    Object.defineProperty(made, name, {
      value: anyValue(numbers, depth), enumerable: true, writable: true, configurable: true,
    });
  }
  return made;
}

testBoth('random documents come back as they were', async (db) => {
  const collection = db.collection('c');
  const numbers = random(42);
  const documents = Array.from({ length: 2000 }, (_, _id) => ({ _id, ...anyDocument(numbers, 0) }));
  await collection.insertMany(documents);
  assert.deepEqual(await collection.find().sort({ _id: 1 }).toArray(), documents);
  for (let times = 0; times < 200; times++) {
    const document = documents[numbers.below(documents.length)];
    assert.deepEqual(await collection.findOne({ _id: document._id }), document);
  }
});

test('ObjectId has the methods of bson\'s', () => {
  const hex = '65a1b2c3d4e5f60718293a4b';
  const id = new ObjectId(hex);
  assert.equal(id.toHexString(), hex);
  assert.equal(String(id), hex);
  assert.equal(JSON.stringify({ id }), `{"id":"${hex}"}`);
  assert.deepEqual(id.id, Buffer.from(hex, 'hex'));
  assert.deepEqual(new ObjectId(id.id), id);
  assert.deepEqual(new ObjectId(id), id);
  assert.deepEqual(ObjectId.createFromHexString(hex), id);
  assert.deepEqual(ObjectId.createFromBase64(id.toString('base64')), id);
  assert.ok(id.equals(hex) && id.equals(new ObjectId(hex)) && !id.equals(new ObjectId()));
  assert.ok(id.equals({ _bsontype: 'ObjectId', id: id.id }) && !id.equals(null));
  assert.notDeepEqual(new ObjectId(), id);
  assert.deepEqual(id.getTimestamp(), new Date(0x65a1b2c3 * 1000));
  assert.deepEqual(ObjectId.createFromTime(5).getTimestamp(), new Date(5000));
  assert.deepEqual(new ObjectId(4000000000).getTimestamp(), new Date(4000000000000));
  assert.ok(ObjectId.isValid(hex) && !ObjectId.isValid('xyz') && !ObjectId.isValid(null));
  assert.throws(() => new ObjectId('xyz'), /is not an ObjectId/);
  assert.equal(require('node:util').inspect(id), `new ObjectId('${hex}')`);
  const made = Array.from({ length: 1000 }, () => new ObjectId().toHexString());
  assert.equal(new Set(made).size, 1000);
  assert.ok(Math.abs(new ObjectId().getTimestamp() - Date.now()) < 5000);
});

test('UUID has the methods of bson\'s', () => {
  const text = '123e4567-e89b-12d3-a456-426614174000';
  const uuid = new UUID(text);
  assert.equal(uuid.toString(), text);
  assert.equal(uuid.toHexString(false), text.replaceAll('-', ''));
  assert.equal(JSON.stringify({ uuid }), `{"uuid":"${text}"}`);
  assert.ok(uuid.equals(text) && uuid.equals(new UUID(uuid.id)) && !uuid.equals(new UUID()));
  assert.ok(UUID.isValid(text) && !UUID.isValid('xyz'));
  assert.throws(() => new UUID('xyz'), /is not a UUID/);
});

testBoth('what is no document is not inserted as an empty one', async (db) => {
  const collection = db.collection('c');
  for (const value of [
    Promise.resolve({}), new Set([1]), /x/, new Error('x'), new ObjectId(),
    new UUID(), new Ext(1, Buffer.alloc(1)), new ArrayBuffer(2), new Uint16Array(2), Object(5),
    Object('x'), Object(5n), new WeakMap(), undefined, null, 5, 'x', [], () => 1,
  ]) {
    await fails('NANODB_INVALID', () => collection.insertOne(value));
    await fails('NANODB_INVALID', () => collection.insertMany([value]));
    await fails('NANODB_INVALID', () => collection.replaceOne({}, value));
  }
  assert.equal(await collection.countDocuments(), 0);
});

testBoth('an id that is not enumerable is the id', async (db) => {
  const collection = db.collection('c');
  const document = Object.defineProperty({ a: 1 }, '_id', { value: 77 });
  assert.equal((await collection.insertOne(document)).insertedId, 77);
  assert.deepEqual(await collection.findOne({ _id: 77 }), { _id: 77, a: 1 });
});

testBoth('what is far too large is refused at once', async (db) => {
  const collection = db.collection('c');
  let bomb = Array(10).fill(1);
  for (let depth = 0; depth < 12; depth++) bomb = Array(10).fill(bomb);
  let maps = {};
  for (let depth = 0; depth < 30; depth++) maps = { a: maps, b: maps };
  for (const value of [new Array(2 ** 32 - 1), bomb, maps, 'x'.repeat(2 ** 28)]) {
    const error = await fails('NANODB_INVALID', () => collection.insertOne({ value }));
    assert.match(error.message, /takes \d+ bytes, more than/);
  }
  const value = new Array(2 ** 32 - 1);
  const operations = [{ insertOne: { document: { value } } }];
  await fails('NANODB_INVALID', () => collection.findOne({ value }));
  await fails('NANODB_INVALID', () => collection.updateOne({}, { $set: { value } }));
  await fails('NANODB_INVALID', () => collection.replaceOne({}, { value }));
  await fails('NANODB_INVALID', () => collection.bulkWrite(operations));
  await collection.insertOne({ _id: 1, n: Array(1_000_000).fill(7), text: 'ß'.repeat(5_000_000) });
  assert.equal((await collection.findOne({ _id: 1 })).n.length, 1_000_000);
});

testBoth('values of another realm are what they are', async (db) => {
  const collection = db.collection('c');
  const foreign = (code) => runInNewContext(`(${code})`);
  const document = foreign(`{
    _id: 1, at: new Date(5), bytes: new Uint8Array([1, 2]), buffer: new ArrayBuffer(2),
    map: new Map([['a', 1]]), list: [new Date(6), { at: new Date(7) }], number: Object(5),
  }`);
  assert.equal((await collection.insertOne(document)).insertedId, 1);
  assert.deepEqual(await collection.findOne(foreign('{ at: new Date(5) }')), {
    _id: 1, at: new Date(5), bytes: Buffer.from([1, 2]), buffer: Buffer.alloc(2), map: { a: 1 },
    list: [new Date(6), { at: new Date(7) }], number: 5,
  });
  await collection.insertOne(foreign("new Map([['_id', 2], ['text', 'abc']])"));
  assert.equal((await collection.findOne({ text: foreign('/B/i') }))._id, 2);
  const sort = foreign("new Map([['_id', -1]])");
  assert.equal((await collection.find({}, { sort }).next())._id, 2);
  for (const code of [
    'new Set()', 'Promise.resolve()', 'new Error()', 'new Uint16Array(1)', 'new Map().values()',
    'new Set().values()', '(function* () {})()', 'new SharedArrayBuffer(1)', 'Object(Symbol())',
  ]) {
    await fails('NANODB_INVALID', () => collection.insertOne({ value: foreign(code) }));
    await fails('NANODB_INVALID', () => collection.insertOne(foreign(code)));
  }
  const filter = foreign('new Date()');
  await fails('NANODB_INVALID', () => collection.updateOne(filter, { $set: { a: 1 } }));
});

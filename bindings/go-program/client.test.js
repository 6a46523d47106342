'use strict';
// A program over the client: what it could do with the Go program's library, it does with this one.
// NANODB_CLIENT is the folder of the client, with the library in its `native`.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { NanoDB } = require(path.resolve(process.env.NANODB_CLIENT));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-client-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

test('a program of the client works, and finds all again', () => {
  const file = path.join(folder, 'app.db');
  let db = new NanoDB(file);
  let users = db.collection('users');
  assert.deepStrictEqual(db.listCollections(), ['users']);
  assert.deepStrictEqual(users.find().exec(), []);
  assert.deepStrictEqual(users.insertMany([]), []);

  const ann = users.insert({ name: 'Ann', age: 30, tags: ['a', 'ü'], none: null });
  const [bob, cem] = users.insertMany([{ name: 'Bob', age: 12 }, { name: 'Cem', age: 45 }]);
  for (const id of [ann, bob, cem]) assert(Number.isSafeInteger(id) && id >= 0);
  assert.deepStrictEqual(users.findById(ann),
    { _id: ann, name: 'Ann', age: 30, tags: ['a', 'ü'], none: null });
  assert.strictEqual(users.findById(1e9), null);
  assert.deepStrictEqual(users.findOne({ age: { $lt: 20 } }), { _id: bob, name: 'Bob', age: 12 });
  assert.strictEqual(users.findOne({ name: 'Dan' }), null);
  const names = (found) => found.map(({ name }) => name);
  assert.deepStrictEqual(names(users.find().exec()), ['Ann', 'Bob', 'Cem']);
  assert.deepStrictEqual(names(users.find().skip(1).limit(1).exec()), ['Bob']);
  assert.deepStrictEqual(
    names(users.find({ $or: [{ age: { $gte: 45 } }, { name: 'Ann' }] }).exec()), ['Ann', 'Cem']);

  assert.deepStrictEqual(users.updateById(bob, { age: 13, _id: 7 }),
    { _id: bob, name: 'Bob', age: 13 });
  assert.throws(() => users.updateById(1e9, { age: 1 }));
  assert.deepStrictEqual(names(users.update({ age: { $gt: 20 } }, { old: true })), ['Ann', 'Cem']);
  assert.strictEqual(users.find({ old: true }).exec().length, 2);
  assert.strictEqual(users.deleteById(cem), true);
  assert.strictEqual(users.deleteById(cem), false);
  assert.strictEqual(users.delete({ name: 'Nobody' }), 1);

  const places = db.collection('places');
  const at = (x, y) => ({ _embeddings: [x, y] });
  const ids = [places.insert(at(0, 0)), ...places.insertMany([at(5, 5), at(1, 0), at(0, 3)])];
  assert.deepStrictEqual(places.vectorSearch([0.1, 0], 3), [ids[0], ids[2], ids[3]]);
  assert.deepStrictEqual(places.vectorSearch([6, 6]), [ids[1], ids[3], ids[2], ids[0]]);
  assert.throws(() => users.insert(null));
  assert.strictEqual(db.close(), 1);

  db = new NanoDB(file);
  users = db.collection('users');
  assert.deepStrictEqual(db.listCollections().sort(), ['places', 'users']);
  assert.deepStrictEqual(names(users.find().exec()), ['Ann', 'Bob']);
  assert.deepStrictEqual(users.findById(bob), { _id: bob, name: 'Bob', age: 13 });
  assert.strictEqual(users.delete({}), 1);
  assert.deepStrictEqual(users.find().exec(), []);
  assert.strictEqual(db.close(), 1);
  assert.deepStrictEqual(fs.readdirSync(folder), ['app.db']);
});

test('files of the Go program are opened by the client', () => {
  for (const name of ['go-hash', 'go-btree']) {
    const file = path.join(folder, `${name}.db`);
    fs.copyFileSync(path.join(process.env.NANODB_GO_FILES, `${name}.db`), file);
    const expected = JSON.parse(
      fs.readFileSync(path.join(process.env.NANODB_GO_FILES, `${name}.expected.json`)));
    const db = new NanoDB(file);
    assert.deepStrictEqual(db.listCollections().sort(), Object.keys(expected).sort());
    for (const [collection, documents] of Object.entries(expected)) {
      const found = db.collection(collection).find().exec();
      assert.strictEqual(found.length, documents.length);
    }
    assert.strictEqual(db.close(), 1);
  }
});

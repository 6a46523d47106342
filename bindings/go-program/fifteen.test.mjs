// A program against the fifteen symbols' signatures, by koffi: nothing else of the library is used.
// NANODB_LIBRARY is the shared library, NANODB_GO_FILES a folder with files of the Go program.

import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

// koffi is looked for where NODE_PATH says.
const koffi = createRequire(path.join(process.env.NODE_PATH ?? '.', 'x.js'))('koffi');
const library = koffi.load(path.resolve(process.env.NANODB_LIBRARY));
const free = library.func('NanoFree', 'void', ['void *']);
const text = koffi.disposable('NanoText', 'str', free);
const nano = {
  init: library.func('NanoInit', 'void', ['str']),
  close: library.func('NanoClose', 'longlong', []),
  createCollection: library.func('NanoCreateCollection', 'longlong', ['str']),
  collections: library.func('NanoGetCollections', text, []),
  insert: library.func('NanoInsert', 'longlong', ['str', 'str']),
  insertMany: library.func('NanoInsertMany', text, ['str', 'str']),
  find: library.func('NanoFind', text, ['str', 'str', 'longlong', 'longlong']),
  findOne: library.func('NanoFindOne', text, ['str', 'str']),
  findById: library.func('NanoFindById', text, ['str', 'longlong']),
  updateById: library.func('NanoUpdateById', text, ['str', 'longlong', 'str']),
  updateMany: library.func('NanoUpdateMany', text, ['str', 'str', 'str']),
  deleteById: library.func('NanoDeleteById', 'longlong', ['str', 'longlong']),
  deleteMany: library.func('NanoDeleteMany', 'longlong', ['str', 'str']),
  vectorSearch: library.func('NanoVectorSearch', text, ['str', 'str', 'longlong']),
};

function assertAllRefused() {
  assert.strictEqual(nano.createCollection('c'), -1);
  assert.strictEqual(nano.collections(), null);
  assert.strictEqual(nano.insert('c', '{}'), -1);
  assert.strictEqual(nano.insertMany('c', '[{}]'), null);
  assert.strictEqual(nano.find('c', '{}', 0, 0), null);
  assert.strictEqual(nano.findOne('c', '{}'), null);
  assert.strictEqual(nano.findById('c', 1), null);
  assert.strictEqual(nano.updateById('c', 1, '{}'), null);
  assert.strictEqual(nano.updateMany('c', '{}', '{}'), null);
  assert.strictEqual(nano.deleteById('c', 1), -1);
  assert.strictEqual(nano.deleteMany('c', '{}'), -1);
  assert.strictEqual(nano.vectorSearch('c', '[1]', 1), null);
}

// The second process: the first one's file is refused, another one is not.
if (process.env.NANODB_SECOND) {
  nano.init(process.env.NANODB_SECOND);
  assertAllRefused();
  assertAllRefused();
  nano.init(`${process.env.NANODB_SECOND}.other`);
  assert.strictEqual(nano.createCollection('c'), 1);
  assert.strictEqual(nano.insert('c', '{}'), 1);
  process.exit(0);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-fifteen-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

/// Opens an empty file with a collection `c`.
function open(name) {
  const file = path.join(folder, name);
  nano.init(file);
  assert.strictEqual(nano.createCollection('c'), 1);
  return file;
}

const json = (value) => JSON.stringify(value);
const find = (query, limit = 0, skip = 0) => JSON.parse(nano.find('c', json(query), limit, skip));
const byId = (id) => JSON.parse(nano.findById('c', id));

test('documents are inserted, found, updated and deleted', () => {
  const file = open('verbs.db');
  assert.strictEqual(nano.createCollection('c'), 0);
  assert.strictEqual(nano.createCollection('d'), 1);
  assert.deepStrictEqual(JSON.parse(nano.collections()).sort(), ['c', 'd']);
  assert.strictEqual(nano.find('c', '{}', 0, 0), '[]');
  assert.strictEqual(nano.insertMany('c', '[]'), '[]');

  const first = nano.insert('c', json({ n: 0, even: true, _id: 'ignored' }));
  const others = JSON.parse(nano.insertMany('c',
    json(Array.from({ length: 99 }, (_, n) => ({ n: n + 1, even: n % 2 === 1 })))));
  const ids = [first, ...others];
  assert.strictEqual(new Set(ids).size, 100);
  for (const id of ids) assert(Number.isSafeInteger(id) && id >= 0);
  const numbers = (found) => found.map(({ n }) => n);
  assert.strictEqual(find({}).length, 100);
  assert.deepStrictEqual(numbers(find({}, 3, 10)), [10, 11, 12]);
  assert.deepStrictEqual(numbers(find({ even: true }, 2)), [0, 2]);
  assert.deepStrictEqual(numbers(find({ n: { $gte: 97 } }, 0, 1)), [98, 99]);
  assert.deepStrictEqual(find({ n: { $gt: 1000 } }), []);
  assert.deepStrictEqual(find({ $and: [{ n: { $lt: 3 } }, { even: { $ne: true } }] }),
    [{ _id: ids[1], n: 1, even: false }]);
  assert.deepStrictEqual(JSON.parse(nano.findOne('c', '{"n": 7}')),
    { _id: ids[7], n: 7, even: false });
  assert.strictEqual(nano.findOne('c', '{"n": -1}'), 'null');
  assert.deepStrictEqual(byId(ids[8]), { _id: ids[8], n: 8, even: true });
  assert.strictEqual(nano.findById('c', -1), 'null');

  assert.deepStrictEqual(JSON.parse(nano.updateById('c', ids[8], '{"at": {"x": 1}, "_id": 5}')),
    { _id: ids[8], n: 8, even: true, at: { x: 1 } });
  assert.strictEqual(nano.updateById('c', -1, '{}'), null);
  const updated = JSON.parse(nano.updateMany('c', '{"n": {"$lt": 10}}', '{"small": true}'));
  assert.deepStrictEqual(numbers(updated), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert(updated.every(({ small }) => small));
  assert.strictEqual(nano.updateMany('c', '{"n": -1}', '{"small": true}'), '[]');

  assert.strictEqual(nano.deleteById('c', ids[3]), 1);
  assert.strictEqual(nano.deleteById('c', ids[3]), -1);
  assert.strictEqual(nano.deleteMany('c', '{"even": true}'), 1);
  assert.strictEqual(nano.deleteMany('c', '{"even": true}'), 1);
  const left = find({});
  assert.strictEqual(left.length, 49);
  assert.strictEqual(nano.insert('missing', '{}'), -1);
  assert.strictEqual(nano.insert('c', 'null'), -1);
  assert.strictEqual(nano.insertMany('c', '[{}, null]'), null);
  assert.strictEqual(nano.close(), 1);
  assertAllRefused();

  nano.init(file);
  assert.deepStrictEqual(find({}), left);
  for (const document of left) assert.deepStrictEqual(byId(document._id), document);
  assert.deepStrictEqual(JSON.parse(nano.collections()).sort(), ['c', 'd']);
  assert.strictEqual(nano.close(), 1);
});

test('documents of more than a page are stored, grow, and are found again', () => {
  const file = open('large.db');
  const sizes = [4_000, 4_072, 4_096, 5_000, 65_500, 70_000, 1_000_000];
  const ids = sizes.map((size) => nano.insert('c', json({ size, text: 'x'.repeat(size) })));
  const many = JSON.parse(nano.insertMany('c',
    json(sizes.map((size) => ({ size, text: 'y'.repeat(size) })))));
  const grown = JSON.parse(nano.updateById('c', ids[0], json({ text: 'z'.repeat(50_000) })));
  assert.strictEqual(grown.text.length, 50_000);
  for (let round = 0; round < 2; round++) {
    sizes.forEach((size, n) => {
      const expected = n === 0 ? 'z'.repeat(50_000) : 'x'.repeat(size);
      assert.deepStrictEqual(byId(ids[n]), { _id: ids[n], size, text: expected });
      assert.strictEqual(byId(many[n]).text, 'y'.repeat(size));
    });
    assert.strictEqual(nano.close(), 1);
    nano.init(file);
  }
  assert.strictEqual(find({}).length, 2 * sizes.length);
  assert.strictEqual(nano.close(), 1);
});

test('the nearest vectors come first', () => {
  open('vectors.db');
  assert.strictEqual(nano.vectorSearch('c', '[1, 2]', 5), '[]');
  const vector = (n) => [Math.sin(n), Math.cos(3 * n), n / 100];
  const ids = JSON.parse(nano.insertMany('c',
    json(Array.from({ length: 300 }, (_, n) => ({ _embeddings: vector(n) })))));
  const wanted = [0.1, 0.2, 1.5];
  const distance = (n) => vector(n).reduce((sum, x, i) => sum + (x - wanted[i]) ** 2, 0);
  const expected = ids.map((_, n) => n).sort((a, b) => distance(a) - distance(b));
  assert.deepStrictEqual(JSON.parse(nano.vectorSearch('c', json(wanted), 10)),
    expected.slice(0, 10).map((n) => ids[n]));
  assert.deepStrictEqual(JSON.parse(nano.vectorSearch('c', '[1]', 10)), []);
  assert.strictEqual(nano.close(), 1);
});

test('a second process is refused, and told why once', () => {
  const file = open('locked.db');
  nano.insert('c', '{"mine": true}');
  const second = spawnSync(process.execPath, [fileURLToPath(import.meta.url)],
    { env: { ...process.env, NANODB_SECOND: file }, encoding: 'utf8' });
  assert.strictEqual(second.status, 0, second.stderr);
  const told = second.stderr.split('\n').filter((line) => line.includes('nanodb: NanoInit: '));
  assert.strictEqual(told.length, 1, second.stderr);
  assert(told[0].includes(file), told[0]);
  assert.strictEqual(find({ mine: true }).length, 1);
  assert.strictEqual(nano.close(), 1);
});

test('a second path is refused, and never meets the first file', () => {
  const file = open('first.db');
  nano.insert('c', '{"first": true}');
  nano.init(path.join(folder, 'second.db'));
  assertAllRefused();
  assert(!fs.existsSync(path.join(folder, 'second.db')));
  nano.init(file);
  assert.strictEqual(find({ first: true }).length, 1);
  // Three users: one of them was refused.
  assert.deepStrictEqual([nano.close(), nano.close(), nano.close()].sort(), [-1, 1, 1]);
  nano.init(path.join(folder, 'second.db'));
  assert.strictEqual(nano.collections(), '[]');
  assert.strictEqual(nano.close(), 1);
});

test('files of the Go program are converted, and kept', () => {
  // Ids of the older version have 64 bits, which a number of JavaScript has not.
  const parse = (text) => JSON.parse(text.replace(/"_id":\s*(\d+)/g, '"_id":"$1"'));
  for (const name of ['go-hash', 'go-btree']) {
    const from = path.join(process.env.NANODB_GO_FILES, name);
    const old = fs.readFileSync(`${from}.db`);
    const expected = parse(fs.readFileSync(`${from}.expected.json`, 'utf8'));
    const file = path.join(folder, `${name}.db`);
    fs.writeFileSync(file, old);
    for (let round = 0; round < 2; round++) {
      nano.init(file);
      assert.deepStrictEqual(JSON.parse(nano.collections()).sort(), Object.keys(expected).sort());
      for (const [collection, documents] of Object.entries(expected)) {
        const found = parse(nano.find(collection, '{}', 0, 0));
        const inOrder = (all) => new Map(all.map((document) => [document._id, document]));
        assert.deepStrictEqual(inOrder(found), inOrder(documents));
        for (const document of documents) {
          const id = BigInt.asIntN(64, BigInt(document._id));
          assert.deepStrictEqual(parse(nano.findById(collection, id)), document);
        }
      }
      assert.strictEqual(nano.close(), 1);
    }
    assert(fs.readFileSync(`${file}.go-backup`).equals(old));
    assert(!fs.readFileSync(file).equals(old));
    nano.init(file);
    const [collection] = Object.keys(expected);
    const id = nano.insert(collection, '{}');
    assert(Number.isSafeInteger(id) && id >= 0);
    assert.strictEqual(nano.close(), 1);
  }
});

test('what was freed is given back', { skip: process.platform !== 'linux' }, () => {
  open('memory.db');
  const id = nano.insert('c', json({ text: 'x'.repeat(10_000) }));
  const read = () => {
    for (let n = 0; n < 20_000; n++) nano.findById('c', id);
  };
  read();
  const before = process.memoryUsage().rss;
  read();
  // Kept, it would be 200 MB.
  assert(process.memoryUsage().rss - before < 100e6);
  assert.strictEqual(nano.close(), 1);
});

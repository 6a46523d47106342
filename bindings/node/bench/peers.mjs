// Beside other embedded databases, with the same work, decoded to objects:
//
//     node bench/peers.mjs [COUNT] [ROUNDS] [NAME]
//
// The peers are looked for where Node.js finds packages: `npm install better-sqlite3
// @seald-io/nedb` in a folder, and NODE_PATH. What is missing is left out, and said. With a NAME,
// only those run whose names contain it. Every database is on the disk and does not wait for it:
// `relaxed` here, `synchronous = OFF` in SQLite; NeDB has no such setting, and never waits.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
const nanodb = require(process.env.NANODB_PACKAGE ?? '../lib/index.js');

const COUNT = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const NAME = process.argv[4] ?? '';
const ONE_BY_ONE = Math.min(COUNT, 20_000);
const BATCH = 1000;

function document(n) {
  return {
    _id: n,
    name: `user ${n}`,
    email: `user${n}@example.com`,
    age: n % 90,
    city: ['Berlin', 'Paris', 'Rome', 'Oslo'][n % 4],
    tags: ['a', 'b', 'c'].slice(n % 3),
    score: n / 7,
    active: n % 2 === 0,
  };
}

const wanted = Array.from({ length: COUNT }, (_, n) => (n * 7919) % COUNT);
const agesOfWanted = wanted.reduce((sum, n) => sum + document(n).age, 0);

function peer(name) {
  try {
    return require(name);
  } catch {
    try {
      return createRequire(path.join(process.env.NODE_PATH ?? '.', 'x.js'))(name);
    } catch {
      console.error(`${name} is missing, and left out`);
      return null;
    }
  }
}

// Each opens a database in a folder, and does the work by these names.
const contestants = {
  'NanoDB, sync': (folder) => {
    const db = nanodb.openSync(path.join(folder, 'a.nanodb'), { durability: 'relaxed' }).sync;
    const c = db.collection('c');
    return {
      insertMany: (documents) => c.insertMany(documents),
      insertOne: (one) => db.collection('one').insertOne(one),
      get: (id) => c.findOne({ _id: id }),
      find: (city, age) => c.find({ city, age }).toArray(),
      all: () => c.find().toArray(),
      update: () => c.updateMany({ _id: { $mod: [10, 0] } }, { $inc: { age: 1 } }),
      close: () => db.close(),
    };
  },
  'NanoDB, promises': (folder) => {
    const db = nanodb.openSync(path.join(folder, 'a.nanodb'), { durability: 'relaxed' });
    const c = db.collection('c');
    return {
      insertMany: (documents) => c.insertMany(documents),
      insertOne: (one) => db.collection('one').insertOne(one),
      get: (id) => c.findOne({ _id: id }),
      find: (city, age) => c.find({ city, age }).toArray(),
      all: () => c.find().toArray(),
      update: () => c.updateMany({ _id: { $mod: [10, 0] } }, { $inc: { age: 1 } }),
      close: () => db.close(),
    };
  },
  'better-sqlite3, JSON': (folder) => {
    const Sqlite = peer('better-sqlite3');
    if (Sqlite === null) return null;
    const db = new Sqlite(path.join(folder, 'a.sqlite'));
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = OFF');
    for (const name of ['c', 'one']) {
      db.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`);
    }
    const insert = db.prepare('INSERT INTO c VALUES (?, ?)');
    const one = db.prepare('INSERT INTO one VALUES (?, ?)');
    const get = db.prepare('SELECT body FROM c WHERE id = ?');
    const find = db.prepare(
      "SELECT body FROM c WHERE body ->> '$.city' = ? AND body ->> '$.age' = ?");
    const all = db.prepare('SELECT body FROM c');
    const update = db.prepare(
      "UPDATE c SET body = json_set(body, '$.age', (body ->> '$.age') + 1) WHERE id % 10 = 0");
    const many = db.transaction((documents) => {
      for (const each of documents) insert.run(each._id, JSON.stringify(each));
    });
    return {
      insertMany: many,
      insertOne: (each) => one.run(each._id, JSON.stringify(each)),
      get: (id) => JSON.parse(get.get(id).body),
      find: (city, age) => find.all(city, age).map(({ body }) => JSON.parse(body)),
      all: () => all.all().map(({ body }) => JSON.parse(body)),
      update: () => update.run(),
      close: () => db.close(),
    };
  },
  'NeDB': async (folder) => {
    const Datastore = peer('@seald-io/nedb');
    if (Datastore === null) return null;
    const c = new Datastore({ filename: path.join(folder, 'a.nedb') });
    const one = new Datastore({ filename: path.join(folder, 'one.nedb') });
    await c.loadDatabaseAsync();
    await one.loadDatabaseAsync();
    return {
      insertMany: (documents) => c.insertAsync(documents),
      insertOne: (each) => one.insertAsync(each),
      get: (id) => c.findOneAsync({ _id: id }),
      find: (city, age) => c.findAsync({ city, age }),
      all: () => c.findAsync({}),
      update: () => c.updateAsync(
        { $where() { return this._id % 10 === 0; } }, { $inc: { age: 1 } }, { multi: true }),
      close: () => {},
    };
  },
};

const ROWS = {
  'insert in batches of 1,000': [COUNT, async (db) => {
    for (let from = 0; from < COUNT; from += BATCH) {
      const documents = [];
      for (let n = from; n < Math.min(from + BATCH, COUNT); n++) documents.push(document(n));
      const done = db.insertMany(documents);
      if (typeof done?.then === 'function') await done;
    }
  }],
  'insert one by one': [ONE_BY_ONE, async (db) => {
    for (let n = 0; n < ONE_BY_ONE; n++) {
      const done = db.insertOne(document(n));
      if (typeof done?.then === 'function') await done;
    }
  }],
  'read by id': [COUNT, async (db) => {
    let sum = 0;
    for (const id of wanted) {
      let found = db.get(id);
      // NeDB returns a cursor, which is awaited like a promise, but is none.
      if (typeof found.then === 'function') found = await found;
      sum += found.age;
    }
    if (sum !== agesOfWanted) throw new Error(`the ages add up to ${sum}`);
  }],
  'find by two fields': [COUNT, async (db) => {
    const found = await db.find('Berlin', 40);
    if (found.length === 0) throw new Error('nothing found');
  }],
  'read all': [COUNT, async (db) => {
    const found = await db.all();
    if (found.length !== COUNT) throw new Error(`${found.length} found`);
  }],
  'update a tenth': [COUNT / 10, async (db) => {
    await db.update();
  }],
};

const best = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, open] of Object.entries(contestants)) {
    if (!name.includes(NAME)) continue;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-bench-'));
    try {
      const db = await open(folder);
      if (db === null) continue;
      for (const [row, [count, run]] of Object.entries(ROWS)) {
        globalThis.gc?.();
        const began = process.hrtime.bigint();
        await run(db);
        const seconds = Number(process.hrtime.bigint() - began) / 1e9;
        best[row] ??= {};
        best[row][name] = Math.max(best[row][name] ?? 0, count / seconds);
      }
      await db.close();
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}
const names = [...new Set(Object.values(best).flatMap((row) => Object.keys(row)))];
console.log(`${COUNT} documents, the best of ${ROUNDS} rounds; documents a second`);
console.log(`| | ${names.join(' | ')} |`);
console.log(`|---|${'---:|'.repeat(names.length)}`);
for (const [row, results] of Object.entries(best)) {
  const cells = names.map((name) => Math.round(results[name] ?? 0).toLocaleString('en'));
  console.log(`| ${row} | ${cells.join(' | ')} |`);
}

'use strict';
// Random calls, in wrong orders and with wrong arguments: each gives a result or an error of ours,
// and nothing else happens. `NANODB_CALLS` says how many.

const assert = require('node:assert/strict');
const path = require('node:path');
const { nanodb, random, test, withFolder } = require('./common.js');

const CALLS = Number(process.env.NANODB_CALLS ?? 5000);
const SEED = Number(process.env.NANODB_SEED ?? 1);

const cycle = {};
cycle.self = cycle;

const ARGUMENTS = [
  undefined, null, 0, 1, -1, 1.5, NaN, 2n ** 63n, '', 'a', 'a.b', '$set', true, [], {}, [[]], cycle,
  { _id: 1 }, { _id: 2, a: 1 }, { _id: { $gt: 1 } }, { a: { $in: [1, 2] } }, { a: { $bad: 1 } },
  { $set: { a: 1 } }, { $inc: { a: 1 } }, { $set: { _id: 5 } }, { $push: { t: 1 } }, { $bad: 1 },
  { a: [1, { b: 2 }] }, [{ _id: 3 }, { a: 1 }], [{ insertOne: { document: { a: 1 } } }],
  [{ updateOne: { filter: {}, update: { $set: { a: 2 } }, upsert: true } }], [{ deleteMany: {} }],
  [{ bad: 1 }], { upsert: true }, { sort: { a: -1 } }, { sort: 'x', limit: 2 }, { limit: -1 },
  { projection: { a: 1 } }, { projection: { a: 1, b: 0 } }, { returnDocument: 'after' },
  { returnDocument: 'x' }, { ordered: false }, { arrayFilters: [{ 'x.a': 1 }] }, { session: 1 },
  () => 1, Symbol('s'), new Date(), new Date(NaN), Buffer.alloc(12), /a/, new Map([['a', 1]]),
  new nanodb.ObjectId(), new nanodb.UUID(), { toBSON: () => ({ a: 1 }) }, { then: 1 },
  Object.freeze({ a: 1 }),
];

const VERBS = [
  'insertOne', 'insertMany', 'findOne', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne',
  'deleteMany', 'findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete', 'bulkWrite',
  'countDocuments', 'estimatedDocumentCount', 'distinct', 'drop', 'rename', 'indexes',
];
const CURSOR_VERBS = ['next', 'hasNext', 'toArray', 'close', 'rewind', 'sort', 'limit', 'skip',
  'project', 'explain', 'count', 'batchSize', 'clone'];

class Caller {
  constructor(numbers, file) {
    this.numbers = numbers;
    this.file = file;
    this.dbs = [];
    this.collections = [];
    this.transactions = [];
    this.cursors = [];
    this.errors = 0;
  }

  any(list) {
    return list[this.numbers.below(list.length)];
  }

  args() {
    return Array.from({ length: this.numbers.below(4) }, () => this.any(ARGUMENTS));
  }

  keep(list, made, most) {
    if (list.length < most) list.push(made);
    else list[this.numbers.below(list.length)] = made;
  }

  async call() {
    const kind = this.numbers.below(100);
    if (this.dbs.length === 0 || kind < 2) {
      const db = await nanodb.open(this.any([':memory:', this.file]), { durability: 'relaxed' });
      this.keep(this.dbs, db, 4);
    } else if (kind < 3) {
      const db = this.any(this.dbs);
      await (this.numbers.below(2) ? db : db.sync).close();
    } else if (kind < 12) {
      const db = this.any([this.any(this.dbs), this.any(this.dbs).sync]);
      this.keep(this.collections, db.collection(this.any(['a', 'b', 'c', ...ARGUMENTS])), 12);
    } else if (kind < 14) {
      const db = this.any([this.any(this.dbs), this.any(this.dbs).sync]);
      const begun = await db.begin();
      if (this.transactions.length < 3) this.transactions.push(begun);
      else await this.settle(begun.rollback());
    } else if (kind < 18 && this.transactions.length > 0) {
      const transaction = this.any(this.transactions);
      await this.settle(this.numbers.below(2) ? transaction.commit() : transaction.rollback());
    } else if (kind < 25 && this.transactions.length > 0) {
      this.keep(this.collections, this.any(this.transactions).collection(this.any(['a', 'b'])), 12);
    } else if (kind < 27) {
      const snapshot = this.any(this.dbs).snapshot();
      this.keep(this.collections, snapshot.collection('a'), 12);
      if (this.numbers.below(2)) snapshot.close();
    } else if (kind < 35 && this.collections.length > 0) {
      this.keep(this.cursors, this.any(this.collections).find(...this.args()), 12);
    } else if (kind < 55 && this.cursors.length > 0) {
      const cursor = this.any(this.cursors);
      await this.settle(cursor[this.any(CURSOR_VERBS)](...this.args()));
    } else if (this.collections.length > 0) {
      const collection = this.any(this.collections);
      await this.settle(collection[this.any(VERBS)](...this.args()));
    }
  }

  // Waits for a call, unless it waits for a transaction that only this caller would end.
  async settle(made) {
    if (!(made instanceof Promise)) return;
    this.pending.push(made.then(() => {}, (error) => this.check(error)));
    const soon = new Promise((resolve) => setImmediate(resolve));
    await Promise.race([made.catch(() => {}), soon]);
  }

  async drain() {
    await Promise.all(this.transactions.map((transaction) => transaction.rollback()));
    this.transactions = [];
    await Promise.all(this.pending);
    this.pending = [];
  }

  check(error) {
    this.errors++;
    const isOurs = error instanceof nanodb.NanoDBError && error.kind !== 'NANODB_PANIC';
    // What is frozen gets no id.
    if (!isOurs && !(error instanceof TypeError)) throw error;
  }

  async run(calls) {
    this.pending = [];
    for (let count = 0; count < calls; count++) {
      try {
        await this.call();
      } catch (error) {
        this.check(error);
      }
      if (this.pending.length > 50) await this.drain();
    }
    await this.drain();
    for (const db of this.dbs) await db.close();
  }
}

test(`${CALLS} random calls end in results and errors of ours`, async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const caller = new Caller(random(SEED), file);
    await caller.run(CALLS);
    assert.ok(caller.errors > CALLS / 20);
    const db = await nanodb.open(file);
    assert.deepEqual((await db.check()).problems, []);
    await db.collection('a').insertOne({ works: true });
    await db.close();
  });
});

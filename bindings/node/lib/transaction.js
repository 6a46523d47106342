'use strict';
// Transactions: several reads and writes that happen as a whole or not at all. And snapshots, which
// only read.

const {
  OP, addon, call, callAsync, encoder, objectOf, plainDocuments, request, threadId,
} = require('./native.js');
const gate = require('./gate.js');
const { Collection, SyncCollection } = require('./collection.js');
const { NanoDBError, invalid } = require('./errors.js');

const CONFLICT = 'NANODB_CONFLICT';

// Before a transaction is run again, it waits up to so many milliseconds for each attempt.
const BACKOFF_MS = 4;
const BACKOFF_MS_MAX = 100;

// What is dropped without having ended is rolled back, or let go of.
const abandoned = new FinalizationRegistry((objects) => {
  for (const object of objects) addon.release(object);
  gate.wake();
});

// What transactions and snapshots have in common: collections that end with them.
class Owner {
  constructor(core, object) {
    this._core = core;
    // This object's number, and those of its collections.
    this._objects = [object];
    this._byName = new Map();
    abandoned.register(this, this._objects, this);
  }

  // Has closing the database end it, too, by `endAll`.
  _list() {
    this._wasClosed = false;
    this._core.transactions.add(this._reference = new WeakRef(this));
  }

  get databaseName() {
    return this._core.databaseName;
  }

  _collectionObject(name) {
    let object = this._byName.get(name);
    if (object === undefined) {
      if (this._objects.length === 0) throw over(this._core);
      request({ name });
      call(this._objects[0], OP.COLLECTION);
      object = objectOf(encoder.buffer);
      this._byName.set(name, object);
      this._objects.push(object);
    }
    return object;
  }

  _decoderOf(name, options) {
    return this._core.decoderOf(name, options);
  }

  _database(verb) {
    throw new NanoDBError(
      `\`${verb}\` is done with the database, not within a transaction or a snapshot`,
      'NANODB_INVALID',
    );
  }

  _letGo() {
    if (this._reference) this._core.transactions.delete(this._reference);
    abandoned.unregister(this);
    for (const object of this._objects) addon.release(object);
    this._objects.length = 0;
    this._byName.clear();
  }
}

class Transaction extends Owner {
  constructor(core, object) {
    super(core, object);
    // One step after the other.
    this._tail = Promise.resolve();
    this._isOver = false;
    // The collection for which it was given up.
    this._lost = null;
    this._list();
  }

  get _transaction() {
    return this;
  }

  get inTransaction() {
    return !this._isOver;
  }

  collection(name, options) {
    return new Collection(this, name, this._core.optionsOf(options));
  }

  // Does a step, of which the request is encoded or gathered, after those before it.
  _step(object, name, step) {
    const gathered = step.gathered || addon.gather(0, encoder.at);
    return this._queue(() => this._stepNow(object, name, step, gathered));
  }

  // Returns a promise of its own: an error that nobody looks at is reported by Node.js.
  async _queue(run) {
    const done = this._tail.then(run);
    this._tail = done.catch(() => {});
    return done;
  }

  async _stepNow(object, name, step, gathered) {
    if (this._isOver) {
      addon.forget(gathered);
      throw this._lost === null ? over(this._core) : gate.deadlock(this._lost);
    }
    if (name !== null && !(await gate.untilHeld(object))) {
      addon.forget(gathered);
      this._lost = name;
      await this._endNow(OP.ROLLBACK);
      throw gate.deadlock(name);
    }
    try {
      return await callAsync(object, step.operation, gathered, step.finish);
    } catch (error) {
      if (error.kind === CONFLICT) this._lost = error.collection ?? name;
      throw error;
    }
  }

  // Makes all changes durable, and visible to others.
  async commit() {
    return this._queue(async () => {
      if (this._isOver) throw this._lost === null ? over(this._core) : gate.deadlock(this._lost);
      await this._endNow(OP.COMMIT);
    });
  }

  // Undoes all changes. Does nothing if it is over.
  async rollback() {
    return this._queue(async () => {
      if (!this._isOver) await this._endNow(OP.ROLLBACK);
    });
  }

  async _endNow(operation) {
    this._isOver = true;
    encoder.reset();
    try {
      await callAsync(this._objects[0], operation, 0);
    } finally {
      this._letGo();
      gate.wake();
    }
  }

  // The names that the driver's sessions have for them.
  async commitTransaction() {
    return this.commit();
  }

  async abortTransaction() {
    return this.rollback();
  }
}

class SyncTransaction extends Owner {
  constructor(core, object) {
    super(core, object);
    this._isOver = false;
    this._lost = null;
    this._list();
  }

  get _transaction() {
    return this;
  }

  get inTransaction() {
    return !this._isOver;
  }

  collection(name, options) {
    return new SyncCollection(this, name, this._core.optionsOf(options));
  }

  _stepSync(object, name) {
    if (this._isOver) throw over(this._core);
    gate.hold(object, name);
  }

  _failed(error, name) {
    if (error.kind === CONFLICT && !error.isHopeless) this._lost = error.collection ?? name;
  }

  commit() {
    if (this._isOver) throw over(this._core);
    this._end(OP.COMMIT);
  }

  rollback() {
    if (!this._isOver) this._end(OP.ROLLBACK);
  }

  _end(operation) {
    this._isOver = true;
    encoder.reset();
    try {
      call(this._objects[0], operation);
    } finally {
      this._letGo();
      gate.wake();
    }
  }
}

class Snapshot extends Owner {
  get _transaction() {
    return null;
  }

  get sync() {
    return { collection: (name, options) => this._collectionSync(name, options) };
  }

  collection(name, options) {
    return new Collection(this, name, this._core.optionsOf(options));
  }

  _collectionSync(name, options) {
    return new SyncCollection(this, name, this._core.optionsOf(options));
  }

  // Returns the names of all collections, and how many documents each has.
  collections() {
    if (this._objects.length === 0) throw over(this._core);
    encoder.reset();
    const size = call(this._objects[0], OP.COLLECTIONS);
    return plainDocuments(encoder.buffer, size).map(({ name, count }) => ({ name, count }));
  }

  close() {
    if (this._objects.length > 0) this._letGo();
  }
}

if (Symbol.dispose) {
  Snapshot.prototype[Symbol.dispose] = Snapshot.prototype.close;
  SyncTransaction.prototype[Symbol.dispose] = SyncTransaction.prototype.rollback;
  Transaction.prototype[Symbol.asyncDispose] = Transaction.prototype.rollback;
}

function beginRequest(options) {
  const durability = options?.durability;
  if (durability !== undefined && typeof durability !== 'string') {
    throw invalid('the option `durability` must be a string');
  }
  request({ thread: threadId, durability });
}

async function begin(core, options) {
  // Beginning waits for nobody.
  return new Transaction(core, beginObject(core, options));
}

function beginSync(core, options) {
  return new SyncTransaction(core, beginObject(core, options));
}

function beginObject(core, options) {
  beginRequest(options);
  call(core.object, OP.BEGIN);
  return objectOf(encoder.buffer);
}

// Runs a transaction, and again after each conflict.
async function run(core, callback, options) {
  // The collections for which earlier attempts were given up. The next one holds them from the
  // beginning, in the order of their names, so that it meets the same conflict no more.
  const refused = new Set();
  for (let attempt = 1; ; attempt++) {
    const transaction = await begin(core, options);
    try {
      for (const name of [...refused].sort()) {
        await transaction.collection(name).estimatedDocumentCount();
      }
      const result = await callback(transaction);
      if (transaction._wasClosed) throw over(core);
      // The callback may have swallowed the conflict.
      if (transaction._lost === null) {
        if (!transaction._isOver) await transaction.commit();
        return result;
      }
      await transaction.rollback();
    } catch (error) {
      await transaction.rollback();
      if (transaction._lost === null) throw error;
    }
    refused.add(transaction._lost);
    const most = Math.min(attempt * BACKOFF_MS, BACKOFF_MS_MAX);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * most));
  }
}

function runSync(core, callback, options) {
  const refused = new Set();
  for (;;) {
    const transaction = beginSync(core, options);
    try {
      for (const name of [...refused].sort()) {
        transaction.collection(name).estimatedDocumentCount();
      }
      const result = callback(transaction);
      if (typeof result?.then === 'function') {
        throw new TypeError(
          'the callback of a synchronous transaction returned a promise: use `db.transaction`',
        );
      }
      if (transaction._wasClosed) throw over(core);
      if (transaction._lost === null) {
        if (!transaction._isOver) transaction.commit();
        return result;
      }
      transaction.rollback();
    } catch (error) {
      transaction.rollback();
      if (transaction._lost === null) throw error;
    }
    refused.add(transaction._lost);
  }
}

function over(core) {
  if (core.isClosed) return new NanoDBError('the database is closed', 'NANODB_CLOSED');
  return new NanoDBError('the transaction or snapshot has ended: begin another',
    'NANODB_TRANSACTION_OVER');
}

// Ends the transactions of a database that was closed, so that nobody waits for what they held.
function endAll(core) {
  for (const reference of [...core.transactions]) {
    const transaction = reference.deref();
    if (transaction !== undefined && !transaction._isOver) transaction._wasClosed = true;
    if (transaction instanceof Transaction) transaction.rollback().catch(() => {});
    else if (transaction !== undefined) transaction.rollback();
  }
}

module.exports = { Snapshot, SyncTransaction, Transaction, begin, beginSync, endAll, run, runSync };

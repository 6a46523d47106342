'use strict';
// Collections: documents under a name. One class has methods that return promises, the other has
// the same ones without.
//
// A collection belongs to an *owner*: a database, a snapshot or a transaction, which has the number
// of its own object, and of those of its collections; see `owner.js`.

const {
  ANSWER, Again, HEADER, OP, TAG, addon, call, callAsync, encoder, kept, shrink, threadId,
} = require('./native.js');
const verbs = require('./verbs.js');
const { idOf } = require('./arguments.js');
const gate = require('./gate.js');
const together = require('./together.js');
const { FindCursor, SyncFindCursor } = require('./cursor.js');
const { NanoDBError, invalid } = require('./errors.js');
const { ObjectId } = require('./object_id.js');

const ONLY_INDEX = Object.freeze({ v: 2, key: { _id: 1 }, name: '_id_' });

class BaseCollection {
  constructor(owner, name, options) {
    this._owner = owner;
    this.collectionName = name;
    this.options = options;
    this.decoder = owner._decoderOf(name, options);
    this._object = owner._collectionObject(name);
  }

  get name() {
    return this.collectionName;
  }

  get dbName() {
    return this._owner.databaseName;
  }

  get namespace() {
    return `${this._owner.databaseName}.${this.collectionName}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `${this.constructor.name} ${JSON.stringify(this.namespace)}`;
  }

  // Returns whose collection of that name is meant: with the option `session`, a transaction's.
  _object_(options) {
    const session = options?.session;
    return session === undefined || session === null
      ? this._object
      : this._transactionOf(session)._collectionObject(this.collectionName);
  }

  // Returns the transaction that a call with these options is a step of, or null.
  _transaction_(options) {
    const session = options?.session;
    if (session === undefined || session === null) return this._owner._transaction;
    return this._transactionOf(session);
  }

  _transactionOf(session) {
    // One without promises for a collection without, and the other for the other.
    const step = this instanceof Collection ? session._step : session._stepSync;
    if (typeof step !== 'function' || session._core !== this._owner._core) {
      throw invalid('the session must be a transaction of the same database');
    }
    return session;
  }
}

class Collection extends BaseCollection {
  get sync() {
    return this._owner.sync.collection(this.collectionName, this.options);
  }

  // Runs a verb with these arguments; resolves to its result.
  _run(options, verb, a, b, c) {
    try {
      // All this before the request is encoded: these are requests, too.
      together.flush();
      const transaction = this._transaction_(options);
      const object = this._object_(options);
      const step = verb(this, a, b, c);
      if (!(step instanceof Promise)) return this._send(object, transaction, step);
      return step.then((gathered) => this._send(object, transaction, gathered));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  _send(object, transaction, step) {
    if (transaction !== null) return transaction._step(object, this.collectionName, step);
    if (step.writes) return this._write(object, step);
    return callAsync(object, step.operation, step.gathered, step.finish);
  }

  async _write(object, step) {
    let gathered;
    if (addon.ask(object, threadId) === ANSWER.BEGIN) {
      const done = await callAsync(object, step.operation, step.gathered, step.finish);
      if (!(done instanceof Again)) return done;
      gathered = done.gathered;
    } else {
      gathered = step.gathered || addon.gather(0, encoder.at);
    }
    // Sent once no transaction holds the collection.
    for (;;) {
      try {
        await gate.untilFree(object, this.collectionName);
      } catch (error) {
        addon.forget(gathered);
        throw error;
      }
      const done = await callAsync(object, step.operation, gathered, step.finish);
      if (!(done instanceof Again)) return done;
      gathered = done.gathered;
      // The transaction may just have ended, or not be known here yet.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  // Begins the search of a cursor; resolves to a portion's reply.
  _find(search) {
    const step = { operation: verbs.find(this, search), gathered: 0, finish: kept };
    return this._send(this._object, this._owner._transaction, step);
  }

  // Reads on in a search.
  _next(object) {
    encoder.reset();
    const { _transaction: transaction } = this._owner;
    const step = { operation: OP.NEXT, gathered: 0, finish: kept };
    if (transaction !== null) return transaction._step(object, null, step);
    return callAsync(object, step.operation, 0, kept);
  }

  find(filter, options) {
    const session = options?.session;
    if (!session) return new FindCursor(this, filter, options);
    const { session: _, ...others } = options;
    return this._transactionOf(session).collection(this.collectionName, this.options)
      .find(filter, others);
  }

  findOne(filter, options) {
    if (options === undefined && filter && this._owner._transaction === null) {
      const id = idOf(filter);
      if (typeof id === 'string' || typeof id === 'number' || id instanceof ObjectId) {
        return together.get(this, id);
      }
    }
    return this._run(options, verbs.findOne, filter, options);
  }

  insertOne(document, options) {
    return this._run(options, verbs.insertOne, document, options);
  }

  insertMany(documents, options) {
    return this._run(options, verbs.insertManyInParts, documents, options);
  }

  updateOne(filter, update, options) {
    return this._run(options, verbs.updateOne, filter, update, options);
  }

  updateMany(filter, update, options) {
    return this._run(options, verbs.updateMany, filter, update, options);
  }

  replaceOne(filter, replacement, options) {
    return this._run(options, verbs.replaceOne, filter, replacement, options);
  }

  deleteOne(filter, options) {
    return this._run(options, verbs.deleteOne, filter, options);
  }

  deleteMany(filter, options) {
    return this._run(options, verbs.deleteMany, filter, options);
  }

  findOneAndUpdate(filter, update, options) {
    return this._run(options, verbs.findOneAndUpdate, filter, update, options);
  }

  findOneAndReplace(filter, replacement, options) {
    return this._run(options, verbs.findOneAndReplace, filter, replacement, options);
  }

  findOneAndDelete(filter, options) {
    return this._run(options, verbs.findOneAndDelete, filter, options);
  }

  bulkWrite(operations, options) {
    return this._run(options, verbs.bulkWriteInParts, operations, options);
  }

  countDocuments(filter, options) {
    return this._run(options, verbs.countDocuments, filter, options);
  }

  count(filter, options) {
    return this.countDocuments(filter, options);
  }

  estimatedDocumentCount(options) {
    return this._run(options, verbs.count);
  }

  distinct(field, filter, options) {
    return this._run(options, verbs.distinct, field, filter, options);
  }

  async drop() {
    return this._owner._database('drop').dropCollection(this.collectionName);
  }

  async rename(to, options) {
    return this._owner._database('rename').renameCollection(this.collectionName, to, options);
  }

  async indexes() {
    return [ONLY_INDEX];
  }

  listIndexes() {
    return { toArray: () => this.indexes() };
  }

  async createIndex() {
    throw unsupported('createIndex', 'there are no secondary indexes yet');
  }

  async createIndexes() {
    throw unsupported('createIndexes', 'there are no secondary indexes yet');
  }

  aggregate() {
    throw unsupported('aggregate', 'there are no pipelines');
  }

  watch() {
    throw unsupported('watch', 'there are no change streams');
  }
}

class SyncCollection extends BaseCollection {
  _run(options, verb, a, b, c) {
    const transaction = this._transaction_(options);
    const object = this._object_(options);
    const step = verb(this, a, b, c);
    try {
      this._enter(object, transaction, step.writes);
      const size = call(object, step.operation);
      const result = step.finish(encoder.buffer, size);
      shrink();
      return result;
    } catch (error) {
      transaction?._failed(error, this.collectionName);
      throw error;
    }
  }

  // Returns once the call would not wait for this thread.
  _enter(object, transaction, writes) {
    if (transaction !== null) transaction._stepSync(object, this.collectionName);
    else if (writes) gate.checkFree(object, this.collectionName);
  }

  _findSync(search) {
    const operation = verbs.find(this, search);
    this._enter(this._object, this._owner._transaction, false);
    return call(this._object, operation);
  }

  find(filter, options) {
    const session = options?.session;
    if (!session) return new SyncFindCursor(this, filter, options);
    const { session: _, ...others } = options;
    return this._transactionOf(session).collection(this.collectionName, this.options)
      .find(filter, others);
  }

  findOne(filter, options) {
    // What is asked for most goes the shortest way.
    if (options === undefined && filter && this._owner._transaction === null) {
      const id = idOf(filter);
      if (id !== undefined) return this._get(id);
    }
    return this._run(options, verbs.findOne, filter, options);
  }

  _get(id) {
    encoder.reset();
    encoder.any(id);
    call(this._object, OP.GET);
    const { buffer } = encoder;
    if (buffer[0] === TAG.NOTHING) return null;
    const document = this.decoder.document(buffer, HEADER);
    shrink();
    return document;
  }

  insertOne(document, options) {
    return this._run(options, verbs.insertOne, document, options);
  }

  insertMany(documents, options) {
    return this._run(options, verbs.insertMany, documents, options);
  }

  updateOne(filter, update, options) {
    return this._run(options, verbs.updateOne, filter, update, options);
  }

  updateMany(filter, update, options) {
    return this._run(options, verbs.updateMany, filter, update, options);
  }

  replaceOne(filter, replacement, options) {
    return this._run(options, verbs.replaceOne, filter, replacement, options);
  }

  deleteOne(filter, options) {
    return this._run(options, verbs.deleteOne, filter, options);
  }

  deleteMany(filter, options) {
    return this._run(options, verbs.deleteMany, filter, options);
  }

  findOneAndUpdate(filter, update, options) {
    return this._run(options, verbs.findOneAndUpdate, filter, update, options);
  }

  findOneAndReplace(filter, replacement, options) {
    return this._run(options, verbs.findOneAndReplace, filter, replacement, options);
  }

  findOneAndDelete(filter, options) {
    return this._run(options, verbs.findOneAndDelete, filter, options);
  }

  bulkWrite(operations, options) {
    return this._run(options, verbs.bulkWrite, operations, options);
  }

  countDocuments(filter, options) {
    return this._run(options, verbs.countDocuments, filter, options);
  }

  count(filter, options) {
    return this.countDocuments(filter, options);
  }

  estimatedDocumentCount(options) {
    return this._run(options, verbs.count);
  }

  distinct(field, filter, options) {
    return this._run(options, verbs.distinct, field, filter, options);
  }

  drop() {
    return this._owner._database('drop').dropCollection(this.collectionName);
  }

  rename(to, options) {
    return this._owner._database('rename').renameCollection(this.collectionName, to, options);
  }

  indexes() {
    return [ONLY_INDEX];
  }
}

function unsupported(name, why) {
  return new NanoDBError(`\`${name}\` is not supported: ${why}`, 'NANODB_UNSUPPORTED');
}

module.exports = { Collection, SyncCollection };

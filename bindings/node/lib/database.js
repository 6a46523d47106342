'use strict';
// A database: a file and the collections in it.

const path = require('node:path');
const { fileURLToPath } = require('node:url');
const {
  ANSWER, HEADER, OP, addon, call, callAsync, encoder, objectOf, plain, plainDocuments, request,
  threadId,
} = require('./native.js');
const gate = require('./gate.js');
const together = require('./together.js');
const transactions = require('./transaction.js');
const { Decoder } = require('./decode.js');
const { Collection, SyncCollection } = require('./collection.js');
const { invalid } = require('./errors.js');

const IN_MEMORY = ':memory:';

// The options that the addon has, by the type of their values.
const OPEN_OPTIONS = {
  readonly: 'boolean',
  fileMustExist: 'boolean',
  allowMissingLog: 'boolean',
  background: 'boolean',
  timeout: 'number',
  durability: 'string',
  cacheBytesMax: 'number',
  indexBytesMax: 'number',
  logBytesMax: 'number',
  transactionBytesMax: 'number',
  fileBytesMax: 'number',
  relaxedFlushIntervalMs: 'number',
};

// Those that say what documents become.
const DOCUMENT_OPTIONS = {
  ids: 'string',
  useBigInt64: 'boolean',
  ignoreUndefined: 'boolean',
};

// Lets go of databases that were left open.
const abandoned = new FinalizationRegistry((objects) => {
  for (const object of objects) addon.release(object);
});

// What both interfaces of an open database share.
class Core {
  constructor(object, file, options) {
    this.object = object;
    this.path = file;
    this.databaseName = file === IN_MEMORY ? 'memory' : path.parse(file).name;
    this.options = options;
    this.byName = new Map();
    this.decoders = new Map();
    this.isClosed = false;
    this.transactions = new Set();
    // This object's number, and those of its collections.
    this.objects = [object];
    abandoned.register(this, this.objects, this);
    this.database = new Database(this);
    this.sync = new SyncDatabase(this);
  }

  // Returns the options of a collection: those of the database, but for what is given.
  optionsOf(options) {
    if (options === undefined || options === null || options === this.options) return this.options;
    return { ...this.options, ...documentOptions(options) };
  }

  // Returns what decodes a collection's documents: one that knows them from before.
  decoderOf(name, options) {
    const isUsual = options === this.options;
    let decoder = isUsual ? this.decoders.get(name) : undefined;
    if (decoder === undefined) {
      decoder = new Decoder();
      decoder.usesBigInt = options.useBigInt64;
      if (isUsual) this.decoders.set(name, decoder);
    }
    return decoder;
  }

  collectionObject(name) {
    let object = this.byName.get(name);
    if (object === undefined) {
      if (typeof name !== 'string' || name === '') {
        throw invalid("a collection's name must be a string that is not empty");
      }
      request({ name });
      call(this.object, OP.COLLECTION);
      object = objectOf(encoder.buffer);
      this.byName.set(name, object);
      this.objects.push(object);
    }
    return object;
  }
}

// The names of the database's verbs, and how their replies are read.
const VERBS = {
  sync: { operation: OP.SYNC },
  checkpoint: { operation: OP.CHECKPOINT },
  compact: { operation: OP.COMPACT },
  stats: { operation: OP.STATS, finish: withoutId },
  check: { operation: OP.CHECK, finish: checkReport },
  collections: { operation: OP.COLLECTIONS, finish: listed },
  drop: { operation: OP.DROP_COLLECTION, finish: (reply) => plain.document(reply, HEADER).dropped },
  rename: { operation: OP.RENAME_COLLECTION },
  close: { operation: OP.CLOSE },
};

function withoutId(reply) {
  const { _id, ...others } = plain.document(reply, HEADER);
  return others;
}

function listed(reply, size) {
  const all = plainDocuments(reply, size);
  return all.map(({ name, count }) => ({ name, type: 'collection', count }));
}

function checkReport(reply, size) {
  const [{ collections, documents, pages }, ...found] = plainDocuments(reply, size);
  const problems = found.map(({ _id, ...problem }) => problem);
  return { collections, documents, pages, problems };
}

class Database {
  constructor(core) {
    this._core = core;
  }

  get _transaction() {
    return null;
  }

  // The same database, with methods that return no promises.
  get sync() {
    return this._core.sync;
  }

  get path() {
    return this._core.path;
  }

  get databaseName() {
    return this._core.databaseName;
  }

  get isOpen() {
    return !this._core.isClosed;
  }

  _collectionObject(name) {
    return this._core.collectionObject(name);
  }

  _decoderOf(name, options) {
    return this._core.decoderOf(name, options);
  }

  _database() {
    return this;
  }

  async _run({ operation, finish }, args) {
    request(args ?? {});
    return callAsync(this._core.object, operation, 0, finish);
  }

  collection(name, options) {
    return new Collection(this, name, this._core.optionsOf(options));
  }

  // There is nothing to create: the first document does.
  async createCollection(name, options) {
    return this.collection(name, options);
  }

  listCollections() {
    return {
      toArray: () => this._run(VERBS.collections),
      [Symbol.asyncIterator]: async function* list() {
        yield* await this.toArray();
      },
    };
  }

  async collections() {
    const all = await this._run(VERBS.collections);
    return all.map(({ name }) => this.collection(name));
  }

  async dropCollection(name) {
    await this._untilFree(name);
    return this._run(VERBS.drop, { name });
  }

  async renameCollection(from, to, options) {
    for (const name of [from, to]) await this._untilFree(name);
    await this._run(VERBS.rename, { from, to, dropTarget: options?.dropTarget === true });
    return this.collection(to);
  }

  async dropDatabase() {
    for (const { name } of await this._run(VERBS.collections)) await this.dropCollection(name);
    return true;
  }

  async _untilFree(name) {
    const object = this._core.collectionObject(name);
    if (addon.ask(object, threadId) !== ANSWER.BEGIN) await gate.untilFree(object, name);
  }

  snapshot() {
    return this._core.sync.snapshot();
  }

  // Runs a callback in a transaction: commits when its promise resolves, and rolls back when it is
  // rejected. After a conflict with another transaction the callback is run again.
  async transaction(callback, options) {
    return transactions.run(this._core, callback, options);
  }

  async begin(options) {
    return transactions.begin(this._core, options);
  }

  // Resolves once everything written so far would survive a power failure.
  async flush() {
    return this._run(VERBS.sync);
  }

  async checkpoint() {
    return this._run(VERBS.checkpoint);
  }

  async compact() {
    return this._run(VERBS.compact);
  }

  async stats() {
    return this._run(VERBS.stats);
  }

  async check() {
    return this._run(VERBS.check);
  }

  // Closes the database; a second time does nothing.
  async close() {
    if (this._core.isClosed) return;
    together.flush();
    this._core.isClosed = true;
    try {
      await this._run(VERBS.close);
    } finally {
      transactions.endAll(this._core);
      gate.wake();
    }
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Database ${JSON.stringify(this.path)}${this.isOpen ? '' : ' (closed)'}`;
  }
}

class SyncDatabase {
  constructor(core) {
    this._core = core;
  }

  get _transaction() {
    return null;
  }

  get sync() {
    return this;
  }

  get path() {
    return this._core.path;
  }

  get databaseName() {
    return this._core.databaseName;
  }

  get isOpen() {
    return !this._core.isClosed;
  }

  _collectionObject(name) {
    return this._core.collectionObject(name);
  }

  _decoderOf(name, options) {
    return this._core.decoderOf(name, options);
  }

  _database() {
    return this;
  }

  _run({ operation, finish }, args) {
    request(args ?? {});
    const size = call(this._core.object, operation);
    return finish?.(encoder.buffer, size);
  }

  collection(name, options) {
    return new SyncCollection(this, name, this._core.optionsOf(options));
  }

  createCollection(name, options) {
    return this.collection(name, options);
  }

  listCollections() {
    const all = this._run(VERBS.collections);
    return { toArray: () => all, [Symbol.iterator]: () => all.values() };
  }

  collections() {
    return this._run(VERBS.collections).map(({ name }) => this.collection(name));
  }

  dropCollection(name) {
    gate.checkFree(this._core.collectionObject(name), name);
    return this._run(VERBS.drop, { name });
  }

  renameCollection(from, to, options) {
    for (const name of [from, to]) gate.checkFree(this._core.collectionObject(name), name);
    this._run(VERBS.rename, { from, to, dropTarget: options?.dropTarget === true });
    return this.collection(to);
  }

  dropDatabase() {
    for (const { name } of this._run(VERBS.collections)) this.dropCollection(name);
    return true;
  }

  snapshot() {
    encoder.reset();
    call(this._core.object, OP.SNAPSHOT);
    return new transactions.Snapshot(this._core, objectOf(encoder.buffer));
  }

  transaction(callback, options) {
    return transactions.runSync(this._core, callback, options);
  }

  begin(options) {
    return transactions.beginSync(this._core, options);
  }

  flush() {
    this._run(VERBS.sync);
  }

  checkpoint() {
    this._run(VERBS.checkpoint);
  }

  compact() {
    this._run(VERBS.compact);
  }

  stats() {
    return this._run(VERBS.stats);
  }

  check() {
    return this._run(VERBS.check);
  }

  close() {
    if (this._core.isClosed) return;
    together.flush();
    this._core.isClosed = true;
    try {
      this._run(VERBS.close);
    } finally {
      transactions.endAll(this._core);
      gate.wake();
    }
  }
}

if (Symbol.dispose) {
  SyncDatabase.prototype[Symbol.dispose] = SyncDatabase.prototype.close;
  Database.prototype[Symbol.asyncDispose] = Database.prototype.close;
}

// Opens a database, and creates its file if there is none.
async function open(file, options) {
  const { args, documents, place } = openArguments(file, options);
  request(args);
  const object = await callAsync(0, OP.OPEN, 0, objectOf);
  return new Core(object, place, documents).database;
}

// The same at once. It returns the same class; `db.sync` has the methods without promises.
function openSync(file, options) {
  const { args, documents, place } = openArguments(file, options);
  request(args);
  call(0, OP.OPEN);
  return new Core(objectOf(encoder.buffer), place, documents).database;
}

function openArguments(file, options) {
  const place = file instanceof URL ? fileURLToPath(file) : file;
  if (typeof place !== 'string' || place === '') {
    throw invalid('the path must be a string that is not empty; ":memory:" needs no file');
  }
  const args = { path: place === IN_MEMORY ? undefined : place };
  const documents = {};
  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === undefined) continue;
    const given = name === 'readOnly' ? 'readonly' : name;
    if (DOCUMENT_OPTIONS[given] !== undefined) {
      documents[given] = value;
    } else if (OPEN_OPTIONS[given] === undefined) {
      throw invalid(`there is no option \`${name}\``);
    } else if (typeof value !== OPEN_OPTIONS[given]) {
      throw invalid(`the option \`${name}\` must be a ${OPEN_OPTIONS[given]}`);
    } else {
      args[given] = value;
    }
  }
  const defaults = { ids: 'objectId', useBigInt64: false, ignoreUndefined: false };
  const frozen = Object.freeze({ ...defaults, ...documentOptions(documents) });
  return { args, documents: frozen, place };
}

function documentOptions(options) {
  const made = {};
  for (const name of Object.keys(DOCUMENT_OPTIONS)) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== DOCUMENT_OPTIONS[name]) {
      throw invalid(`the option \`${name}\` must be a ${DOCUMENT_OPTIONS[name]}`);
    }
    made[name] = value;
  }
  if (made.ids !== undefined && made.ids !== 'objectId' && made.ids !== 'integer') {
    throw invalid('the option `ids` must be "objectId" or "integer"');
  }
  return made;
}

module.exports = { Database, SyncDatabase, open, openSync };

'use strict';
// What collections do, once for both interfaces: a verb encodes its request and returns the
// operation, and how its reply is read.
//
// A verb is called with the collection, which has `name`, `options` and `decoder`; the rest are the
// caller's arguments. The reply that `finish` gets is valid only during the call.

const {
  OP, TAG, HEADER, addon, encoder, fields, plain, plainDocuments, request, stored,
} = require('./native.js');
const {
  changedFilterOf, documentOf, filterOf, idOf, limitOf, optionsOf, projectionOf, replaceArguments,
  skipOf, sortOf, updateArguments,
} = require('./arguments.js');
const { BulkWriteError, errorOf, invalid } = require('./errors.js');

// A request of more bytes is encoded in parts by asynchronous calls.
const PART_BYTES = 128 * 1024;

class Step {
  constructor(operation, finish, writes) {
    this.operation = operation;
    this.finish = finish;
    this.writes = writes;
    // The number under which the request was gathered.
    this.gathered = 0;
  }
}

const reads = (operation, finish) => new Step(operation, finish, false);
const writes = (operation, finish) => new Step(operation, finish, true);

function makesIds(collection) {
  return collection.options.ids !== 'integer';
}

function prepare(collection, args) {
  request(args, collection.options.ignoreUndefined);
}

// Encodes an id alone.
function prepareId(collection, id) {
  encoder.reset();
  encoder.any(id);
}

function oneDocument(collection) {
  return (reply) => {
    if (reply[0] === TAG.NOTHING) return null;
    return collection.decoder.document(reply, HEADER);
  };
}

const numberOf = (reply) => plain.document(reply, HEADER).n;

function findOne(collection, filter, options) {
  options = optionsOf(options);
  filter = filterOf(filter);
  const projection = projectionOf(options.projection);
  const id = projection === undefined && !options.skip ? idOf(filter) : undefined;
  if (id !== undefined) {
    prepareId(collection, id);
    return reads(OP.GET, oneDocument(collection));
  }
  prepare(collection, {
    filter, projection, sort: sortOf(options.sort), skip: skipOf(options.skip),
  });
  return reads(OP.FIND_ONE, oneDocument(collection));
}

function countDocuments(collection, filter, options) {
  options = optionsOf(options);
  prepare(collection, {
    filter: filterOf(filter), skip: skipOf(options.skip), limit: limitOf(options.limit),
  });
  return reads(OP.COUNT_DOCUMENTS, numberOf);
}

function count() {
  encoder.reset();
  return reads(OP.COUNT, numberOf);
}

function distinct(collection, field, filter, options) {
  optionsOf(options);
  if (typeof field !== 'string') throw invalid('the field must be a string');
  prepare(collection, { field, filter: filterOf(filter) });
  return reads(OP.DISTINCT, (reply, size) => {
    const found = [];
    collection.decoder.documents(reply, HEADER, size, found);
    return found.map((document) => document.v);
  });
}

// The search of a cursor.
function find(collection, search) {
  prepare(collection, {
    filter: search.filter,
    projection: search.projection,
    sort: search.sort,
    skip: search.skip,
    limit: search.limit,
    batch: search.batch,
    bytes: search.bytes,
    threads: search.threads,
  });
  return OP.FIND;
}

function explain(collection, search) {
  find(collection, search);
  return reads(OP.EXPLAIN, (reply) => {
    const { _id, ...told } = plain.document(reply, HEADER);
    return told;
  });
}

function insertOne(collection, document, options) {
  optionsOf(options);
  encoder.reset();
  encoder.ignoreUndefined = collection.options.ignoreUndefined;
  encoder.insertable(document, makesIds(collection));
  const { id } = encoder;
  return writes(OP.INSERT, (reply) => {
    const insertedId = id === undefined ? plain.document(reply, HEADER)._id : id;
    return { acknowledged: true, insertedId };
  });
}

// Encodes documents to be inserted, each behind its length, from `from` on, until there are so many
// bytes. Returns which document is the next; their ids are put into `ids`.
function encodeDocuments(collection, documents, from, ids, bytesMax) {
  encoder.reset();
  encoder.ignoreUndefined = collection.options.ignoreUndefined;
  const makes = makesIds(collection);
  let index = from;
  for (; index < documents.length && encoder.at < bytesMax; index++) {
    encoder.need(4);
    const start = encoder.at;
    encoder.at += 4;
    try {
      encoder.insertable(documents[index], makes);
    } catch (error) {
      error.message = `document ${index}: ${error.message}`;
      error.index = index;
      throw error;
    }
    encoder.buffer.writeUInt32BE(encoder.at - start - 4, start);
    ids.push(encoder.id);
  }
  return index;
}

function checkDocuments(documents) {
  if (!Array.isArray(documents)) throw invalid('the documents must be an array');
  if (documents.length === 0) throw invalid('there are no documents to insert');
}

function insertedMany(documents, ids) {
  return writes(OP.INSERT_MANY, (reply, size) => {
    if (reply[0] === TAG.NOTHING) return insertedAll(ids);
    const told = plainDocuments(reply, size);
    if (told[0].inserted === undefined) return insertedAll(told.map(({ _id }) => _id));
    // One was refused, and the reply is a bulk write's; those after it were not tried.
    const { inserted } = told[0];
    return bulkResult(told, documents, byIndex(ids.slice(0, inserted)));
  });
}

function insertedAll(ids) {
  return { acknowledged: true, insertedCount: ids.length, insertedIds: byIndex(ids) };
}

function byIndex(ids) {
  const made = {};
  for (let index = 0; index < ids.length; index++) made[index] = ids[index];
  return made;
}

// All documents in one commit. The first that is refused ends it, unless they are not ordered: then
// they are a bulk write, which goes on.
function insertMany(collection, documents, options) {
  options = optionsOf(options);
  checkDocuments(documents);
  if (options.ordered === false) return bulkWrite(collection, asInserts(documents), options);
  const ids = [];
  encodeDocuments(collection, documents, 0, ids, Infinity);
  return insertedMany(documents, ids);
}

// The same in parts, between which others have their turn. Returns a step, or a promise of one.
function insertManyInParts(collection, documents, options) {
  options = optionsOf(options);
  checkDocuments(documents);
  if (options.ordered === false) {
    return bulkWriteInParts(collection, asInserts(documents), options);
  }
  const ids = [];
  return inParts(insertedMany(documents, ids), documents.length, (from) =>
    encodeDocuments(collection, documents, from, ids, PART_BYTES));
}

// Encodes the request of a step by `encode`, part by part. If there is only one, nothing is
// awaited, and it is in the encoder; else the parts are gathered.
function inParts(step, count, encode) {
  const next = encode(0);
  return next < count ? gather(step, count, encode, next) : step;
}

async function gather(step, count, encode, next) {
  step.gathered = addon.gather(0, encoder.at);
  try {
    while (next < count) {
      await new Promise((resolve) => setImmediate(resolve));
      next = encode(next);
      addon.gather(step.gathered, encoder.at);
    }
  } catch (error) {
    addon.forget(step.gathered);
    throw error;
  }
  return step;
}

const asInserts = (documents) => documents.map((document) => ({ insertOne: { document } }));

function updateResult(reply) {
  const { matched, modified, upserted } = plain.document(reply, HEADER);
  return {
    acknowledged: true,
    modifiedCount: modified,
    upsertedId: upserted ?? null,
    upsertedCount: upserted === undefined ? 0 : 1,
    matchedCount: matched,
  };
}

function updateOne(collection, filter, change, options) {
  options = optionsOf(options);
  const makes = makesIds(collection);
  prepare(collection, updateArguments(changedFilterOf(filter), change, options, makes));
  return writes(OP.UPDATE_ONE, updateResult);
}

function updateMany(collection, filter, change, options) {
  options = optionsOf(options);
  const makes = makesIds(collection);
  prepare(collection, updateArguments(changedFilterOf(filter), change, options, makes));
  return writes(OP.UPDATE_MANY, updateResult);
}

function replaceOne(collection, filter, document, options) {
  options = optionsOf(options);
  const makes = makesIds(collection);
  prepare(collection, replaceArguments(changedFilterOf(filter), document, options, makes, stored));
  return writes(OP.REPLACE_ONE, updateResult);
}

function deleteOne(collection, filter, options) {
  optionsOf(options);
  prepare(collection, { filter: filterOf(filter) });
  return writes(OP.DELETE_ONE, deleted);
}

function deleteMany(collection, filter, options) {
  optionsOf(options);
  prepare(collection, { filter: filterOf(filter) });
  return writes(OP.DELETE_MANY, deleted);
}

const deleted = (reply) => ({ acknowledged: true, deletedCount: numberOf(reply) });

function findOneAndUpdate(collection, filter, change, options) {
  options = optionsOf(options);
  const args = updateArguments(changedFilterOf(filter), change, options, makesIds(collection));
  return findOneAndModify(collection, OP.FIND_ONE_AND_UPDATE, args, options);
}

function findOneAndReplace(collection, filter, document, options) {
  options = optionsOf(options);
  const makes = makesIds(collection);
  const args = replaceArguments(changedFilterOf(filter), document, options, makes, stored);
  return findOneAndModify(collection, OP.FIND_ONE_AND_REPLACE, args, options);
}

function findOneAndDelete(collection, filter, options) {
  options = optionsOf(options);
  const args = { filter: changedFilterOf(filter) };
  return findOneAndModify(collection, OP.FIND_ONE_AND_DELETE, args, options);
}

function findOneAndModify(collection, operation, args, options) {
  const returns = options.returnDocument ?? 'before';
  if (returns !== 'before' && returns !== 'after') {
    throw invalid('`returnDocument` must be "before" or "after"');
  }
  const meta = options.includeResultMetadata === true;
  prepare(collection, {
    ...args,
    sort: sortOf(options.sort),
    projection: projectionOf(options.projection),
    new: returns === 'after' ? true : undefined,
    meta: meta ? true : undefined,
  });
  if (!meta) return writes(operation, oneDocument(collection));
  return writes(operation, (reply, size) => {
    const found = [];
    collection.decoder.documents(reply, HEADER, size, found);
    const [told, value = null] = found;
    const lastErrorObject = { n: told.existed || told.upserted !== undefined ? 1 : 0 };
    if (operation !== OP.FIND_ONE_AND_DELETE) lastErrorObject.updatedExisting = told.existed;
    if (told.upserted !== undefined) lastErrorObject.upserted = told.upserted;
    return { lastErrorObject, value, ok: 1 };
  });
}

// The requests of a bulk write's operations, by the driver's names.
const BULK = {
  insertOne: null,
  updateOne: (collection, { filter, update, ...options }) =>
    updateArguments(changedFilterOf(filter), update, options, makesIds(collection)),
  updateMany: (collection, { filter, update, ...options }) =>
    updateArguments(changedFilterOf(filter), update, options, makesIds(collection)),
  replaceOne: (collection, { filter, replacement, ...options }) =>
    replaceArguments(changedFilterOf(filter), replacement, options, makesIds(collection), stored),
  deleteOne: (collection, { filter }) => ({ filter: changedFilterOf(filter) }),
  deleteMany: (collection, { filter }) => ({ filter: changedFilterOf(filter) }),
};

function encodeOperation(collection, operation, ids, index, generation) {
  documentOf(operation, 'operation');
  const [kind, ...others] = Object.keys(operation);
  if (others.length > 0 || !Object.hasOwn(BULK, kind)) {
    throw invalid(
      `operation ${index} of the bulk write must have one field, which is one of ` +
        Object.keys(BULK).join(', '),
    );
  }
  const args = documentOf(operation[kind], kind);
  encoder.need(4);
  const start = encoder.at;
  encoder.at += 4;
  if (kind === 'insertOne') {
    encoder.mapHeader(2);
    encoder.string('kind');
    encoder.string(kind);
    encoder.string('document');
    encoder.isQuery = false;
    encoder.insertable(args.document, makesIds(collection));
    ids[index] = encoder.id;
  } else {
    optionsOf(args);
    fields({ kind, ...BULK[kind](collection, args) });
  }
  // The operation itself may have getters, too.
  encoder.check(generation);
  encoder.buffer.writeUInt32BE(encoder.at - start - 4, start);
}

function encodeOperations(collection, operations, from, ids, bytesMax, ordered) {
  encoder.reset();
  encoder.ignoreUndefined = collection.options.ignoreUndefined;
  const { generation } = encoder;
  if (from === 0) {
    encoder.at = 4;
    fields({ ordered });
    encoder.buffer.writeUInt32BE(encoder.at - 4, 0);
  }
  let index = from;
  for (; index < operations.length && encoder.at < bytesMax; index++) {
    try {
      encodeOperation(collection, operations[index], ids, index, generation);
    } catch (error) {
      error.index = index;
      throw error;
    }
  }
  return index;
}

function checkOperations(operations) {
  if (!Array.isArray(operations)) throw invalid('the operations must be an array');
  if (operations.length === 0) throw invalid('there are no operations to write');
}

function bulkWrite(collection, operations, options) {
  options = optionsOf(options);
  checkOperations(operations);
  const ids = {};
  const ordered = options.ordered !== false;
  encodeOperations(collection, operations, 0, ids, Infinity, ordered);
  return bulkWritten(operations, ids, ordered);
}

function bulkWriteInParts(collection, operations, options) {
  options = optionsOf(options);
  checkOperations(operations);
  const ids = {};
  const ordered = options.ordered !== false;
  return inParts(bulkWritten(operations, ids, ordered), operations.length, (from) =>
    encodeOperations(collection, operations, from, ids, PART_BYTES, ordered));
}

function bulkWritten(operations, ids, ordered) {
  return writes(OP.BULK_WRITE, (reply, size) => {
    const told = plainDocuments(reply, size);
    const ended = ordered && told.find(({ error }) => error !== undefined);
    // The ids were noted before it was known which documents would be inserted.
    if (ended) {
      for (const index of Object.keys(ids)) if (index >= ended.error.operation) delete ids[index];
    }
    return bulkResult(told, operations, ids);
  });
}

// Reads the reply to a bulk write, and throws if an operation was refused.
function bulkResult([counts, ...details], operations, insertedIds) {
  const errors = [];
  const upsertedIds = {};
  for (const { inserted, upserted, error } of details) {
    if (inserted !== undefined) insertedIds[inserted.index] = inserted._id;
    if (upserted !== undefined) upsertedIds[upserted.index] = upserted._id;
    if (error !== undefined) errors.push(writeError(errorOf(error), operations));
  }
  for (const { index } of errors) delete insertedIds[index];
  const result = new BulkWriteResult(counts, insertedIds, upsertedIds);
  if (errors.length > 0) throw new BulkWriteError(result, errors);
  return result;
}

function writeError(err, operations) {
  const index = err.operation;
  return { index, code: err.code, errmsg: err.message, op: operations[index], err };
}

class BulkWriteResult {
  constructor({ inserted, matched, modified, deleted }, insertedIds, upsertedIds) {
    this.insertedCount = inserted;
    this.matchedCount = matched;
    this.modifiedCount = modified;
    this.deletedCount = deleted;
    this.upsertedCount = Object.keys(upsertedIds).length;
    this.insertedIds = insertedIds;
    this.upsertedIds = upsertedIds;
  }

  get ok() {
    return 1;
  }

  isOk() {
    return true;
  }

  getInsertedIds() {
    return Object.entries(this.insertedIds).map(([index, _id]) => ({ index: Number(index), _id }));
  }

  getUpsertedIds() {
    return Object.entries(this.upsertedIds).map(([index, _id]) => ({ index: Number(index), _id }));
  }
}

module.exports = {
  BulkWriteResult,
  bulkWrite,
  bulkWriteInParts,
  count,
  countDocuments,
  deleteMany,
  deleteOne,
  distinct,
  explain,
  find,
  findOne,
  findOneAndDelete,
  findOneAndReplace,
  findOneAndUpdate,
  insertMany,
  insertManyInParts,
  insertOne,
  replaceOne,
  updateMany,
  updateOne,
};

'use strict';
// What calls throw, and what promises are rejected with.
//
// `kind` says what is wrong, in the words of the database: 'NANODB_LOCKED'. `code` is the same
// text, but for what programs for MongoDB's driver compare with a number: an id that is taken is
// 11000.

const CODES = { NANODB_DUPLICATE_KEY: 11000 };

class NanoDBError extends Error {
  constructor(message, kind, options) {
    super(message, options);
    this.kind = kind;
    this.code = CODES[kind] ?? kind;
  }

  get name() {
    return 'NanoDBError';
  }
}

// A document's id is taken.
class DuplicateKeyError extends NanoDBError {
  constructor(message, options) {
    super(message, 'NANODB_DUPLICATE_KEY', options);
    this.codeName = 'DuplicateKey';
  }

  get name() {
    return 'DuplicateKeyError';
  }
}

// An operation of several in one call was refused. `result` says what was done all the same, and
// `writeErrors` which operations were refused.
class BulkWriteError extends NanoDBError {
  constructor(result, writeErrors) {
    const [first] = writeErrors;
    super(first.errmsg, first.err.kind, { cause: first.err });
    this.result = result;
    this.writeErrors = writeErrors;
  }

  get name() {
    return 'BulkWriteError';
  }

  get insertedCount() {
    return this.result.insertedCount;
  }

  get matchedCount() {
    return this.result.matchedCount;
  }

  get modifiedCount() {
    return this.result.modifiedCount;
  }

  get deletedCount() {
    return this.result.deletedCount;
  }

  get upsertedCount() {
    return this.result.upsertedCount;
  }

  get insertedIds() {
    return this.result.insertedIds;
  }

  get upsertedIds() {
    return this.result.upsertedIds;
  }
}

// Returns the error that the addon describes.
function errorOf(told) {
  const error = told.code === 'NANODB_DUPLICATE_KEY'
    ? new DuplicateKeyError(told.text)
    : new NanoDBError(told.text, told.code);
  for (const name of ['collection', 'path', 'id', 'page', 'operation', 'file', 'errno']) {
    if (told[name] !== undefined) error[name] = told[name];
  }
  if (told.operation !== undefined) error.index = told.operation;
  if (told.code === 'NANODB_DUPLICATE_KEY') {
    error.keyPattern = { _id: 1 };
    error.keyValue = { _id: told.id };
  }
  return error;
}

function invalid(message) {
  return new NanoDBError(message, 'NANODB_INVALID');
}

module.exports = { NanoDBError, DuplicateKeyError, BulkWriteError, errorOf, invalid };

'use strict';
// The package's interface: see `index.d.ts`.

const { open, openSync, Database, SyncDatabase } = require('./database.js');
const { Collection, SyncCollection } = require('./collection.js');
const { FindCursor, SyncFindCursor } = require('./cursor.js');
const { Transaction, SyncTransaction, Snapshot } = require('./transaction.js');
const { ObjectId } = require('./object_id.js');
const { UUID } = require('./uuid.js');
const { Ext } = require('./ext.js');
const { NanoDBError, DuplicateKeyError, BulkWriteError } = require('./errors.js');
const { BulkWriteResult } = require('./verbs.js');
const { version } = require('../package.json');

module.exports = {
  open,
  openSync,
  Database,
  SyncDatabase,
  Collection,
  SyncCollection,
  FindCursor,
  SyncFindCursor,
  Transaction,
  SyncTransaction,
  Snapshot,
  ObjectId,
  UUID,
  Ext,
  NanoDBError,
  DuplicateKeyError,
  BulkWriteError,
  BulkWriteResult,
  version,
};

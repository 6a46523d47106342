// The package as a module: the same classes as `require` gives.

import nanodb from './index.js';

export const {
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
} = nanodb;

export default nanodb;

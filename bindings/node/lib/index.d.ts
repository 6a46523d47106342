// Types of the package `nanodb`. The names and shapes are those of MongoDB's driver.

/// <reference types="node" />
/// <reference lib="esnext.disposable" />

// --- Values -------------------------------------------------------------------------------------

/** An ObjectId, twelve bytes, as in the package `bson`; instances of that are taken, too. */
export class ObjectId {
  constructor(id?: string | number | Uint8Array | ObjectIdLike | null);
  static createFromHexString(hex: string): ObjectId;
  static createFromBase64(base64: string): ObjectId;
  static createFromTime(seconds: number): ObjectId;
  static generate(seconds?: number): Buffer;
  static isValid(id: unknown): boolean;
  readonly _bsontype: 'ObjectId';
  readonly id: Buffer;
  toHexString(): string;
  toString(encoding?: 'hex' | 'base64'): string;
  toJSON(): string;
  equals(other: string | ObjectIdLike | null | undefined): boolean;
  getTimestamp(): Date;
  inspect(): string;
}

export interface ObjectIdLike {
  readonly _bsontype: string;
  readonly id: Uint8Array | string;
}

/** A UUID, sixteen bytes, as in the package `bson`. */
export class UUID {
  constructor(id?: string | Uint8Array | UUID | null);
  static createFromHexString(hex: string): UUID;
  static generate(): Buffer;
  static isValid(id: unknown): boolean;
  readonly id: Buffer;
  readonly buffer: Buffer;
  toHexString(withDashes?: boolean): string;
  toString(encoding?: 'hex' | 'base64'): string;
  toJSON(): string;
  equals(other: string | Uint8Array | UUID | null | undefined): boolean;
  inspect(): string;
}

/** An extension of MessagePack that has no class here: what other programs stored. */
export class Ext {
  constructor(type: number, data: Uint8Array);
  type: number;
  data: Uint8Array;
}

// --- Documents ----------------------------------------------------------------------------------

export interface Document {
  [name: string]: any;
}

type IdType<T> = T extends { _id: infer Id } ? Id : T extends { _id?: infer Id } ? Id : ObjectId;

/** The type of a collection's ids: ObjectId, unless the documents say otherwise. */
export type InferIdType<T> = unknown extends IdType<T> ? ObjectId : NonNullable<IdType<T>>;

type StrictOmit<T, K extends PropertyKey> = T extends any ? Omit<T, K> : never;

/** A document as it is stored: with an id. */
export type WithId<T> = StrictOmit<T, '_id'> & { _id: InferIdType<T> };
export type WithoutId<T> = StrictOmit<T, '_id'>;
export type OptionalId<T> = StrictOmit<T, '_id'> & { _id?: InferIdType<T> };
export type OptionalUnlessRequiredId<T> = T extends { _id: any } ? T : OptionalId<T>;

type RegExpOrString<T> = T extends string ? RegExp | T : T;
type Elements<T> = T extends ReadonlyArray<infer U> ? RegExpOrString<U> | T : RegExpOrString<T>;

/** A value or the operators that a filter has for a field of that type. */
export type Condition<T> = Elements<T> | FilterOperators<T>;

export interface FilterOperators<T> {
  $eq?: T;
  $gt?: T;
  $gte?: T;
  $in?: ReadonlyArray<T extends ReadonlyArray<infer U> ? U | T : T>;
  $lt?: T;
  $lte?: T;
  $ne?: T;
  $nin?: ReadonlyArray<T extends ReadonlyArray<infer U> ? U | T : T>;
  $not?: FilterOperators<T> | RegExp;
  $exists?: boolean;
  $type?: number | string | ReadonlyArray<number | string>;
  $mod?: readonly [number, number];
  $regex?: RegExp | string;
  $options?: string;
  $all?: ReadonlyArray<any>;
  $elemMatch?: Document;
  $size?: T extends ReadonlyArray<any> ? number : never;
}

/** A filter: fields and their conditions, paths such as `'a.b'`, `$and`, `$or` and `$nor`. */
export type Filter<T> = {
  [P in keyof WithId<T>]?: Condition<WithId<T>[P]>;
} & {
  $and?: Filter<T>[];
  $or?: Filter<T>[];
  $nor?: Filter<T>[];
  $comment?: string | Document;
} & Paths;

/** Paths into documents have no types. */
export interface Paths {
  readonly [path: `${string}.${string}`]: any;
}

type MatchFields<T, V> = { readonly [P in keyof T as T[P] extends V | undefined | null ? P : never]?: any };
type ArrayFields<T> = {
  readonly [P in keyof T as NonNullable<T[P]> extends ReadonlyArray<any> ? P : never]?: any;
};
type NumberFields<T> = MatchFields<T, number | bigint> & Paths;

/** An update: operators, and the fields that each changes. */
export interface UpdateFilter<T> {
  $currentDate?: Document;
  $inc?: NumberFields<T>;
  $min?: Partial<T> & Paths;
  $max?: Partial<T> & Paths;
  $mul?: NumberFields<T>;
  $rename?: Record<string, string>;
  $set?: Readonly<Partial<T>> & Paths;
  $setOnInsert?: Readonly<Partial<T>> & Paths;
  $unset?: { readonly [P in keyof T]?: '' | true | 1 } & Paths;
  $addToSet?: ArrayFields<T> & Paths;
  $pop?: { readonly [P in keyof T]?: 1 | -1 } & Paths;
  $pull?: ArrayFields<T> & Paths;
  $push?: ArrayFields<T> & Paths;
  $pullAll?: ArrayFields<T> & Paths;
  $bit?: Document;
}

export type SortDirection = 1 | -1 | 'asc' | 'desc' | 'ascending' | 'descending';
export type Sort =
  | string
  | { readonly [path: string]: SortDirection }
  | ReadonlyMap<string, SortDirection>
  | ReadonlyArray<readonly [string, SortDirection]>
  | readonly [string, SortDirection]
  | ReadonlyArray<string>;

// --- Options ------------------------------------------------------------------------------------

/** What documents become, for a database or for one collection of it. */
export interface DocumentOptions {
  /** Who makes ids: this package, as the driver does, or the database, which counts from 1. */
  ids?: 'objectId' | 'integer';
  /** Whether all integers that take more than 32 bits are read as BigInt. Default false: those. */
  useBigInt64?: boolean;
  /** Whether fields that are undefined are left out. Default false: they are stored as null. */
  ignoreUndefined?: boolean;
}

export type Durability = 'immediate' | 'buffered' | 'relaxed';

export interface OpenOptions extends DocumentOptions {
  /** Opens the file for reading only; it must exist. */
  readonly?: boolean;
  /** The same. */
  readOnly?: boolean;
  /** Fails if there is no file, instead of creating it. */
  fileMustExist?: boolean;
  /** How many milliseconds to wait for another process to close the file. Default 0. */
  timeout?: number;
  /** What a write survives once it is done. Default 'immediate': a power failure. */
  durability?: Durability;
  cacheBytesMax?: number;
  indexBytesMax?: number;
  logBytesMax?: number;
  transactionBytesMax?: number;
  fileBytesMax?: number;
  relaxedFlushIntervalMs?: number;
  background?: boolean;
  /** Opens the file although its log is missing; what was in that is lost. */
  allowMissingLog?: boolean;
}

export interface OperationOptions<S = Transaction> {
  /** A transaction that this is a step of. */
  session?: S;
}

export interface FindOptions<S = Transaction> extends OperationOptions<S> {
  sort?: Sort;
  skip?: number;
  limit?: number;
  projection?: Document | ReadonlyArray<string>;
  batchSize?: number;
  /** On how many threads the filter is evaluated. Default 1. */
  threads?: number;
}

export interface CountOptions<S = Transaction> extends OperationOptions<S> {
  skip?: number;
  limit?: number;
}

export interface UpdateOptions<S = Transaction> extends OperationOptions<S> {
  upsert?: boolean;
  arrayFilters?: Document[];
}

export interface ReplaceOptions<S = Transaction> extends OperationOptions<S> {
  upsert?: boolean;
}

export interface BulkWriteOptions<S = Transaction> extends OperationOptions<S> {
  /** Whether the first operation that is refused ends the call. Default true. */
  ordered?: boolean;
}

export interface FindOneAndDeleteOptions<S = Transaction> extends OperationOptions<S> {
  sort?: Sort;
  projection?: Document | ReadonlyArray<string>;
  includeResultMetadata?: boolean;
}

export interface FindOneAndReplaceOptions<S = Transaction> extends FindOneAndDeleteOptions<S> {
  upsert?: boolean;
  returnDocument?: 'before' | 'after';
}

export interface FindOneAndUpdateOptions<S = Transaction> extends FindOneAndReplaceOptions<S> {
  arrayFilters?: Document[];
}

export interface TransactionOptions {
  durability?: Durability;
}

// --- Results ------------------------------------------------------------------------------------

export interface InsertOneResult<T = Document> {
  acknowledged: boolean;
  insertedId: InferIdType<T>;
}

export interface InsertManyResult<T = Document> {
  acknowledged: boolean;
  insertedCount: number;
  insertedIds: { [index: number]: InferIdType<T> };
}

export interface UpdateResult<T = Document> {
  acknowledged: boolean;
  matchedCount: number;
  modifiedCount: number;
  upsertedCount: number;
  upsertedId: InferIdType<T> | null;
}

export interface DeleteResult {
  acknowledged: boolean;
  deletedCount: number;
}

export interface ModifyResult<T = Document> {
  value: WithId<T> | null;
  lastErrorObject: { n: number; updatedExisting?: boolean; upserted?: InferIdType<T> };
  ok: 0 | 1;
}

export class BulkWriteResult {
  private constructor();
  readonly insertedCount: number;
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly deletedCount: number;
  readonly upsertedCount: number;
  readonly insertedIds: { [index: number]: any };
  readonly upsertedIds: { [index: number]: any };
  readonly ok: number;
  isOk(): boolean;
  getInsertedIds(): { index: number; _id: any }[];
  getUpsertedIds(): { index: number; _id: any }[];
}

export interface CollectionInfo {
  name: string;
  type: 'collection';
  count: number;
}

export interface Explanation {
  stage: string;
  nReturned: number;
  totalDocsExamined: number;
  temporaryBytes: number;
  text: string;
}

export interface DatabaseStats {
  fileBytes: number;
  pageCount: number;
  freePages: number;
  cachedBytes: number;
  dirtyBytes: number;
  olderBytes: number;
  spilledBytes: number;
  logBytes: number;
  checkpoints: number;
  collections: {
    name: string;
    count: number;
    pages: number;
    reservedPages: number;
    overflowPages: number;
    indexBytes: number;
  }[];
}

export interface CheckReport {
  collections: number;
  documents: number;
  pages: number;
  problems: { text: string; collection?: string; page?: number }[];
}

export type AnyBulkWriteOperation<T = Document> =
  | { insertOne: { document: OptionalUnlessRequiredId<T> } }
  | { updateOne: { filter: Filter<T>; update: UpdateFilter<T>; upsert?: boolean; arrayFilters?: Document[] } }
  | { updateMany: { filter: Filter<T>; update: UpdateFilter<T>; upsert?: boolean; arrayFilters?: Document[] } }
  | { replaceOne: { filter: Filter<T>; replacement: WithoutId<T>; upsert?: boolean } }
  | { deleteOne: { filter: Filter<T> } }
  | { deleteMany: { filter: Filter<T> } };

// --- Errors -------------------------------------------------------------------------------------

export type ErrorKind =
  | 'NANODB_INVALID'
  | 'NANODB_DUPLICATE_KEY'
  | 'NANODB_NOT_FOUND'
  | 'NANODB_ALREADY_EXISTS'
  | 'NANODB_WRONG_TYPE'
  | 'NANODB_EXHAUSTED'
  | 'NANODB_QUOTA_EXCEEDED'
  | 'NANODB_CONFLICT'
  | 'NANODB_TRANSACTION_OVER'
  | 'NANODB_TOO_LARGE'
  | 'NANODB_DAMAGED'
  | 'NANODB_LOCKED'
  | 'NANODB_CLOSED'
  | 'NANODB_READ_ONLY'
  | 'NANODB_NOT_A_DATABASE'
  | 'NANODB_NEWER_FORMAT'
  | 'NANODB_OLDER_FORMAT'
  | 'NANODB_MISPLACED'
  | 'NANODB_IO'
  | 'NANODB_POISONED'
  | 'NANODB_UNSUPPORTED'
  | 'NANODB_PANIC'
  | 'NANODB_ERROR';

/** What calls throw. */
export class NanoDBError extends Error {
  constructor(message: string, kind: ErrorKind, options?: ErrorOptions);
  /** What is wrong. */
  readonly kind: ErrorKind;
  /** The same, but 11000 if an id is taken, as in MongoDB. */
  readonly code: ErrorKind | number;
  readonly collection?: string;
  readonly id?: any;
  /** The path of the value that is wrong. */
  readonly path?: string;
  readonly page?: number;
  readonly file?: string;
  /** What the operating system answered. */
  readonly errno?: number;
  /** Which document or operation of several is wrong, counted from 0. */
  readonly index?: number;
}

/** A document's id is taken. */
export class DuplicateKeyError extends NanoDBError {
  readonly code: 11000;
  readonly codeName: 'DuplicateKey';
  readonly keyPattern: { _id: 1 };
  readonly keyValue: { _id: any };
}

/** An operation of several was refused; `result` says what was done all the same. */
export class BulkWriteError extends NanoDBError {
  readonly result: BulkWriteResult;
  readonly writeErrors: {
    index: number;
    code: ErrorKind | number;
    errmsg: string;
    op: any;
    err: NanoDBError;
  }[];
  readonly insertedCount: number;
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly deletedCount: number;
  readonly upsertedCount: number;
  readonly insertedIds: { [index: number]: any };
  readonly upsertedIds: { [index: number]: any };
}

// --- Cursors ------------------------------------------------------------------------------------

export class FindCursor<T = any> implements AsyncIterable<T> {
  private constructor();
  readonly closed: boolean;
  readonly namespace: string;
  filter(filter: Document): this;
  sort(sort: Sort, direction?: SortDirection): this;
  skip(count: number): this;
  limit(count: number): this;
  project<P extends Document = Document>(projection: Document | ReadonlyArray<string>): FindCursor<P>;
  batchSize(count: number): this;
  threads(count: number): this;
  hint(hint: unknown): this;
  map<U>(transform: (document: T) => U): FindCursor<U>;
  hasNext(): Promise<boolean>;
  next(): Promise<T | null>;
  tryNext(): Promise<T | null>;
  toArray(): Promise<T[]>;
  forEach(visit: (document: T) => boolean | void): Promise<void>;
  count(): Promise<number>;
  explain(): Promise<Explanation>;
  bufferedCount(): number;
  readBufferedDocuments(count?: number): T[];
  clone(): FindCursor<T>;
  rewind(): void;
  close(): Promise<void>;
  stream(options?: { transform?: (document: T) => any }): import('node:stream').Readable;
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

export class SyncFindCursor<T = any> implements Iterable<T> {
  private constructor();
  readonly closed: boolean;
  readonly namespace: string;
  filter(filter: Document): this;
  sort(sort: Sort, direction?: SortDirection): this;
  skip(count: number): this;
  limit(count: number): this;
  project<P extends Document = Document>(projection: Document | ReadonlyArray<string>): SyncFindCursor<P>;
  batchSize(count: number): this;
  threads(count: number): this;
  hint(hint: unknown): this;
  map<U>(transform: (document: T) => U): SyncFindCursor<U>;
  hasNext(): boolean;
  next(): T | null;
  tryNext(): T | null;
  toArray(): T[];
  forEach(visit: (document: T) => boolean | void): void;
  count(): number;
  explain(): Explanation;
  bufferedCount(): number;
  readBufferedDocuments(count?: number): T[];
  clone(): SyncFindCursor<T>;
  rewind(): void;
  close(): void;
  [Symbol.iterator](): IterableIterator<T>;
  [Symbol.dispose](): void;
}

// --- Collections --------------------------------------------------------------------------------

export class Collection<T extends Document = Document> {
  private constructor();
  readonly collectionName: string;
  readonly name: string;
  readonly dbName: string;
  readonly namespace: string;
  /** The same collection, with methods that return no promises. */
  readonly sync: SyncCollection<T>;

  insertOne(document: OptionalUnlessRequiredId<T>, options?: OperationOptions): Promise<InsertOneResult<T>>;
  /** All documents in one commit; one that is refused ends it, unless `ordered` is false. */
  insertMany(documents: ReadonlyArray<OptionalUnlessRequiredId<T>>, options?: BulkWriteOptions): Promise<InsertManyResult<T>>;
  find(filter?: Filter<T> | null, options?: FindOptions): FindCursor<WithId<T>>;
  find<P extends Document>(filter: Filter<T> | null, options?: FindOptions): FindCursor<P>;
  findOne(filter?: Filter<T> | ObjectId | null, options?: FindOptions): Promise<WithId<T> | null>;
  findOne<P extends Document>(filter: Filter<T> | ObjectId | null, options?: FindOptions): Promise<P | null>;
  updateOne(filter: Filter<T>, update: UpdateFilter<T>, options?: UpdateOptions): Promise<UpdateResult<T>>;
  updateMany(filter: Filter<T>, update: UpdateFilter<T>, options?: UpdateOptions): Promise<UpdateResult<T>>;
  replaceOne(filter: Filter<T>, replacement: WithoutId<T>, options?: ReplaceOptions): Promise<UpdateResult<T>>;
  deleteOne(filter?: Filter<T>, options?: OperationOptions): Promise<DeleteResult>;
  deleteMany(filter?: Filter<T>, options?: OperationOptions): Promise<DeleteResult>;
  findOneAndUpdate(filter: Filter<T>, update: UpdateFilter<T>, options: FindOneAndUpdateOptions & { includeResultMetadata: true }): Promise<ModifyResult<T>>;
  findOneAndUpdate(filter: Filter<T>, update: UpdateFilter<T>, options?: FindOneAndUpdateOptions): Promise<WithId<T> | null>;
  findOneAndReplace(filter: Filter<T>, replacement: WithoutId<T>, options: FindOneAndReplaceOptions & { includeResultMetadata: true }): Promise<ModifyResult<T>>;
  findOneAndReplace(filter: Filter<T>, replacement: WithoutId<T>, options?: FindOneAndReplaceOptions): Promise<WithId<T> | null>;
  findOneAndDelete(filter: Filter<T>, options: FindOneAndDeleteOptions & { includeResultMetadata: true }): Promise<ModifyResult<T>>;
  findOneAndDelete(filter: Filter<T>, options?: FindOneAndDeleteOptions): Promise<WithId<T> | null>;
  /** All operations in one commit; one that is refused ends it, unless `ordered` is false. */
  bulkWrite(operations: ReadonlyArray<AnyBulkWriteOperation<T>>, options?: BulkWriteOptions): Promise<BulkWriteResult>;
  countDocuments(filter?: Filter<T>, options?: CountOptions): Promise<number>;
  count(filter?: Filter<T>, options?: CountOptions): Promise<number>;
  estimatedDocumentCount(options?: OperationOptions): Promise<number>;
  distinct<K extends keyof WithId<T>>(field: K, filter?: Filter<T>, options?: OperationOptions): Promise<Array<WithId<T>[K] extends ReadonlyArray<infer U> ? U : WithId<T>[K]>>;
  distinct(field: string, filter?: Filter<T>, options?: OperationOptions): Promise<any[]>;
  /** Returns whether there was such a collection. */
  drop(): Promise<boolean>;
  rename(to: string, options?: { dropTarget?: boolean }): Promise<Collection>;
  indexes(): Promise<{ v: number; key: Document; name: string }[]>;
}

export class SyncCollection<T extends Document = Document> {
  private constructor();
  readonly collectionName: string;
  readonly name: string;
  readonly dbName: string;
  readonly namespace: string;

  insertOne(document: OptionalUnlessRequiredId<T>, options?: OperationOptions<SyncTransaction>): InsertOneResult<T>;
  insertMany(documents: ReadonlyArray<OptionalUnlessRequiredId<T>>, options?: BulkWriteOptions<SyncTransaction>): InsertManyResult<T>;
  find(filter?: Filter<T> | null, options?: FindOptions<SyncTransaction>): SyncFindCursor<WithId<T>>;
  find<P extends Document>(filter: Filter<T> | null, options?: FindOptions<SyncTransaction>): SyncFindCursor<P>;
  findOne(filter?: Filter<T> | ObjectId | null, options?: FindOptions<SyncTransaction>): WithId<T> | null;
  findOne<P extends Document>(filter: Filter<T> | ObjectId | null, options?: FindOptions<SyncTransaction>): P | null;
  updateOne(filter: Filter<T>, update: UpdateFilter<T>, options?: UpdateOptions<SyncTransaction>): UpdateResult<T>;
  updateMany(filter: Filter<T>, update: UpdateFilter<T>, options?: UpdateOptions<SyncTransaction>): UpdateResult<T>;
  replaceOne(filter: Filter<T>, replacement: WithoutId<T>, options?: ReplaceOptions<SyncTransaction>): UpdateResult<T>;
  deleteOne(filter?: Filter<T>, options?: OperationOptions<SyncTransaction>): DeleteResult;
  deleteMany(filter?: Filter<T>, options?: OperationOptions<SyncTransaction>): DeleteResult;
  findOneAndUpdate(filter: Filter<T>, update: UpdateFilter<T>, options: FindOneAndUpdateOptions<SyncTransaction> & { includeResultMetadata: true }): ModifyResult<T>;
  findOneAndUpdate(filter: Filter<T>, update: UpdateFilter<T>, options?: FindOneAndUpdateOptions<SyncTransaction>): WithId<T> | null;
  findOneAndReplace(filter: Filter<T>, replacement: WithoutId<T>, options: FindOneAndReplaceOptions<SyncTransaction> & { includeResultMetadata: true }): ModifyResult<T>;
  findOneAndReplace(filter: Filter<T>, replacement: WithoutId<T>, options?: FindOneAndReplaceOptions<SyncTransaction>): WithId<T> | null;
  findOneAndDelete(filter: Filter<T>, options: FindOneAndDeleteOptions<SyncTransaction> & { includeResultMetadata: true }): ModifyResult<T>;
  findOneAndDelete(filter: Filter<T>, options?: FindOneAndDeleteOptions<SyncTransaction>): WithId<T> | null;
  bulkWrite(operations: ReadonlyArray<AnyBulkWriteOperation<T>>, options?: BulkWriteOptions<SyncTransaction>): BulkWriteResult;
  countDocuments(filter?: Filter<T>, options?: CountOptions<SyncTransaction>): number;
  count(filter?: Filter<T>, options?: CountOptions<SyncTransaction>): number;
  estimatedDocumentCount(options?: OperationOptions<SyncTransaction>): number;
  distinct<K extends keyof WithId<T>>(field: K, filter?: Filter<T>, options?: OperationOptions<SyncTransaction>): Array<WithId<T>[K] extends ReadonlyArray<infer U> ? U : WithId<T>[K]>;
  distinct(field: string, filter?: Filter<T>, options?: OperationOptions<SyncTransaction>): any[];
  drop(): boolean;
  rename(to: string, options?: { dropTarget?: boolean }): SyncCollection;
  indexes(): { v: number; key: Document; name: string }[];
}

// --- Transactions and snapshots -----------------------------------------------------------------

/** Several reads and writes that happen as a whole or not at all. */
export class Transaction {
  private constructor();
  readonly inTransaction: boolean;
  collection<T extends Document = Document>(name: string, options?: DocumentOptions): Collection<T>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  commitTransaction(): Promise<void>;
  abortTransaction(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export class SyncTransaction {
  private constructor();
  readonly inTransaction: boolean;
  collection<T extends Document = Document>(name: string, options?: DocumentOptions): SyncCollection<T>;
  commit(): void;
  rollback(): void;
  [Symbol.dispose](): void;
}

/** All collections as they were at one moment. */
export class Snapshot {
  private constructor();
  readonly sync: {
    collection<T extends Document = Document>(name: string, options?: DocumentOptions): SyncCollection<T>;
  };
  collection<T extends Document = Document>(name: string, options?: DocumentOptions): Collection<T>;
  collections(): { name: string; count: number }[];
  close(): void;
  [Symbol.dispose](): void;
}

// --- Databases ----------------------------------------------------------------------------------

/** A database: a file and the collections in it. */
export class Database {
  private constructor();
  readonly path: string;
  readonly databaseName: string;
  readonly isOpen: boolean;
  /** The same database, with methods that return no promises. */
  readonly sync: SyncDatabase;

  collection<T extends Document = Document>(name: string, options?: DocumentOptions): Collection<T>;
  createCollection<T extends Document = Document>(name: string, options?: DocumentOptions): Promise<Collection<T>>;
  listCollections(): { toArray(): Promise<CollectionInfo[]> } & AsyncIterable<CollectionInfo>;
  collections(): Promise<Collection[]>;
  dropCollection(name: string): Promise<boolean>;
  renameCollection(from: string, to: string, options?: { dropTarget?: boolean }): Promise<Collection>;
  dropDatabase(): Promise<boolean>;
  snapshot(): Snapshot;
  /**
   * Runs a callback in a transaction: commits when its promise resolves, rolls back when it is
   * rejected, and runs it again after a conflict with another transaction.
   */
  transaction<R>(callback: (transaction: Transaction) => Promise<R>, options?: TransactionOptions): Promise<R>;
  begin(options?: TransactionOptions): Promise<Transaction>;
  /** Resolves once everything written so far would survive a power failure. */
  flush(): Promise<void>;
  checkpoint(): Promise<void>;
  compact(): Promise<void>;
  stats(): Promise<DatabaseStats>;
  check(): Promise<CheckReport>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export class SyncDatabase {
  private constructor();
  readonly path: string;
  readonly databaseName: string;
  readonly isOpen: boolean;

  collection<T extends Document = Document>(name: string, options?: DocumentOptions): SyncCollection<T>;
  createCollection<T extends Document = Document>(name: string, options?: DocumentOptions): SyncCollection<T>;
  listCollections(): { toArray(): CollectionInfo[] } & Iterable<CollectionInfo>;
  collections(): SyncCollection[];
  dropCollection(name: string): boolean;
  renameCollection(from: string, to: string, options?: { dropTarget?: boolean }): SyncCollection;
  dropDatabase(): boolean;
  snapshot(): Snapshot;
  transaction<R>(callback: (transaction: SyncTransaction) => R, options?: TransactionOptions): R;
  begin(options?: TransactionOptions): SyncTransaction;
  flush(): void;
  checkpoint(): void;
  compact(): void;
  stats(): DatabaseStats;
  check(): CheckReport;
  close(): void;
  [Symbol.dispose](): void;
}

/** Opens a database, and creates its file if there is none; `':memory:'` needs no file. */
export function open(path: string | URL, options?: OpenOptions): Promise<Database>;

/** The same at once. */
export function openSync(path: string | URL, options?: OpenOptions): Database;

export const version: string;

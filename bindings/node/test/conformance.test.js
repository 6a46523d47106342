'use strict';
// The steps and answers that are the same in every language: `bindings/conformance`. All of them
// run through both interfaces.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { nanodb, test } = require('./common.js');

const LISTS = process.env.NANODB_CONFORMANCE ??
  path.join(__dirname, '..', '..', 'conformance');

// What cannot be met here.
const UNMET = {
  doubles: 'a number of JavaScript does not tell 5.0 from 5',
  microseconds: 'a Date has milliseconds',
  nanoseconds: 'a Date has milliseconds',
};
const UNMET_BY_PROMISES = {
  one_thread: 'a write that waits for a transaction of its thread waits until that ends',
};

// --- Extended JSON -------------------------------------------------------------------------------

function parseLine(line) {
  // No reader of JSON keeps integers of so many digits.
  const exact = line.replace(/([:[,]\s*)(-?\d{16,})(?=\s*[,}\]])/g, '$1{"$numberLong":"$2"}');
  return JSON.parse(exact);
}

function fromJson(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJson);
  const [first] = Object.keys(value);
  const inner = value[first];
  switch (first) {
    case '$numberInt':
      return Number(inner);
    case '$numberLong': {
      const number = BigInt(inner);
      return Number.isSafeInteger(Number(number)) ? Number(number) : number;
    }
    case '$numberDouble':
      return Number(inner);
    case '$date': {
      if (typeof inner === 'string') return new Date(inner);
      return new Date(Number(inner.$numberLong ?? inner));
    }
    case '$oid':
      return new nanodb.ObjectId(inner);
    case '$uuid':
      return new nanodb.UUID(inner);
    case '$binary':
      return Buffer.from(inner.base64, 'base64');
    case '$ext':
      return new nanodb.Ext(inner.type, Buffer.from(inner.base64, 'base64'));
    case '$literal':
      return plainFromJson(inner);
    default:
      return plainFromJson(value);
  }
}

function plainFromJson(value) {
  const made = {};
  for (const [name, field] of Object.entries(value)) {
    Object.defineProperty(made, name, {
      value: fromJson(field), enumerable: true, writable: true, configurable: true,
    });
  }
  return made;
}

// --- Steps ---------------------------------------------------------------------------------------

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

function optionsOf(args) {
  const { upsert, projection, sort, skip, limit, ordered } = args;
  const options = { upsert, projection, sort, skip, limit, ordered };
  options.arrayFilters = args.array_filters;
  options.returnDocument = args.return_document;
  for (const name of Object.keys(options)) {
    if (options[name] === undefined || options[name] === null) delete options[name];
  }
  return options;
}

const updated = ({ matchedCount, modifiedCount, upsertedId }) => ({
  matched_count: matchedCount, modified_count: modifiedCount, upserted_id: upsertedId,
});

function bulkOperation(operation) {
  const [[kind, { array_filters, ...args }]] = Object.entries(operation);
  if (array_filters !== undefined) args.arrayFilters = array_filters;
  return { [camel(kind)]: args };
}

// Of a collection; each gets it, and the arguments.
const VERBS = {
  async insert_one(c, { document }) {
    return { inserted_id: (await c.insertOne(document)).insertedId };
  },
  async insert_many(c, { documents, ...args }) {
    const { insertedIds } = await c.insertMany(documents, optionsOf(args));
    return { inserted_ids: Object.values(insertedIds) };
  },
  get: async (c, { id }) => ({ document: await c.findOne({ _id: id }) }),
  find: async (c, { filter, ...args }) => (
    { documents: await c.find(filter, optionsOf(args)).toArray() }),
  find_one: async (c, { filter, ...args }) => (
    { document: await c.findOne(filter, optionsOf(args)) }),
  async explain(c, { filter, ...args }) {
    const told = await c.find(filter, optionsOf(args)).explain();
    return { examined: told.totalDocsExamined, returned: told.nReturned };
  },
  count_documents: async (c, { filter, ...args }) => (
    { count: await c.countDocuments(filter, optionsOf(args)) }),
  estimated_document_count: async (c) => ({ count: await c.estimatedDocumentCount() }),
  distinct: async (c, { key, filter }) => ({ values: await c.distinct(key, filter) }),
  update_one: async (c, { filter, update, ...args }) =>
    updated(await c.updateOne(filter, update, optionsOf(args))),
  update_many: async (c, { filter, update, ...args }) =>
    updated(await c.updateMany(filter, update, optionsOf(args))),
  replace_one: async (c, { filter, replacement, ...args }) =>
    updated(await c.replaceOne(filter, replacement, optionsOf(args))),
  delete_one: async (c, { filter }) => (
    { deleted_count: (await c.deleteOne(filter)).deletedCount }),
  delete_many: async (c, { filter }) => (
    { deleted_count: (await c.deleteMany(filter)).deletedCount }),
  find_one_and_update: async (c, { filter, update, ...args }) => (
    { document: await c.findOneAndUpdate(filter, update, optionsOf(args)) }),
  find_one_and_replace: async (c, { filter, replacement, ...args }) => (
    { document: await c.findOneAndReplace(filter, replacement, optionsOf(args)) }),
  find_one_and_delete: async (c, { filter, ...args }) => (
    { document: await c.findOneAndDelete(filter, optionsOf(args)) }),
  async bulk_write(c, { operations, ...args }) {
    const result = await c.bulkWrite(operations.map(bulkOperation), optionsOf(args));
    return {
      inserted_count: result.insertedCount,
      matched_count: result.matchedCount,
      modified_count: result.modifiedCount,
      deleted_count: result.deletedCount,
      upserted_count: result.upsertedCount,
      upserted_ids: result.upsertedIds,
    };
  },
  drop: async (c) => ({ dropped: await c.drop() }),
  async rename(c, { to }) {
    await c.rename(to);
    return {};
  },
  find_cursor: async (c, { filter, ...args }, run, as) => {
    run.named[as] = c.find(filter, optionsOf(args));
    return {};
  },
};

// Of the database, or of what has a name.
const OTHERS = {
  async list_collection_names(run, args, within) {
    const all = within ? within.collections() : await run.db.listCollections().toArray();
    return { names: all.map(({ name }) => name) };
  },
  async begin(run, args, within, as) {
    run.named[as] = await run.db.begin();
    return {};
  },
  async commit(run, args, within) {
    await within.commit();
    return {};
  },
  async rollback(run, args, within) {
    await within.rollback();
    return {};
  },
  async snapshot(run, args, within, as) {
    run.named[as] = run.db.snapshot();
    return {};
  },
  async close_snapshot(run, args, within) {
    within.close();
    return {};
  },
  next: async (run, args, cursor) => ({ document: await cursor.next() }),
  async next_many(run, { count }, cursor) {
    const documents = [];
    for (let index = 0; index < count; index++) {
      const document = await cursor.next();
      if (document === null) break;
      documents.push(document);
    }
    return { documents };
  },
  async close_cursor(run, args, cursor) {
    await cursor.close();
    return {};
  },
  async open(run, args) {
    await run.close();
    await run.open(args);
    return {};
  },
  async close(run) {
    await run.db.close();
    return {};
  },
};

class Run {
  constructor(kind) {
    this.kind = kind;
    this.named = {};
    this.folder = null;
    this.opened = null;
  }

  async open({ file, read_only, create, file_bytes_max, transaction_bytes_max } = {}) {
    let place = ':memory:';
    if (file) {
      this.folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-node-'));
      place = path.join(this.folder, 'data.nanodb');
    }
    const options = { ids: 'integer' };
    if (read_only !== undefined) options.readonly = read_only;
    if (create !== undefined) options.fileMustExist = !create;
    if (file_bytes_max !== undefined) options.fileBytesMax = file_bytes_max;
    if (transaction_bytes_max !== undefined) options.transactionBytesMax = transaction_bytes_max;
    this.opened = await nanodb.open(place, options);
    this.db = this.kind === 'sync' ? this.opened.sync : this.opened;
  }

  async close() {
    if (this.opened !== null) await this.opened.close();
    this.opened = null;
  }

  async step({ op, collection, in: within, as, args }) {
    const given = fromJson(args ?? {});
    if (collection === undefined) {
      const named = within === undefined ? undefined : this.named[within];
      return OTHERS[op](this, given, named, as);
    }
    let owner = within === undefined ? this.db : this.named[within];
    if (owner instanceof nanodb.Snapshot && this.kind === 'sync') owner = owner.sync;
    return VERBS[op](owner.collection(collection), given, this, as);
  }
}

const kindOf = (error) => error.kind?.replace(/^NANODB_/, '').toLowerCase()
  .replace('duplicate_key', 'duplicate_id');

async function runCase(kind, steps) {
  const run = new Run(kind);
  try {
    if (steps[0].op !== 'open') await run.open();
    for (const [index, step] of steps.entries()) {
      const where = `step ${index}: ${JSON.stringify(step)}`;
      let result;
      try {
        result = await run.step(step);
      } catch (error) {
        if (step.error === undefined) throw new Error(`${where}: ${error.stack}`);
        assert.equal(kindOf(error), step.error, `${where}: ${error.stack}`);
        if (step.message) assert.ok(error.message.includes(step.message), `${where}: ${error}`);
        if (step.path) assert.equal(error.path, step.path, where);
        continue;
      }
      assert.equal(step.error, undefined, `${where}: it did not fail`);
      for (const [name, wanted] of Object.entries(fromJson(step.result ?? {}))) {
        if (name === 'access_path' || name === 'ids') continue;
        const [found, expected] = [result[name], wanted];
        assert.deepEqual(found, expected, where);
        assert.equal(order(found), order(expected), where);
      }
    }
  } finally {
    await run.close();
    if (run.folder !== null) fs.rmSync(run.folder, { recursive: true, force: true });
  }
}

// The names of all fields, in order.
function order(value) {
  if (typeof value !== 'object' || value === null) return '';
  if (Array.isArray(value)) return `[${value.map(order)}]`;
  if (Object.getPrototypeOf(value) !== Object.prototype) return '';
  return `{${Object.entries(value).map(([name, inner]) => `${name}:${order(inner)}`)}}`;
}

if (!fs.existsSync(LISTS)) {
  test('the lists of steps and answers', (t) => t.skip(`${LISTS} is missing`));
} else {
  for (const file of fs.readdirSync(LISTS).filter((name) => name.endsWith('.jsonl'))) {
    const cases = new Map();
    for (const line of fs.readFileSync(path.join(LISTS, file), 'utf8').split('\n')) {
      if (line === '') continue;
      const step = parseLine(line);
      if (!cases.has(step.case)) cases.set(step.case, []);
      cases.get(step.case).push(step);
    }
    for (const kind of ['promises', 'sync']) {
      test(`${file} (${kind})`, async (t) => {
        for (const [name, steps] of cases) {
          const [{ api, needs = [] }] = steps;
          if (api === 'engine') continue;
          const unmet = kind === 'sync' ? UNMET : { ...UNMET, ...UNMET_BY_PROMISES };
          const reason = needs.map((need) => unmet[need]).find(Boolean);
          await t.test(name, { skip: reason ?? false }, () => runCase(kind, steps));
        }
      });
    }
  }
}

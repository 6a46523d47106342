'use strict';
// What callers pass, checked and brought into the form of requests.

const { types } = require('node:util');
const { invalid } = require('./errors.js');
const { ObjectId, objectIdBytes, makeObjectId } = require('./object_id.js');
const { UUID } = require('./uuid.js');
const { update } = require('./native.js');

const NOTHING = Object.freeze({});

// What the driver knows and NanoDB does not, where leaving it out would change the answer.
const UNSUPPORTED = ['collation', 'let'];

// Returns the options, of which those that would change the answer are refused.
function optionsOf(options) {
  if (options === undefined || options === null) return NOTHING;
  if (typeof options !== 'object') throw invalid('options must be an object');
  for (const name of UNSUPPORTED) {
    if (options[name] !== undefined) {
      throw invalid(`the option \`${name}\` is not supported`);
    }
  }
  return options;
}

// Returns the filter; none is the one that all documents match.
function filterOf(filter) {
  if (filter === undefined || filter === null) return NOTHING;
  if (objectIdBytes(filter) !== null) return { _id: filter };
  return documentOf(filter, 'filter');
}

// Returns the filter of a change: the driver asks for one, too, where leaving it out by mistake
// would change whatever comes first.
function changedFilterOf(filter) {
  if (filter === undefined || filter === null) throw invalid('the filter must be an object');
  return filterOf(filter);
}

function isNoDocument(value) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return Array.isArray(value) || ArrayBuffer.isView(value) || types.isDate(value) ||
    types.isRegExp(value);
}

function documentOf(value, what) {
  if (typeof value !== 'object' || value === null || isNoDocument(value)) {
    throw invalid(`the ${what} must be an object`);
  }
  return value;
}

// Returns the id that a filter demands if it demands nothing else, or undefined.
function idOf(filter) {
  const id = filter._id;
  switch (typeof id) {
    case 'string':
    case 'number':
    case 'bigint':
      break;
    case 'object':
      if (id instanceof ObjectId || id instanceof UUID) break;
      if (id instanceof Uint8Array) break;
      return undefined;
    default:
      return undefined;
  }
  for (const name in filter) if (name !== '_id') return undefined;
  return id;
}

// Returns a sort as a document, from any form that the driver takes.
function sortOf(sort, direction) {
  if (sort === undefined || sort === null) return undefined;
  if (typeof sort === 'string') return { [sort]: directionOf(direction ?? 1) };
  let entries;
  if (Array.isArray(sort)) {
    if (sort.length === 0) return undefined;
    if (sort.every((step) => typeof step === 'string')) {
      // ['age', 'desc'] is one step, and ['a', 'b'] are two.
      entries = sort.length === 2 && isDirection(sort[1])
        ? [[sort[0], sort[1]]]
        : sort.map((name) => [name, 1]);
    } else if (typeof sort[0] === 'string') {
      entries = [[sort[0], sort[1]]];
    } else {
      entries = sort;
    }
  } else if (types.isMap(sort)) {
    entries = [...sort];
  } else {
    entries = Object.entries(documentOf(sort, 'sort'));
  }
  if (entries.length === 0) return undefined;
  const made = new Map();
  for (const entry of entries) {
    if (!Array.isArray(entry)) throw invalid('a sort is a list of pairs of a name and a direction');
    made.set(entry[0], directionOf(entry[1]));
  }
  return made;
}

function isDirection(step) {
  return /^(asc|desc)(ending)?$|^-?1$/.test(step);
}

function directionOf(step) {
  switch (typeof step === 'string' ? step.toLowerCase() : step) {
    case 1:
    case 'asc':
    case 'ascending':
    case '1':
      return 1;
    case -1:
    case 'desc':
    case 'descending':
    case '-1':
      return -1;
    default:
      if (typeof step === 'object' && step !== null) throw invalid('`$meta` is not supported');
      throw invalid(`a sort's direction is 1 or -1, not ${String(step)}`);
  }
}

// Returns a projection as a document.
function projectionOf(projection) {
  if (projection === undefined || projection === null) return undefined;
  if (Array.isArray(projection)) {
    return Object.fromEntries(projection.map((name) => [name, 1]));
  }
  const made = documentOf(projection, 'projection');
  return Object.keys(made).length === 0 ? undefined : made;
}

function countOf(number, what) {
  if (number === undefined || number === null) return undefined;
  if (typeof number === 'bigint') number = Number(number);
  if (!Number.isSafeInteger(number)) throw invalid(`\`${what}\` must be an integer`);
  return number;
}

// A limit of 0 is none, and a negative one means the same number, as in MongoDB.
function limitOf(number) {
  const limit = countOf(number, 'limit');
  return limit === undefined || limit === 0 ? undefined : Math.abs(limit);
}

function skipOf(number) {
  const skip = countOf(number, 'skip');
  if (skip !== undefined && skip < 0) throw invalid('`skip` must not be negative');
  return skip === 0 ? undefined : skip;
}

// Returns the arguments that describe an update, and what an upsert inserts.
function updateArguments(filter, change, options, makesIds) {
  if (Array.isArray(change)) throw invalid('an update by a pipeline is not supported');
  documentOf(change, 'update');
  for (const name of Object.keys(change)) {
    if (!name.startsWith('$')) throw noOperator(name);
  }
  const upsert = options.upsert === true || undefined;
  let onInsert;
  if (upsert && makesIds && !demandsId(filter) && !setsId(change)) {
    onInsert = { ...change, $setOnInsert: { ...change.$setOnInsert, _id: makeObjectId() } };
  }
  const args = { filter, upsert };
  if (onInsert !== undefined) args.hasOnInsert = true;
  if (options.arrayFilters !== undefined && options.arrayFilters !== null) {
    if (!Array.isArray(options.arrayFilters)) throw invalid('`arrayFilters` must be an array');
    args.arrayFilters = options.arrayFilters;
  }
  args.update = update(change);
  args.onInsert = onInsert && update(onInsert);
  return args;
}

// The database says the same, but in the words of its Rust library.
function noOperator(name) {
  return invalid(`unknown operator \`${name}\`: an update's names are operators such as \`$set\`; ` +
    'to replace a document use `replaceOne` or `findOneAndReplace`');
}

// Returns the same of a replacement.
function replaceArguments(filter, document, options, makesIds, asStored) {
  documentOf(document, 'replacement');
  const upsert = options.upsert === true || undefined;
  const args = { filter, upsert, document: asStored(document) };
  if (upsert && makesIds && document._id === undefined && !demandsId(filter)) {
    args.hasOnInsert = true;
    args.onInsert = asStored({ _id: makeObjectId(), ...document });
  }
  return args;
}

// Whether a filter plainly demands an id, which is that of an upsert then. Where it may demand one
// in another way, the database finds out, and uses the id that was made or not.
function demandsId(filter) {
  if (!Object.hasOwn(filter, '_id')) return false;
  return typeof filter._id !== 'object' || filter._id === null || filter._id instanceof ObjectId;
}

// Whether an update sets the id itself.
function setsId(change) {
  return Object.values(change).some(
    (fields) => typeof fields === 'object' && fields !== null && fields._id !== undefined,
  );
}

module.exports = {
  changedFilterOf,
  countOf,
  documentOf,
  filterOf,
  idOf,
  limitOf,
  optionsOf,
  projectionOf,
  replaceArguments,
  skipOf,
  sortOf,
  updateArguments,
};

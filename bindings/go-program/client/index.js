'use strict';
// A client of the shape that the Go program's has: it looks for the library in `native`, binds all
// functions but the last with koffi's own strings, and hands what comes back to JSON.parse. It
// stands for the programs that are to run with this library put in the place of the old one, so
// it is written for that one, and nothing here is for NanoDB.

const path = require('node:path');
const koffi = require('koffi');

const extension = process.platform === 'win32' ? '.dll' : '.so';
const library = koffi.load(path.resolve(__dirname, 'native', `nanodb${extension}`));

const native = {
  init: library.func('NanoInit', 'void', ['str']),
  close: library.func('NanoClose', 'longlong', []),
  getCollections: library.func('NanoGetCollections', 'str', []),
  createCollection: library.func('NanoCreateCollection', 'longlong', ['str']),
  insert: library.func('NanoInsert', 'longlong', ['str', 'str']),
  insertMany: library.func('NanoInsertMany', 'str', ['str', 'str']),
  find: library.func('NanoFind', 'str', ['str', 'str', 'longlong', 'longlong']),
  findOne: library.func('NanoFindOne', 'str', ['str', 'str']),
  findById: library.func('NanoFindById', 'str', ['str', 'longlong']),
  updateById: library.func('NanoUpdateById', 'str', ['str', 'longlong', 'str']),
  updateMany: library.func('NanoUpdateMany', 'str', ['str', 'str', 'str']),
  deleteById: library.func('NanoDeleteById', 'longlong', ['str', 'longlong']),
  deleteMany: library.func('NanoDeleteMany', 'longlong', ['str', 'str']),
  vectorSearch: library.func('NanoVectorSearch', 'str', ['str', 'str', 'longlong']),
};

function parsed(text) {
  return text ? JSON.parse(text) : null;
}

class Query {
  constructor(collection, query) {
    this.collection = collection;
    this.query = query;
    this.limitOf = 0;
    this.skipOf = 0;
  }

  limit(count) {
    this.limitOf = count;
    return this;
  }

  skip(count) {
    this.skipOf = count;
    return this;
  }

  exec() {
    const query = JSON.stringify(this.query);
    return parsed(native.find(this.collection, query, this.limitOf, this.skipOf));
  }
}

class Collection {
  constructor(name) {
    this.name = name;
    if (native.createCollection(name) === -1) console.warn(`cannot create ${name}`);
  }

  insert(document) {
    const id = native.insert(this.name, JSON.stringify(document));
    if (id === -1) throw new Error('the insert has failed');
    return id;
  }

  insertMany(documents) {
    return parsed(native.insertMany(this.name, JSON.stringify(documents)));
  }

  find(query = {}) {
    return new Query(this.name, query);
  }

  findOne(query) {
    return parsed(native.findOne(this.name, JSON.stringify(query)));
  }

  findById(id) {
    return parsed(native.findById(this.name, id));
  }

  update(query, patch) {
    return parsed(native.updateMany(this.name, JSON.stringify(query), JSON.stringify(patch)));
  }

  updateById(id, patch) {
    const updated = native.updateById(this.name, id, JSON.stringify(patch));
    if (updated === null) throw new Error('the update has failed');
    return JSON.parse(updated);
  }

  delete(query) {
    return native.deleteMany(this.name, JSON.stringify(query));
  }

  deleteById(id) {
    return native.deleteById(this.name, id) === 1;
  }

  vectorSearch(vector, topK = 5) {
    return parsed(native.vectorSearch(this.name, JSON.stringify(vector), topK));
  }
}

class NanoDB {
  constructor(file) {
    native.init(file);
  }

  collection(name) {
    return new Collection(name);
  }

  listCollections() {
    return parsed(native.getCollections());
  }

  close() {
    return native.close();
  }
}

module.exports = { NanoDB };

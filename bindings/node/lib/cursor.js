'use strict';
// What a search finds, document by document: a cursor whose methods return promises, and one whose
// methods don't. Nothing is read before the first document is asked for.

const { HEADER, OP, TAG, addon, call, encoder, objectOf, shrink } = require('./native.js');
const verbs = require('./verbs.js');
const {
  countOf, filterOf, limitOf, optionsOf, projectionOf, skipOf, sortOf,
} = require('./arguments.js');
const { NanoDBError } = require('./errors.js');

// Lets go of the searches of cursors that were left alone.
const abandoned = new FinalizationRegistry((object) => addon.release(object));

// The part that both kinds share: the search, and the documents that were handed over.
class BaseCursor {
  constructor(collection, filter, options) {
    options = optionsOf(options);
    this._collection = collection;
    this._search = {
      filter: filterOf(filter),
      sort: sortOf(options.sort),
      skip: skipOf(options.skip),
      limit: limitOf(options.limit),
      projection: projectionOf(options.projection),
      batch: countOf(options.batchSize, 'batchSize') || undefined,
      threads: countOf(options.threads, 'threads'),
    };
    this._transform = null;
    this._begun = false;
    this._closed = false;
    // Whether all documents were handed over.
    this._exhausted = false;
    // The search in the database, while there may be more.
    this._object = 0;
    this._documents = [];
    this._at = 0;
    // How often a search of it has ended.
    this._ends = 0;
  }

  get closed() {
    return this._closed;
  }

  get namespace() {
    return this._collection.namespace;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    const state = this._closed ? 'closed' : this._begun ? 'begun' : 'not begun';
    return `${this.constructor.name} of ${JSON.stringify(this.namespace)} (${state})`;
  }

  _change(name, value) {
    if (this._begun) {
      throw new NanoDBError('the cursor has begun: it is not changed any more', 'NANODB_INVALID');
    }
    this._search[name] = value;
    return this;
  }

  filter(filter) {
    return this._change('filter', filterOf(filter));
  }

  sort(sort, direction) {
    return this._change('sort', sortOf(sort, direction));
  }

  skip(count) {
    return this._change('skip', skipOf(count));
  }

  limit(count) {
    return this._change('limit', limitOf(count));
  }

  project(projection) {
    return this._change('projection', projectionOf(projection));
  }

  batchSize(count) {
    return this._change('batch', countOf(count, 'batchSize') || undefined);
  }

  // Evaluates the filter on several threads.
  threads(count) {
    return this._change('threads', countOf(count, 'threads'));
  }

  // Says which index to use: there is one, and it is found without.
  hint() {
    return this;
  }

  map(transform) {
    if (typeof transform !== 'function') throw new TypeError('map takes a function');
    const { _transform: before } = this;
    if (this._begun) this._change('map');
    this._transform = before === null ? transform : (document) => transform(before(document));
    return this;
  }

  bufferedCount() {
    return this._documents.length - this._at;
  }

  readBufferedDocuments(count = Infinity) {
    const end = Math.min(this._documents.length, this._at + count);
    const documents = this._documents.slice(this._at, end).map((document) => this._made(document));
    this._at = end;
    return documents;
  }

  clone() {
    const cursor = new this.constructor(this._collection);
    cursor._search = { ...this._search };
    cursor._transform = this._transform;
    return cursor;
  }

  _made(document) {
    return this._transform === null ? document : this._transform(document);
  }

  // Takes over the documents of a reply.
  _take(reply, size) {
    const documents = [];
    this._collection.decoder.documents(reply, HEADER, size, documents);
    this._documents = documents;
    this._at = 0;
    const object = objectOf(reply);
    if (object !== 0) {
      this._object = object;
      abandoned.register(this, object, this);
    }
    if (reply[0] !== TAG.MORE) {
      this._exhausted = true;
      this._release();
    }
  }

  _release() {
    if (this._object === 0) return;
    addon.release(this._object);
    abandoned.unregister(this);
    this._object = 0;
  }

  _end() {
    this._ends++;
    this._exhausted = true;
    this._documents = [];
    this._at = 0;
    this._release();
  }

  _rewind() {
    this._end();
    this._begun = false;
    this._closed = false;
    this._exhausted = false;
  }
}

class FindCursor extends BaseCursor {
  constructor(collection, filter, options) {
    super(collection, filter, options);
    // The portion that is being read ahead, and the one that somebody waits for.
    this._ahead = null;
    this._awaited = null;
  }

  // Returns false, or a promise that there are more documents or nothing is left. Whoever asks
  // while a portion is awaited waits for the same one: afterwards, look again whether others have
  // taken its documents.
  _more() {
    if (this._exhausted || this._closed) return false;
    if (this._awaited === null) {
      const portion = this._readPortion();
      this._awaited = portion;
      const done = () => {
        if (this._awaited === portion) this._awaited = null;
      };
      portion.then(done, done);
    }
    return this._awaited;
  }

  async _readPortion() {
    const { _ends: ends } = this;
    const ahead = this._ahead ?? this._start();
    this._ahead = null;
    let reply;
    try {
      reply = await ahead;
    } catch (error) {
      if (ends !== this._ends) return true;
      this._end();
      throw error;
    }
    // It may have been closed meanwhile, and have begun again.
    if (ends !== this._ends) {
      const object = objectOf(reply);
      if (object !== 0) addon.release(object);
      return true;
    }
    this._take(reply, reply.length);
    // While these are looked at, the next ones are read.
    if (!this._exhausted && !this._closed) {
      this._ahead = this._collection._next(this._object);
      // Whoever takes it sees the error.
      this._ahead.catch(() => {});
    }
    return true;
  }

  _start() {
    this._begun = true;
    return this._collection._find(this._search);
  }

  async hasNext() {
    while (this._at >= this._documents.length) if (!(await this._more())) return false;
    return true;
  }

  async next() {
    while (this._at >= this._documents.length) if (!(await this._more())) return null;
    return this._made(this._documents[this._at++]);
  }

  async tryNext() {
    return this.next();
  }

  async toArray() {
    const all = [];
    for (;;) {
      if (this._at >= this._documents.length) {
        if (await this._more()) continue;
        break;
      }
      if (this._at === 0 && this._transform === null) {
        for (let index = 0; index < this._documents.length; index++) {
          all.push(this._documents[index]);
        }
      } else {
        for (; this._at < this._documents.length; this._at++) {
          all.push(this._made(this._documents[this._at]));
        }
      }
      this._documents = [];
      this._at = 0;
    }
    await this.close();
    return all;
  }

  // Ends early if `visit` returns false.
  async forEach(visit) {
    if (typeof visit !== 'function') throw new TypeError('forEach takes a function');
    for await (const document of this) if (visit(document) === false) break;
  }

  async count() {
    return this._collection.countDocuments(this._search.filter, this._search);
  }

  async explain() {
    return this._collection._run(undefined, verbs.explain, this._search);
  }

  async close() {
    this._closed = true;
    const { _ends: ends } = this;
    const used = this._ahead ?? this._awaited;
    this._ahead = null;
    // The search is not let go of while it is used.
    if (used !== null) await used.catch(() => {});
    if (ends === this._ends) this._end();
  }

  rewind() {
    const used = this._ahead ?? this._awaited;
    this._ahead = null;
    this._awaited = null;
    const object = this._object;
    if (used !== null && object !== 0) {
      abandoned.unregister(this);
      this._object = 0;
      used.catch(() => {}).finally(() => addon.release(object));
    }
    this._rewind();
  }

  stream(options) {
    const { Readable } = require('node:stream');
    const readable = Readable.from(this);
    return options?.transform ? readable.map(options.transform) : readable;
  }

  [Symbol.asyncIterator]() {
    return {
      next: () => {
        if (this._at < this._documents.length) {
          // No promise of an async function for each document.
          try {
            const value = this._made(this._documents[this._at++]);
            return Promise.resolve({ value, done: false });
          } catch (error) {
            return Promise.reject(error);
          }
        }
        return this._nextOfPortion();
      },
      return: async (value) => {
        await this.close();
        return { value, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async _nextOfPortion() {
    while (this._at >= this._documents.length) {
      if (await this._more()) continue;
      await this.close();
      return { value: undefined, done: true };
    }
    return { value: this._made(this._documents[this._at++]), done: false };
  }
}

class SyncFindCursor extends BaseCursor {
  _fill() {
    while (this._at >= this._documents.length) {
      if (this._exhausted || this._closed) return false;
      this._readPortion();
    }
    return true;
  }

  _readPortion() {
    try {
      let size;
      if (!this._begun) {
        this._begun = true;
        size = this._collection._findSync(this._search);
      } else {
        encoder.reset();
        size = call(this._object, OP.NEXT);
      }
      this._take(encoder.buffer, size);
      shrink();
    } catch (error) {
      this._end();
      throw error;
    }
  }

  hasNext() {
    return this._fill();
  }

  next() {
    if (this._at < this._documents.length || this._fill()) {
      return this._made(this._documents[this._at++]);
    }
    return null;
  }

  tryNext() {
    return this.next();
  }

  toArray() {
    let all = [];
    while (this._fill()) {
      if (all.length === 0 && this._at === 0) {
        all = this._documents;
      } else {
        for (; this._at < this._documents.length; this._at++) {
          all.push(this._documents[this._at]);
        }
      }
      this._documents = [];
      this._at = 0;
    }
    this.close();
    return this._transform === null ? all : all.map((document) => this._transform(document));
  }

  forEach(visit) {
    if (typeof visit !== 'function') throw new TypeError('forEach takes a function');
    for (const document of this) if (visit(document) === false) break;
  }

  count() {
    return this._collection.countDocuments(this._search.filter, this._search);
  }

  explain() {
    return this._collection._run(undefined, verbs.explain, this._search);
  }

  close() {
    this._closed = true;
    this._end();
  }

  rewind() {
    this._rewind();
  }

  *[Symbol.iterator]() {
    try {
      while (this._fill()) yield this._made(this._documents[this._at++]);
    } finally {
      this.close();
    }
  }
}

// On a Node.js without these symbols, whatever polyfills them uses the same.
if (Symbol.dispose) {
  SyncFindCursor.prototype[Symbol.dispose] = SyncFindCursor.prototype.close;
  FindCursor.prototype[Symbol.asyncDispose] = FindCursor.prototype.close;
}

module.exports = { FindCursor, SyncFindCursor };

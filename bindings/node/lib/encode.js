'use strict';
// From JavaScript's values to MessagePack, as NanoDB stores it.
//
//   value                                   bytes
//   --------------------------------------  -----------------------------------------------------
//   null, undefined                         null
//   true, false                             boolean
//   a safe integer, but not -0              integer, in its shortest form
//   any other number                        float of eight bytes
//   a BigInt of -2^63 to 2^64 - 1           integer
//   a string                                string, UTF-8; half a surrogate pair is U+FFFD
//   Buffer, Uint8Array, ArrayBuffer         binary
//   Date                                    extension -1, a timestamp
//   ObjectId                                extension 7, twelve bytes
//   UUID                                    extension 4, sixteen bytes
//   Ext                                     the extension that it is
//   an array                                array
//   any other object, a Map                 map of its own enumerable properties, in order
//   RegExp, in a filter                     {$regex, $options}
//
// Of the package `bson`: ObjectId, UUID, Binary, Double, Int32, Long and BSONRegExp, by their
// `_bsontype`. Whatever else has one is refused, and so are functions, symbols, sets, other typed
// arrays, promises, and cycles: with the path of the value.
//
// The buffer that is written to is the one that the addon reads from. It is replaced by a larger
// one when it is full; what is written there is copied.

const { types } = require('node:util');
const { makeObjectId, objectIdBytes, writeObjectId, ObjectId } = require('./object_id.js');
const { UUID, uuidBytes } = require('./uuid.js');
const { Ext } = require('./ext.js');
const { NanoDBError } = require('./errors.js');

const DEPTH_MAX = 100;
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

// No single scalar but strings, names and binary takes more.
const SCALAR_BYTES_MAX = 24;

// Shorter strings are written character by character: a call out of JavaScript would cost more.
const SHORT_MAX = 40;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

class Encoder {
  constructor(size) {
    this.buffer = Buffer.allocUnsafeSlow(size);
    this.at = 0;
    // Called with each new buffer.
    this.onGrow = null;
    // How often it was begun.
    this.generation = 0;
    this.ignoreUndefined = false;
    // Whether regular expressions are conditions.
    this.isQuery = false;
    this.depth = 0;
    // Where the document begins that is being encoded.
    this.start = 0;
    // The id of the document that was encoded last.
    this.id = undefined;
  }

  // Takes another buffer, and nothing of what is in this one.
  replace(size) {
    this.at = 0;
    this.buffer = Buffer.allocUnsafeSlow(size);
    if (this.onGrow !== null) this.onGrow(this.buffer);
  }

  // Begins at the front.
  reset() {
    this.generation++;
    this.at = 0;
    this.depth = 0;
    this.isQuery = false;
  }

  // Throws if it was begun again since: by a getter or a `toBSON` of what was being encoded, which
  // has called the database.
  check(generation) {
    if (this.generation !== generation) {
      throw new NanoDBError(
        'a getter or a `toBSON` of a document called the database while the document was encoded',
        'NANODB_INVALID',
      );
    }
  }

  // Makes room for so many bytes more.
  need(bytes) {
    if (this.at + bytes > this.buffer.length) this.grow(bytes);
  }

  grow(bytes) {
    // What is far larger than a document ends here: an array of billions of holes, or arrays that
    // hold each other many times over.
    if (this.at - this.start > DOCUMENT_BYTES_MAX + 1024) throw tooLarge(this.at - this.start);
    const needed = this.at + bytes + 1024;
    // Where that is seen next.
    const end = this.start + DOCUMENT_BYTES_MAX + 2048;
    let size = Math.max(this.buffer.length * 2, needed);
    if (needed <= end) size = Math.min(size, end);
    const larger = Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    if (this.onGrow !== null) this.onGrow(larger);
  }

  // Writes a document that is to be inserted. Its id comes first; if it has none and `makes` is
  // true, it gets a new ObjectId, which is put into the caller's object, too.
  insertable(document, makesId) {
    if (!isDocument(document)) throw notADocument(document);
    const { generation } = this;
    if (types.isMap(document) || typeof document.toBSON === 'function') {
      const made = plain(document);
      this.check(generation);
      return this.insertable(made, makesId);
    }
    // As the driver does, only undefined counts as missing.
    let id = document._id;
    if (id === undefined && makesId) {
      id = makeObjectId();
      document._id = id;
    }
    this.id = id;
    const start = this.at;
    this.start = start;
    try {
      this.fieldsOf(document, id);
    } catch (error) {
      this.depth = 0;
      throw located(error, '');
    }
    this.check(generation);
    // The database knows the exact size; here, none is sent that it would refuse anyhow.
    if (this.at - start > DOCUMENT_BYTES_MAX + 1024) {
      throw new NanoDBError(`the document ${tooLarge(this.at - start).message}`, 'NANODB_INVALID');
    }
  }

  // Writes a map with the id first, unless there is none.
  fieldsOf(document, id) {
    const names = Object.keys(document);
    let count = names.length;
    const ignores = this.ignoreUndefined;
    if (ignores) {
      for (let at = 0; at < names.length; at++) {
        if (document[names[at]] === undefined && names[at] !== '_id') count--;
      }
    }
    if (names.includes('_id')) count--;
    this.mapHeader(count + (id === undefined ? 0 : 1));
    this.depth++;
    if (id !== undefined) {
      this.name('_id');
      this.field(document, '_id', id);
    }
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      if (name === '_id') continue;
      const value = document[name];
      if (value === undefined && ignores) continue;
      this.name(name);
      this.field(document, name, value);
    }
    this.depth--;
  }

  // Writes a document as it is: a filter, an update, a replacement.
  document(document) {
    if (!isDocument(document)) throw notADocument(document);
    const { generation } = this;
    this.start = this.at;
    try {
      this.object(document);
    } catch (error) {
      this.depth = 0;
      throw located(error, '');
    }
    this.check(generation);
  }

  // Writes an update: regular expressions are conditions in `$pull` alone.
  update(document) {
    if (!isDocument(document)) throw notADocument(document);
    const { generation } = this;
    const names = Object.keys(document);
    this.start = this.at;
    try {
      this.enter();
      this.mapHeader(names.length);
      for (const name of names) {
        this.isQuery = name === '$pull';
        this.string(name);
        this.field(document, name, document[name]);
      }
      this.depth--;
    } catch (error) {
      this.depth = 0;
      throw located(error, '');
    }
    this.check(generation);
  }

  // Writes any value.
  any(value) {
    const { generation } = this;
    this.start = this.at;
    try {
      this.value(value);
    } catch (error) {
      this.depth = 0;
      throw located(error, '');
    }
    this.check(generation);
  }

  field(holder, name, value) {
    switch (typeof value) {
      case 'string':
        this.string(value);
        return;
      case 'number':
        this.number(value);
        return;
      default:
        try {
          this.value(value);
        } catch (error) {
          throw located(error, name);
        }
    }
  }

  value(value) {
    switch (typeof value) {
      case 'string':
        this.string(value);
        return;
      case 'number':
        this.number(value);
        return;
      case 'boolean':
        this.need(1);
        this.buffer[this.at++] = value ? 0xc3 : 0xc2;
        return;
      case 'object':
        if (value === null) {
          this.need(1);
          this.buffer[this.at++] = 0xc0;
        } else {
          this.object(value);
        }
        return;
      case 'undefined':
        this.need(1);
        this.buffer[this.at++] = 0xc0;
        return;
      case 'bigint':
        this.bigint(value);
        return;
      default:
        throw refused(value);
    }
  }

  object(value) {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      if (typeof value.toBSON === 'function') this.value(plain(value));
      else if (value._bsontype === undefined) this.map(value);
      else this.foreign(value);
    } else if (Array.isArray(value)) {
      this.array(value);
    } else if (value instanceof ObjectId) {
      this.objectId(value);
    } else if (value instanceof Date) {
      this.date(value);
    } else if (value instanceof Uint8Array) {
      this.binary(value);
    } else if (value instanceof UUID) {
      this.uuid(value.id);
    } else if (value instanceof Ext) {
      this.ext(value);
    } else {
      this.other(value);
    }
  }

  // Objects of other classes.
  other(value) {
    if (value._bsontype !== undefined) this.foreign(value);
    else if (typeof value.toBSON === 'function') this.value(plain(value));
    else if (types.isMap(value)) this.map(plain(value));
    else if (types.isRegExp(value)) this.regex(value.source, optionsOf(value));
    else if (types.isArrayBuffer(value)) this.binary(new Uint8Array(value));
    else if (types.isBoxedPrimitive(value)) this.value(value.valueOf());
    // Those of another realm, such as a `vm` context, are no instances of the classes here.
    else if (types.isDate(value)) this.date(value);
    else if (types.isUint8Array(value)) this.binary(value);
    else if (isRefused(value)) throw refused(value);
    else this.map(value);
  }

  // Objects of the package `bson`, of whichever version.
  foreign(value) {
    switch (value._bsontype) {
      case 'ObjectId':
      case 'ObjectID': {
        const bytes = objectIdBytes(value);
        if (bytes === null) throw refused(value);
        this.objectId(new ObjectId(bytes));
        return;
      }
      case 'Binary': {
        const uuid = uuidBytes(value);
        if (uuid !== null) this.uuid(uuid);
        else if (value.sub_type === 0) this.binary(value.buffer.subarray(0, value.position));
        else throw refused(value);
        return;
      }
      case 'UUID':
        this.uuid(value.id);
        return;
      case 'Double':
        this.double(value.valueOf());
        return;
      case 'Int32':
        this.number(value.valueOf());
        return;
      case 'Long':
        this.bigint(BigInt(value.toString()));
        return;
      case 'BSONRegExp':
        this.regex(value.pattern, value.options);
        return;
      default:
        throw refused(value);
    }
  }

  map(value) {
    const names = Object.keys(value);
    const ignores = this.ignoreUndefined;
    let count = names.length;
    if (ignores) {
      for (let at = 0; at < names.length; at++) if (value[names[at]] === undefined) count--;
    }
    this.enter();
    this.mapHeader(count);
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      const inner = value[name];
      if (inner === undefined && ignores) continue;
      this.name(name);
      this.field(value, name, inner);
    }
    this.depth--;
  }

  array(value) {
    this.enter();
    const length = value.length;
    if (length > DOCUMENT_BYTES_MAX) throw tooLarge(length);
    this.need(5);
    const buffer = this.buffer;
    if (length < 16) {
      buffer[this.at++] = 0x90 | length;
    } else if (length < 0x10000) {
      buffer[this.at++] = 0xdc;
      buffer[this.at++] = length >>> 8;
      buffer[this.at++] = length;
    } else {
      buffer[this.at++] = 0xdd;
      this.at = buffer.writeUInt32BE(length, this.at);
    }
    for (let index = 0; index < length; index++) {
      const element = value[index];
      if (typeof element === 'string') this.string(element);
      else if (typeof element === 'number') this.number(element);
      else {
        try {
          this.value(element);
        } catch (error) {
          throw located(error, String(index));
        }
      }
    }
    this.depth--;
  }

  // A cycle, too, ends here.
  enter() {
    if (++this.depth > DEPTH_MAX) {
      throw invalidValue(`nests deeper than ${DEPTH_MAX} levels, or within itself`);
    }
  }

  mapHeader(count) {
    this.need(5);
    const buffer = this.buffer;
    if (count < 16) {
      buffer[this.at++] = 0x80 | count;
    } else if (count < 0x10000) {
      buffer[this.at++] = 0xde;
      buffer[this.at++] = count >>> 8;
      buffer[this.at++] = count;
    } else {
      buffer[this.at++] = 0xdf;
      this.at = buffer.writeUInt32BE(count, this.at);
    }
  }

  name(name) {
    this.string(name);
  }

  string(text) {
    const length = text.length;
    if (length > SHORT_MAX) {
      this.longString(text);
      return;
    }
    this.need(length * 3 + 3);
    const buffer = this.buffer;
    // A header of one byte is right unless there are 32 bytes, which the ASCII case knows.
    const start = this.at;
    let at = start + (length < 32 ? 1 : 2);
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.longString(text);
        return;
      }
      buffer[at++] = code;
    }
    if (length < 32) {
      buffer[start] = 0xa0 | length;
    } else {
      buffer[start] = 0xd9;
      buffer[start + 1] = length;
    }
    this.at = at;
  }

  longString(text) {
    if (text.length > DOCUMENT_BYTES_MAX) throw tooLarge(text.length);
    const most = text.length * 3;
    this.need(most + 5);
    const buffer = this.buffer;
    const start = this.at;
    // Where the text goes if it is ASCII; if it is not, it may have to move.
    const guess = headerBytes(text.length);
    const bytes = buffer.utf8Write(text, start + guess);
    const header = headerBytes(bytes);
    if (header !== guess) buffer.copyWithin(start + header, start + guess, start + guess + bytes);
    if (header === 1) {
      buffer[start] = 0xa0 | bytes;
    } else if (header === 2) {
      buffer[start] = 0xd9;
      buffer[start + 1] = bytes;
    } else if (header === 3) {
      buffer[start] = 0xda;
      buffer[start + 1] = bytes >>> 8;
      buffer[start + 2] = bytes;
    } else {
      buffer[start] = 0xdb;
      buffer.writeUInt32BE(bytes, start + 1);
    }
    this.at = start + header + bytes;
  }

  number(value) {
    this.need(SCALAR_BYTES_MAX);
    const buffer = this.buffer;
    if ((value | 0) === value) {
      // All of 32 bits, and -0, which is no integer.
      if (value > 0 || (value === 0 && !Object.is(value, -0))) {
        if (value < 0x80) {
          buffer[this.at++] = value;
        } else if (value < 0x100) {
          buffer[this.at++] = 0xcc;
          buffer[this.at++] = value;
        } else if (value < 0x10000) {
          buffer[this.at++] = 0xcd;
          buffer[this.at++] = value >>> 8;
          buffer[this.at++] = value;
        } else {
          this.uint32(0xce, value);
        }
        return;
      }
      if (value < 0) {
        if (value >= -32) {
          buffer[this.at++] = value;
        } else if (value >= -0x80) {
          buffer[this.at++] = 0xd0;
          buffer[this.at++] = value;
        } else if (value >= -0x8000) {
          buffer[this.at++] = 0xd1;
          buffer[this.at++] = value >>> 8;
          buffer[this.at++] = value;
        } else {
          this.uint32(0xd2, value);
        }
        return;
      }
    } else if (Number.isSafeInteger(value) && value !== 0) {
      if (value > 0 && value <= 0xffffffff) {
        this.uint32(0xce, value);
      } else {
        // Two's complement, in two halves.
        const high = Math.floor(value / 0x100000000);
        this.uint32(value < 0 ? 0xd3 : 0xcf, high);
        this.uint32Only(value - high * 0x100000000);
      }
      return;
    }
    this.double(value);
  }

  uint32(marker, value) {
    this.buffer[this.at++] = marker;
    this.uint32Only(value);
  }

  uint32Only(value) {
    const buffer = this.buffer;
    buffer[this.at++] = value >>> 24;
    buffer[this.at++] = value >>> 16;
    buffer[this.at++] = value >>> 8;
    buffer[this.at++] = value;
  }

  double(value) {
    this.need(SCALAR_BYTES_MAX);
    const buffer = this.buffer;
    let at = this.at;
    float[0] = value;
    buffer[at++] = 0xcb;
    buffer[at++] = floatBytes[7];
    buffer[at++] = floatBytes[6];
    buffer[at++] = floatBytes[5];
    buffer[at++] = floatBytes[4];
    buffer[at++] = floatBytes[3];
    buffer[at++] = floatBytes[2];
    buffer[at++] = floatBytes[1];
    buffer[at++] = floatBytes[0];
    this.at = at;
  }

  bigint(value) {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      this.number(Number(value));
      return;
    }
    if (value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw invalidValue(`is ${value}, which is no integer of 64 bits`);
    }
    this.need(SCALAR_BYTES_MAX);
    this.buffer[this.at++] = value < 0n ? 0xd3 : 0xcf;
    this.at = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), this.at);
  }

  objectId(id) {
    this.need(SCALAR_BYTES_MAX);
    const buffer = this.buffer;
    buffer[this.at] = 0xc7;
    buffer[this.at + 1] = 12;
    buffer[this.at + 2] = 7;
    writeObjectId(id, buffer, this.at + 3);
    this.at += 15;
  }

  uuid(bytes) {
    this.need(SCALAR_BYTES_MAX);
    this.buffer[this.at++] = 0xd8;
    this.buffer[this.at++] = 4;
    this.buffer.set(bytes, this.at);
    this.at += 16;
  }

  date(value) {
    const millis = value.getTime();
    if (Number.isNaN(millis)) throw invalidValue('is an invalid Date');
    this.need(SCALAR_BYTES_MAX);
    const buffer = this.buffer;
    const secs = Math.floor(millis / 1000);
    const nanos = (millis - secs * 1000) * 1_000_000;
    const high = Math.floor(secs / 0x100000000);
    if (high === 0 && nanos === 0) {
      buffer[this.at++] = 0xd6;
      buffer[this.at++] = 0xff;
      this.uint32Only(secs);
    } else if (high >= 0 && high < 4) {
      buffer[this.at++] = 0xd7;
      buffer[this.at++] = 0xff;
      this.uint32Only(nanos * 4 + high);
      this.uint32Only(secs - high * 0x100000000);
    } else {
      buffer[this.at++] = 0xc7;
      buffer[this.at++] = 12;
      buffer[this.at++] = 0xff;
      this.uint32Only(nanos);
      this.uint32Only(high);
      this.uint32Only(secs - high * 0x100000000);
    }
  }

  binary(bytes) {
    const size = bytes.byteLength;
    if (size > DOCUMENT_BYTES_MAX) throw tooLarge(size);
    this.need(size + 5);
    const buffer = this.buffer;
    if (size < 0x100) {
      buffer[this.at++] = 0xc4;
      buffer[this.at++] = size;
    } else if (size < 0x10000) {
      buffer[this.at++] = 0xc5;
      buffer[this.at++] = size >>> 8;
      buffer[this.at++] = size;
    } else {
      buffer[this.at++] = 0xc6;
      this.uint32Only(size);
    }
    buffer.set(bytes, this.at);
    this.at += size;
  }

  ext({ type, data }) {
    if (!Number.isInteger(type) || type < -128 || type > 127 || !(data instanceof Uint8Array)) {
      throw invalidValue('is an Ext whose type or data cannot be');
    }
    this.need(data.byteLength + 6);
    const power = [1, 2, 4, 8, 16].indexOf(data.byteLength);
    if (power >= 0) {
      this.buffer[this.at++] = 0xd4 + power;
    } else if (data.byteLength < 0x100) {
      this.buffer[this.at++] = 0xc7;
      this.buffer[this.at++] = data.byteLength;
    } else {
      // The database writes the shorter of these two.
      this.buffer[this.at++] = 0xc9;
      this.uint32Only(data.byteLength);
    }
    this.buffer[this.at++] = type;
    this.buffer.set(data, this.at);
    this.at += data.byteLength;
  }

  regex(source, options) {
    if (!this.isQuery) {
      throw invalidValue('is a regular expression, which can be searched for, but not stored');
    }
    this.mapHeader(options === '' ? 1 : 2);
    this.string('$regex');
    this.string(source);
    if (options !== '') {
      this.string('$options');
      this.string(options);
    }
  }
}

function headerBytes(bytes) {
  if (bytes < 32) return 1;
  if (bytes < 0x100) return 2;
  return bytes < 0x10000 ? 3 : 5;
}

function optionsOf(regex) {
  let options = '';
  if (regex.ignoreCase) options += 'i';
  if (regex.multiline) options += 'm';
  if (regex.dotAll) options += 's';
  return options;
}

function isDocument(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // The fields of these, if any, are not what is meant: a promise was not awaited.
  return !(Array.isArray(value) || types.isDate(value) || types.isRegExp(value) ||
    types.isArrayBuffer(value) || value instanceof Ext || value._bsontype !== undefined ||
    types.isBoxedPrimitive(value) || isRefused(value));
}

// Returns what stands for an object that has `toBSON`, or is a map.
function plain(value) {
  if (typeof value.toBSON === 'function') {
    const made = value.toBSON();
    if (made === value || (typeof made === 'object' && made !== null && made.toBSON)) {
      throw invalidValue('has a method toBSON that returns another object with one');
    }
    return made;
  }
  const made = Object.create(null);
  for (const [name, inner] of value) {
    if (typeof name !== 'string') throw invalidValue(`is a Map with the key ${String(name)}`);
    made[name] = inner;
  }
  return made;
}

function isRefused(value) {
  return types.isSet(value) || types.isWeakMap(value) || types.isWeakSet(value) ||
    types.isPromise(value) || value instanceof Error || types.isNativeError(value) ||
    ArrayBuffer.isView(value) || types.isSharedArrayBuffer(value) ||
    types.isMapIterator(value) || types.isSetIterator(value) || types.isGeneratorObject(value) ||
    typeof value.then === 'function';
}

// An error whose text is completed with the path of the value on the way out.
class ValueError extends Error {
  constructor(problem) {
    super(problem);
    this.path = [];
  }
}

function invalidValue(problem) {
  return new ValueError(problem);
}

function refused(value) {
  if (typeof value === 'object' && typeof value.then === 'function') {
    return invalidValue('is a promise, which cannot be stored: await it first');
  }
  const type = typeof value === 'object'
    ? `a ${value._bsontype ?? value.constructor?.name ?? 'object'}`
    : `a ${typeof value}`;
  return invalidValue(`is ${type}, which cannot be stored`);
}

function tooLarge(bytes) {
  return invalidValue(`takes ${bytes} bytes, more than the ${DOCUMENT_BYTES_MAX} allowed`);
}

function notADocument(value) {
  let type;
  if (value === null || value === undefined) type = String(value);
  else if (Array.isArray(value)) type = 'an array';
  else if (typeof value !== 'object') type = `a ${typeof value}`;
  else type = `of the class ${value.constructor?.name ?? 'object'}`;
  return new NanoDBError(`a document must be an object, not ${type}`, 'NANODB_INVALID');
}

// Adds a step to an error's path; the empty one is the last, and makes it what the caller sees.
function located(error, step) {
  if (!(error instanceof ValueError)) return error;
  if (step !== '') {
    // Of a cycle, the end is what is of interest; of its path, a part.
    if (error.path.length < DEPTH_MAX + 1) error.path.unshift(step);
    return error;
  }
  let path = error.path.join('.');
  if (path.length > 200) path = `${path.slice(0, 200)}...`;
  const place = path === '' ? 'the value' : `the value at \`${path}\``;
  const made = new NanoDBError(`${place} ${error.message}`, 'NANODB_INVALID');
  made.path = path;
  return made;
}

module.exports = { Encoder, DOCUMENT_BYTES_MAX };

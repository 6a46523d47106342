'use strict';
// ObjectIds, the ids that MongoDB's drivers make: twelve bytes, with the methods of the class of
// the same name in the package `bson`.
//
// The bytes are kept as four small integers of three bytes each: these cost nothing to make, and
// most ids that are read are never looked at.

const { randomBytes } = require('node:crypto');

const A = Symbol('a');
const B = Symbol('b');
const C = Symbol('c');
const D = Symbol('d');

// Says that the other arguments of the constructor are the four integers.
const PARTS = Symbol('parts');

const HEX = [];
for (let byte = 0; byte < 256; byte++) HEX.push(byte.toString(16).padStart(2, '0'));

// Four bytes of time, five of this process, three that count: as MongoDB specifies.
let machine = -1;
let thread = 0;
let count = 0;

class ObjectId {
  constructor(from, a, b, c, d) {
    if (from === PARTS) {
      this[A] = a;
      this[B] = b;
      this[C] = c;
      this[D] = d;
      return;
    }
    let bytes = null;
    if (from === undefined || from === null || typeof from === 'number') {
      bytes = ObjectId.generate(from ?? undefined);
    } else if (typeof from === 'string') {
      if (isHex24(from)) bytes = Buffer.from(from, 'hex');
    } else if (from instanceof Uint8Array) {
      if (from.byteLength === 12) bytes = from;
    } else {
      bytes = bytesOf(from);
    }
    if (bytes === null) throw invalid(from);
    this[A] = (bytes[0] << 16) | (bytes[1] << 8) | bytes[2];
    this[B] = (bytes[3] << 16) | (bytes[4] << 8) | bytes[5];
    this[C] = (bytes[6] << 16) | (bytes[7] << 8) | bytes[8];
    this[D] = (bytes[9] << 16) | (bytes[10] << 8) | bytes[11];
  }

  get _bsontype() {
    return 'ObjectId';
  }

  get id() {
    const bytes = Buffer.allocUnsafe(12);
    write(this, bytes, 0);
    return bytes;
  }

  static generate(seconds = Math.floor(Date.now() / 1000)) {
    const bytes = Buffer.allocUnsafe(12);
    write(make(seconds), bytes, 0);
    return bytes;
  }

  static createFromHexString(text) {
    if (typeof text !== 'string') throw invalid(text);
    return new ObjectId(text);
  }

  static createFromBase64(text) {
    if (typeof text !== 'string' || text.length !== 16) throw invalid(text);
    return new ObjectId(Buffer.from(text, 'base64'));
  }

  static createFromTime(seconds) {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt32BE(seconds >>> 0, 0);
    return new ObjectId(bytes);
  }

  static isValid(id) {
    if (id === undefined || id === null) return false;
    if (typeof id === 'string') return isHex24(id);
    if (typeof id === 'number') return true;
    if (id instanceof Uint8Array) return id.byteLength === 12;
    return isObjectId(id);
  }

  toHexString() {
    return hex(this[A]) + hex(this[B]) + hex(this[C]) + hex(this[D]);
  }

  toString(encoding) {
    return encoding === 'base64' ? this.id.toString('base64') : this.toHexString();
  }

  toJSON() {
    return this.toHexString();
  }

  equals(other) {
    if (other === undefined || other === null) return false;
    if (other instanceof ObjectId) {
      return this[D] === other[D] && this[C] === other[C] && this[B] === other[B] &&
        this[A] === other[A];
    }
    if (typeof other === 'string') return other.toLowerCase() === this.toHexString();
    const bytes = bytesOf(other);
    return bytes !== null && this.id.equals(bytes);
  }

  getTimestamp() {
    return new Date((this[A] * 256 + (this[B] >>> 16)) * 1000);
  }

  inspect() {
    return `new ObjectId('${this.toHexString()}')`;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.inspect();
  }
}

// Returns a new id.
function make(seconds = Math.floor(Date.now() / 1000)) {
  if (machine < 0) {
    const random = randomBytes(8);
    machine = random.readUInt16BE(0);
    thread = random.readUIntBE(2, 3);
    count = random.readUIntBE(5, 3);
  }
  count = (count + 1) & 0xffffff;
  const b = ((seconds & 0xff) << 16) | machine;
  return new ObjectId(PARTS, (seconds >>> 8) & 0xffffff, b, thread, count);
}

// Returns the id of the twelve bytes at `at`.
function read(bytes, at) {
  return new ObjectId(
    PARTS,
    (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2],
    (bytes[at + 3] << 16) | (bytes[at + 4] << 8) | bytes[at + 5],
    (bytes[at + 6] << 16) | (bytes[at + 7] << 8) | bytes[at + 8],
    (bytes[at + 9] << 16) | (bytes[at + 10] << 8) | bytes[at + 11],
  );
}

// Writes an id's twelve bytes at `at`.
function write(id, bytes, at) {
  const a = id[A];
  const b = id[B];
  const c = id[C];
  const d = id[D];
  bytes[at] = a >>> 16;
  bytes[at + 1] = a >>> 8;
  bytes[at + 2] = a;
  bytes[at + 3] = b >>> 16;
  bytes[at + 4] = b >>> 8;
  bytes[at + 5] = b;
  bytes[at + 6] = c >>> 16;
  bytes[at + 7] = c >>> 8;
  bytes[at + 8] = c;
  bytes[at + 9] = d >>> 16;
  bytes[at + 10] = d >>> 8;
  bytes[at + 11] = d;
}

// Returns whether a value is an ObjectId, of this class or of a `bson` package's.
function isObjectId(value) {
  return value instanceof ObjectId || bytesOf(value) !== null;
}

// Returns the bytes of an ObjectId, or null if the value is none.
function bytesOf(value) {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof ObjectId) return value.id;
  if (value._bsontype !== 'ObjectId' && value._bsontype !== 'ObjectID') return null;
  const bytes = value.id;
  return bytes instanceof Uint8Array && bytes.byteLength === 12 ? bytes : null;
}

function hex(part) {
  return HEX[part >>> 16] + HEX[(part >>> 8) & 0xff] + HEX[part & 0xff];
}

function isHex24(text) {
  return text.length === 24 && /^[0-9a-fA-F]{24}$/.test(text);
}

function invalid(from) {
  const shown = typeof from === 'string' ? JSON.stringify(from) : String(from);
  const error = new TypeError(
    `${shown} is not an ObjectId: neither 24 hexadecimal digits nor 12 bytes nor an integer`,
  );
  error.code = 'NANODB_INVALID';
  return error;
}

module.exports = {
  ObjectId,
  makeObjectId: make,
  readObjectId: read,
  writeObjectId: write,
  objectIdBytes: bytesOf,
};

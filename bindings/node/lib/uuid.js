'use strict';
// UUIDs: sixteen bytes, with the methods of the class of the same name in the package `bson`.

const { randomUUID } = require('node:crypto');

const TEXT = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BYTES = Symbol('bytes');

class UUID {
  constructor(from) {
    if (from === undefined || from === null) {
      this[BYTES] = UUID.generate();
    } else if (typeof from === 'string') {
      if (!TEXT.test(from)) throw invalid(JSON.stringify(from));
      this[BYTES] = Buffer.from(from.replaceAll('-', ''), 'hex');
    } else if (from instanceof Uint8Array && from.byteLength === 16) {
      this[BYTES] = Buffer.from(from);
    } else {
      const bytes = bytesOf(from);
      if (bytes === null) throw invalid(String(from));
      this[BYTES] = Buffer.from(bytes);
    }
  }

  get _bsontype() {
    return 'Binary';
  }

  // What `bson`'s serialiser reads of a `Binary`.
  get sub_type() {
    return 4;
  }

  get buffer() {
    return this[BYTES];
  }

  get position() {
    return 16;
  }

  get id() {
    return this[BYTES];
  }

  static generate() {
    return Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  }

  static createFromHexString(text) {
    return new UUID(text);
  }

  static isValid(value) {
    if (typeof value === 'string') return TEXT.test(value);
    if (value instanceof Uint8Array) return value.byteLength === 16;
    return bytesOf(value) !== null;
  }

  toHexString(withDashes = true) {
    const hex = this[BYTES].toString('hex');
    if (!withDashes) return hex;
    return [0, 8, 12, 16, 20]
      .map((start, at, starts) => hex.slice(start, starts[at + 1] ?? 32))
      .join('-');
  }

  toString(encoding) {
    if (encoding === 'hex' || encoding === 'base64') return this[BYTES].toString(encoding);
    return this.toHexString();
  }

  toJSON() {
    return this.toHexString();
  }

  equals(other) {
    if (other === undefined || other === null) return false;
    if (typeof other === 'string') {
      return TEXT.test(other) && this.equals(new UUID(other));
    }
    const bytes = other instanceof Uint8Array ? other : bytesOf(other);
    return bytes !== null && bytes.byteLength === 16 && this[BYTES].equals(bytes);
  }

  inspect() {
    return `new UUID('${this.toHexString()}')`;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.inspect();
  }
}

// Returns the object with these sixteen bytes, which it keeps.
function fromBytes(bytes) {
  const uuid = Object.create(UUID.prototype);
  uuid[BYTES] = bytes;
  return uuid;
}

// Returns the bytes of a UUID, of this class or of a `bson` package's, or null.
function bytesOf(value) {
  if (value instanceof UUID) return value[BYTES];
  if (typeof value !== 'object' || value === null) return null;
  if (value._bsontype !== 'Binary' || value.sub_type !== 4) return null;
  const bytes = value.buffer;
  if (!(bytes instanceof Uint8Array)) return null;
  const used = bytes.subarray(0, value.position ?? bytes.byteLength);
  return used.byteLength === 16 ? used : null;
}

function invalid(shown) {
  const error = new TypeError(`${shown} is not a UUID`);
  error.code = 'NANODB_INVALID';
  return error;
}

module.exports = { UUID, uuidFromBytes: fromBytes, uuidBytes: bytesOf };

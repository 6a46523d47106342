'use strict';
// From MessagePack, as NanoDB stores it, to JavaScript's values: the other way of `encode.js`.
//
// Integers that are not safe become BigInts, binary becomes a Buffer of its own, timestamps become
// Dates, rounded down to milliseconds; an extension that has no type here becomes an `Ext`.
//
// Documents that lie next to each other mostly have the same fields. A *shape* is a list of names;
// a *site* is a place where maps are read, such as the top, or the field `address` of a shape. It
// remembers which shapes were met there. Once a shape has been met a few times, a function is
// compiled that expects its names and makes the whole object at once. Where it meets others it
// gives up, and the map is read name by name.

const { SHORT_STRING_MAX, shortString, mapReader } = require('./codegen.js');
const { readObjectId } = require('./object_id.js');
const { uuidFromBytes } = require('./uuid.js');
const { Ext } = require('./ext.js');
const { NanoDBError } = require('./errors.js');

// How often a shape is met before a function is compiled for it.
const COMPILE_AFTER = 8;

// How many shapes a decoder knows.
const SHAPES_MAX = 512;

// How many shapes a site expects.
const SHAPES_OF_SITE_MAX = 4;

// After so many maps with other names than expected, it is looked at whether expecting any is worth
// it: for a site where more than one of so many documents has others, it is not.
const MISSES_MAX = 64;
const DOCUMENTS_PER_MISS = 4;

const MISS = Symbol('miss');

const NAME_CACHE_SIZE = 2048;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

class Site {
  constructor() {
    this.shape0 = null;
    this.others = null;
    this.misses = 0;
    // How many documents the decoder had read when these began to be counted.
    this.since = 0;
    this.isOff = false;
  }
}

class Shape {
  constructor(keys, names) {
    this.keys = keys;
    this.names = names;
    this.count = keys.length;
    this.met = 0;
    this.read = null;
    this.isCompiled = false;
    this.sites = new Array(keys.length).fill(null);
  }
}

// What decoders of a thread share: names, and shapes by their names.
const nameCache = new Array(NAME_CACHE_SIZE).fill(null);

class Decoder {
  constructor() {
    this.buffer = Buffer.alloc(0);
    this.at = 0;
    this.top = new Site();
    this.elements = new Site();
    this.shapes = new Map();
    // How many documents were read.
    this.count = 0;
    // Whether all integers beyond 32 bits are BigInts.
    this.usesBigInt = false;
  }

  // Reads the documents of a part of a buffer, and appends them.
  documents(buffer, start, end, out) {
    this.buffer = buffer;
    this.at = start;
    const { top } = this;
    while (this.at < end) {
      this.count++;
      out.push(this.map(this.mapHeader(), top));
    }
  }

  // Reads documents, or null in the place of one, and appends them.
  each(buffer, start, end, out) {
    this.buffer = buffer;
    this.at = start;
    while (this.at < end) {
      if (buffer[this.at] === 0xc0) {
        this.at++;
        out.push(null);
      } else {
        this.count++;
        out.push(this.map(this.mapHeader(), this.top));
      }
    }
  }

  // Reads the document that begins at `start`.
  document(buffer, start) {
    this.buffer = buffer;
    this.at = start;
    this.count++;
    return this.map(this.mapHeader(), this.top);
  }

  mapHeader() {
    const token = this.buffer[this.at++];
    if (token >= 0x80 && token < 0x90) return token & 0x0f;
    if (token === 0xde) return this.uint(2);
    if (token === 0xdf) return this.uint(4);
    throw damaged();
  }

  // Reads a map of so many fields, after its header.
  map(count, site) {
    if (!site.isOff) {
      const shape = site.shape0;
      if (shape !== null && shape.count === count && shape.read !== null) {
        const read = shape.read(this, shape);
        if (read !== MISS) return read;
      }
      return this.mapOfOther(count, site);
    }
    return this.mapByName(count, null);
  }

  // Of other names than were expected first.
  mapOfOther(count, site) {
    const { others } = site;
    if (others !== null) {
      for (let at = 0; at < others.length; at++) {
        const shape = others[at];
        if (shape.count !== count || shape.read === null) continue;
        const read = shape.read(this, shape);
        if (read !== MISS) {
          others[at] = site.shape0;
          site.shape0 = shape;
          return read;
        }
      }
    }
    return this.mapByName(count, site);
  }

  mapByName(count, site) {
    const made = {};
    if (site === null || count === 0 || count > 64) {
      for (let index = 0; index < count; index++) {
        const name = this.name();
        const value = this.value(this.elements);
        if (name === '__proto__') define(made, value);
        else made[name] = value;
      }
      return made;
    }
    const { buffer } = this;
    const keys = new Array(count);
    const names = new Array(count);
    for (let index = 0; index < count; index++) {
      const start = this.at;
      const name = this.name();
      keys[index] = name;
      names[index] = buffer.subarray(start, this.at);
      const value = this.value(this.elements);
      if (name === '__proto__') define(made, value);
      else made[name] = value;
    }
    this.learn(site, keys, names);
    return made;
  }

  // Notes that a map of these names was met at a site.
  learn(site, keys, names) {
    const { shape0 } = site;
    if (shape0 !== null && ++site.misses > MISSES_MAX) {
      if (this.count - site.since < MISSES_MAX * DOCUMENTS_PER_MISS) {
        site.isOff = true;
        site.shape0 = null;
        site.others = null;
        return;
      }
      site.misses = 0;
      site.since = this.count;
    }
    const text = keys.join('\0');
    let shape = this.shapes.get(text);
    if (shape === undefined) {
      if (this.shapes.size >= SHAPES_MAX) return;
      // The buffer is used again, or is large.
      shape = new Shape(keys, names.map((name) => Uint8Array.from(name)));
      this.shapes.set(text, shape);
    }
    if (++shape.met < COMPILE_AFTER) return;
    if (!shape.isCompiled) {
      shape.isCompiled = true;
      shape.read = mapReader(shape.keys, shape.names, MISS);
    }
    if (shape.read === null) return;
    if (shape0 === null) {
      site.shape0 = shape;
    } else if (shape0 !== shape) {
      site.others ??= [];
      if (!site.others.includes(shape)) {
        if (site.others.length >= SHAPES_OF_SITE_MAX - 1) site.others.shift();
        site.others.push(shape);
      }
    }
  }

  // Reads the value of a shape's field.
  valueAt(shape, index) {
    const token = this.buffer[this.at];
    if (token < 0x80) {
      this.at++;
      return token;
    }
    if (token < 0xa0 || token >= 0xdc && token <= 0xdf) {
      const site = shape.sites[index] ?? (shape.sites[index] = new Site());
      return this.value(site);
    }
    return this.value(this.elements);
  }

  // Reads a value; `site` is where its maps, or those of its array, are.
  value(site) {
    const { buffer } = this;
    const token = buffer[this.at++];
    if (token < 0x80) return token;
    if (token < 0x90) return this.map(token & 0x0f, site);
    if (token < 0xa0) return this.array(token & 0x0f, site);
    if (token < 0xc0) return this.string(token & 0x1f);
    if (token >= 0xe0) return token - 0x100;
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.binary(this.uint(1));
      case 0xc5:
        return this.binary(this.uint(2));
      case 0xc6:
        return this.binary(this.uint(4));
      case 0xc7:
        return this.extension(this.uint(1));
      case 0xc8:
        return this.extension(this.uint(2));
      case 0xc9:
        return this.extension(this.uint(4));
      case 0xca: {
        const at = this.at;
        this.at = at + 4;
        return buffer.readFloatBE(at);
      }
      case 0xcb:
        return this.double();
      case 0xcc:
        return this.uint(1);
      case 0xcd:
        return this.uint(2);
      case 0xce:
        return this.wide(this.uint(4));
      case 0xcf:
        return this.uint64();
      case 0xd0:
        return (this.uint(1) << 24) >> 24;
      case 0xd1:
        return (this.uint(2) << 16) >> 16;
      case 0xd2:
        return this.uint(4) | 0;
      case 0xd3:
        return this.int64();
      case 0xd4:
        return this.extension(1);
      case 0xd5:
        return this.extension(2);
      case 0xd6:
        return this.extension(4);
      case 0xd7:
        return this.extension(8);
      case 0xd8:
        return this.extension(16);
      case 0xd9:
        return this.string(this.uint(1));
      case 0xda:
        return this.string(this.uint(2));
      case 0xdb:
        return this.string(this.uint(4));
      case 0xdc:
        return this.array(this.uint(2), site);
      case 0xdd:
        return this.array(this.uint(4), site);
      case 0xde:
        return this.map(this.uint(2), site);
      case 0xdf:
        return this.map(this.uint(4), site);
      default:
        throw damaged();
    }
  }

  // Reads an unsigned integer of one, two or four bytes.
  uint(bytes) {
    const { buffer, at } = this;
    this.at = at + bytes;
    if (bytes === 1) return buffer[at];
    if (bytes === 2) return (buffer[at] << 8) | buffer[at + 1];
    return buffer[at] * 0x1000000 +
      ((buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]);
  }

  // An integer of four bytes is wide if a signed one would not hold it.
  wide(number) {
    return this.usesBigInt && number > 0x7fffffff ? BigInt(number) : number;
  }

  uint64() {
    const high = this.uint(4);
    const low = this.uint(4);
    if (high < 0x200000 && !this.usesBigInt) return high * 0x100000000 + low;
    return (BigInt(high) << 32n) | BigInt(low);
  }

  int64() {
    const high = this.uint(4) | 0;
    const low = this.uint(4);
    // -2^53 itself is not safe.
    if (high >= -0x200000 && high < 0x200000 && !this.usesBigInt) {
      const number = high * 0x100000000 + low;
      if (number >= Number.MIN_SAFE_INTEGER) return number;
    }
    return (BigInt(high) << 32n) | BigInt(low);
  }

  double() {
    const { buffer, at } = this;
    this.at = at + 8;
    floatBytes[7] = buffer[at];
    floatBytes[6] = buffer[at + 1];
    floatBytes[5] = buffer[at + 2];
    floatBytes[4] = buffer[at + 3];
    floatBytes[3] = buffer[at + 4];
    floatBytes[2] = buffer[at + 5];
    floatBytes[1] = buffer[at + 6];
    floatBytes[0] = buffer[at + 7];
    return float[0];
  }

  string(bytes) {
    const { buffer, at } = this;
    const end = at + bytes;
    this.at = end;
    if (bytes <= SHORT_STRING_MAX && shortString !== null) {
      const text = shortString(buffer, at, bytes);
      if (text !== null) return text;
    }
    return buffer.utf8Slice(at, end);
  }

  // Reads a name; the same bytes give the same string.
  name() {
    const { buffer } = this;
    const start = this.at;
    const token = buffer[start];
    if (token < 0xa0 || token >= 0xc0) return this.longName();
    const bytes = token & 0x1f;
    const from = start + 1;
    const end = from + bytes;
    this.at = end;
    let hash = bytes;
    for (let at = from; at < end; at++) hash = (Math.imul(hash, 31) + buffer[at]) | 0;
    const slot = (hash ^ (hash >>> 15)) & (NAME_CACHE_SIZE - 1);
    const known = nameCache[slot];
    if (known !== null && known.bytes.length === bytes) {
      const known0 = known.bytes;
      let at = 0;
      while (at < bytes && known0[at] === buffer[from + at]) at++;
      if (at === bytes) return known.text;
    }
    const text = buffer.utf8Slice(from, end);
    nameCache[slot] = { bytes: Uint8Array.from(buffer.subarray(from, end)), text };
    return text;
  }

  longName() {
    const token = this.buffer[this.at++];
    if (token === 0xd9) return this.string(this.uint(1));
    if (token === 0xda) return this.string(this.uint(2));
    throw damaged();
  }

  // An array that grows has room for sixteen elements more than it needs: short ones, which are the
  // most frequent, are made in one piece.
  array(length, site) {
    switch (length) {
      case 0:
        return [];
      case 1:
        return [this.value(site)];
      case 2:
        return [this.value(site), this.value(site)];
      case 3:
        return [this.value(site), this.value(site), this.value(site)];
      default: {
        if (length > this.buffer.length) throw damaged();
        const made = new Array(length);
        for (let index = 0; index < length; index++) made[index] = this.value(site);
        return made;
      }
    }
  }

  binary(bytes) {
    const { at } = this;
    this.at = at + bytes;
    return Buffer.from(this.buffer.subarray(at, at + bytes));
  }

  extension(bytes) {
    const { buffer } = this;
    const type = (buffer[this.at++] << 24) >> 24;
    const { at } = this;
    if (type === 7 && bytes === 12) {
      this.at = at + 12;
      return readObjectId(buffer, at);
    }
    if (type === -1 && (bytes === 4 || bytes === 8 || bytes === 12)) return this.date(bytes);
    this.at = at + bytes;
    const data = Buffer.from(buffer.subarray(at, at + bytes));
    return type === 4 && bytes === 16 ? uuidFromBytes(data) : new Ext(type, data);
  }

  date(bytes) {
    if (bytes === 4) return new Date(this.uint(4) * 1000);
    if (bytes === 8) {
      const first = this.uint(4);
      const low = this.uint(4);
      const secs = (first % 4) * 0x100000000 + low;
      return new Date(secs * 1000 + Math.floor(Math.floor(first / 4) / 1_000_000));
    }
    const nanos = this.uint(4);
    const high = this.uint(4) | 0;
    const low = this.uint(4);
    return new Date((high * 0x100000000 + low) * 1000 + Math.floor(nanos / 1_000_000));
  }
}

function define(object, value) {
  Object.defineProperty(object, '__proto__', {
    value, writable: true, enumerable: true, configurable: true,
  });
}

function damaged() {
  return new NanoDBError('not a document, or cut off', 'NANODB_DAMAGED');
}

module.exports = { Decoder };

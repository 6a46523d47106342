'use strict';
// Reads by id that are asked for in the same turn of the event loop, as by
//
//     await Promise.all(ids.map((_id) => users.findOne({ _id })));
//
// go to another thread together: waking one costs more than several reads. There are few in one
// batch, so that the threads of the pool share what may wait for the disk.

const { HEADER, OP, TAG, callAsync, encoder } = require('./native.js');

const BATCH_MAX = 16;

class Batch {
  constructor({ _object: object, decoder }) {
    this.object = object;
    this.decoder = decoder;
    this.asked = [];
  }

  isOf({ _object: object, decoder }) {
    return this.object === object && this.decoder === decoder;
  }

  async send() {
    const { asked } = this;
    let from = 0;
    while (asked.length - from > 1) {
      let found;
      try {
        found = await this.some(asked.slice(from));
      } catch {
        // Whatever it was, it need not be the error of all.
        for (; from < asked.length; from++) this.one(asked[from]);
        return;
      }
      for (const document of found) asked[from++].resolve(document);
    }
    if (from < asked.length) this.one(asked[from]);
  }

  // Reads as many as fit into a reply, and at least one.
  some(asked) {
    encoder.reset();
    encoder.any(asked.map(({ id }) => id));
    return callAsync(this.object, OP.GET_EACH, 0, (reply, size) => {
      const found = [];
      this.decoder.each(reply, HEADER, size, found);
      return found;
    });
  }

  async one({ id, resolve, reject }) {
    try {
      encoder.reset();
      encoder.any(id);
      resolve(await callAsync(this.object, OP.GET, 0, (reply) =>
        (reply[0] === TAG.NOTHING ? null : this.decoder.document(reply, HEADER))));
    } catch (error) {
      reject(error);
    }
  }
}

// What is to be sent at the end of this turn.
let batch = null;

// Sends it now, so that no call made after these reads begins before them.
function flush() {
  const last = batch;
  batch = null;
  last?.send();
}

// Resolves to the document with that id, a string, a number or an ObjectId, or to null.
function get(collection, id) {
  return new Promise((resolve, reject) => {
    if (batch === null) {
      queueMicrotask(flush);
      batch = new Batch(collection);
    } else if (batch.asked.length === BATCH_MAX || !batch.isOf(collection)) {
      batch.send();
      batch = new Batch(collection);
    }
    batch.asked.push({ id, resolve, reject });
  });
}

module.exports = { flush, get };

// How long the event loop is kept while documents are read and written by asynchronous calls:
//
//     node bench/event_loop.mjs [COUNT]
//
// It prints percentiles of `monitorEventLoopDelay` of an idle process, and during the work.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const nanodb = require(process.env.NANODB_PACKAGE ?? '../lib/index.js');
const COUNT = Number(process.argv[2] ?? 100_000);

async function measure(name, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  delay.disable();
  const ms = (nanoseconds) => (nanoseconds / 1e6).toFixed(1).padStart(7);
  const percentiles = [50, 99, 99.9].map((part) => ` ${part}%${ms(delay.percentile(part))}`);
  console.log(`${name.padEnd(28)} ${seconds.toFixed(2).padStart(6)} s, delay in ms:` +
    `${percentiles.join('')} most${ms(delay.max)}`);
}

const document = (n) => ({
  name: `user ${n}`, email: `user${n}@example.com`, age: n % 90, tags: ['a', 'b'],
  address: { city: 'Berlin', zip: '10115' }, score: n / 7, active: true,
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-bench-'));
const db = await nanodb.open(path.join(folder, 'a.nanodb'), { durability: 'relaxed' });
const collection = db.collection('c');
const documents = Array.from({ length: COUNT }, (_, n) => ({ _id: n, ...document(n) }));
globalThis.gc?.();

await measure('idle', () => new Promise((resolve) => setTimeout(resolve, 3000)));
await measure('insertMany of all', () => collection.insertMany(documents));
await measure('insertOne, 100 at a time', async () => {
  const one = db.collection('one');
  for (let n = 0; n < COUNT; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => one.insertOne(document(n + k))));
  }
});
await measure('findOne, one by one', async () => {
  for (let n = 0; n < COUNT; n++) await collection.findOne({ _id: n });
});
await measure('findOne, 100 at a time', async () => {
  for (let n = 0; n < COUNT; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => collection.findOne({ _id: n + k })));
  }
});
await measure('toArray of all', () => collection.find().toArray());
await measure('for await over all', async () => {
  let sum = 0;
  for await (const { age } of collection.find()) sum += age;
  return sum;
});
await measure('updateMany of all', () => collection.updateMany({}, { $inc: { age: 1 } }));
await measure('find with a filter', () => collection.find({ age: 40, active: true }).toArray());
await db.close();
fs.rmSync(folder, { recursive: true, force: true });

// How long the event loop is kept while documents are read and written by asynchronous calls:
//
//     node bench/event_loop.mjs [COUNT]
//
// Percentiles of `monitorEventLoopDelay`, of each row and of the whole, beside those of an idle
// process in the same time: what both have is the machine's. `longest gc` is the longest pause for
// V8's garbage collector, which is a part of the delay. Run it with `--max-semi-space-size=2`, too.
//
// The program builds its documents a thousand at a time, and lets the loop go on between: what is
// measured is the package's work, and not the program's own.

import { fork } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { PerformanceObserver, monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const BATCH = 1000;
const AT_ONCE = 100;

// Measures the loop of this process from now on; the function that it returns ends it.
function watch() {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  return () => {
    delay.disable();
    const [p50, p99, p999, most] = [50, 99, 99.9, 100].map((part) => delay.percentile(part) / 1e6);
    return { p50, p99, p999, most };
  };
}

// The same from a process that has nothing else to do.
function idleProcess() {
  const child = fork(fileURLToPath(import.meta.url), ['idle']);
  const ask = (what) => new Promise((resolve) => {
    child.once('message', resolve);
    child.send(what);
  });
  return { begin: () => ask('begin'), end: () => ask('end'), stop: () => child.kill() };
}

const pauses = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
}).observe({ entryTypes: ['gc'] });

const turn = () => new Promise((resolve) => setImmediate(resolve));
const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Has V8 move what is in use to its old generation, so that a row does not pay for those before it.
async function settle() {
  for (let n = 0; n < 64; n++) {
    for (let k = 0; k < 16; k++) new Array(8192).fill(k);
    await turn();
  }
}

async function measure(idle, name, work) {
  await settle();
  const from = pauses.length;
  await idle.begin();
  const end = watch();
  const began = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  // The loop is measured when it comes round again.
  await rest(3);
  const busy = end();
  const other = await idle.end();
  const ms = (number) => number.toFixed(1).padStart(6);
  const gc = Math.max(0, ...pauses.slice(from));
  console.log(`${name.padEnd(30)} ${seconds.toFixed(2).padStart(6)} s  50% ${ms(busy.p50)}  ` +
    `99% ${ms(busy.p99)}  99.9% ${ms(busy.p999)} (idle ${ms(other.p999)})  ` +
    `most ${ms(busy.most)} (idle ${ms(other.most)})  longest gc ${ms(gc)}`);
}

const document = (n) => ({
  name: `user ${n}`, email: `user${n}@example.com`, age: n % 90, tags: ['a', 'b'],
  address: { city: 'Berlin', zip: '10115' }, score: n / 7, active: true,
});

async function main(count) {
  const require = createRequire(import.meta.url);
  const nanodb = require(process.env.NANODB_PACKAGE ?? '../lib/index.js');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-bench-'));
  const db = await nanodb.open(path.join(folder, 'a.nanodb'), { durability: 'relaxed' });
  const c = db.collection('c');
  const documents = [];
  for (let n = 0; n < count; n++) {
    documents.push({ _id: n, ...document(n) });
    if (n % BATCH === 0) await turn();
  }
  const at = async (many, one) => {
    for (let n = 0; n < count; n += many) {
      await Promise.all(Array.from({ length: many }, (_, k) => one(n + k)));
    }
  };
  const rows = {
    'insertMany of all': () => c.insertMany(documents),
    'insertMany, 1,000 at a time': async () => {
      for (let n = 0; n < count; n += BATCH) {
        const some = Array.from({ length: BATCH }, (_, k) => document(n + k));
        await db.collection('b').insertMany(some);
      }
    },
    'insertOne, one by one': async () => {
      for (let n = 0; n < count; n++) await db.collection('o').insertOne(document(n));
    },
    'insertOne, 100 at a time': () =>
      at(AT_ONCE, (n) => db.collection('p').insertOne(document(n))),
    'findOne, one by one': async () => {
      for (let n = 0; n < count; n++) await c.findOne({ _id: n });
    },
    'findOne, 100 at a time': () => at(AT_ONCE, (n) => c.findOne({ _id: n })),
    'toArray of all': () => c.find().toArray(),
    'for await over all': async () => {
      let sum = 0;
      for await (const { age } of c.find()) sum += age;
      return sum;
    },
    'updateMany of all': () => c.updateMany({}, { $inc: { age: 1 } }),
    'find with a filter': () => c.find({ age: 40, active: true }).toArray(),
  };
  const idle = idleProcess();
  await measure(idle, 'nothing', () => rest(2000));
  await measure(idle, 'all of this', async () => {
    for (const [name, work] of Object.entries(rows)) await measure(idle, name, work);
  });
  idle.stop();
  await db.close();
  fs.rmSync(folder, { recursive: true, force: true });
}

if (process.argv[2] === 'idle') {
  const ends = [];
  process.on('message', (message) => {
    if (message === 'begin') ends.push(watch());
    process.send(message === 'begin' ? null : ends.pop()());
  });
} else {
  await main(Number(process.argv[2] ?? 100_000));
}

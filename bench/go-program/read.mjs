// The reads of the Go program's benchmarks, and the table of all of them.
//
//     node read.mjs LIBRARY FLOOR FILE INSERTS [ROUNDS]
//
// LIBRARY is NanoDB's shared library, FLOOR that of floor.c, FILE what the example `go_program` of
// nanodb-ffi has written, and INSERTS what it has printed. koffi is looked for where NODE_PATH
// says.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const koffi = createRequire(path.join(process.env.NODE_PATH ?? '.', 'x.js'))('koffi');
const [libraryPath, floorPath, file, inserts, rounds = '5'] = process.argv.slice(2);
const ROUNDS = Number(rounds);

// As the Go program's client declares them. It does not free what is returned; who wants that
// declares it as `freed`.
const lib = koffi.load(path.resolve(libraryPath));
const nano = {
  init: lib.func('NanoInit', 'void', ['str']),
  close: lib.func('NanoClose', 'longlong', []),
  find: lib.func('NanoFind', 'str', ['str', 'str', 'longlong', 'longlong']),
  findById: lib.func('NanoFindById', 'str', ['str', 'longlong']),
  search: lib.func('NanoVectorSearch', 'str', ['str', 'str', 'longlong']),
};
const freed = koffi.disposable('freed', 'str', lib.func('NanoFree', 'void', ['void *']));
const findByIdFreed = lib.func('NanoFindById', freed, ['str', 'longlong']);
const floor = koffi.load(path.resolve(floorPath));
const setText = floor.func('floor_set', 'void', ['str']);
const emptyCall = floor.func('floor_text', 'str', ['str', 'longlong']);

// The shortest of some rounds, in nanoseconds for each of `count`: by the clock, and of processor
// time, the garbage collector's threads included.
function best(count, run) {
  const shortest = { clock: Infinity, processor: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    const processor = process.cpuUsage();
    const clock = process.hrtime.bigint();
    run();
    const took = Number(process.hrtime.bigint() - clock);
    const { user, system } = process.cpuUsage(processor);
    shortest.clock = Math.min(shortest.clock, took / count);
    shortest.processor = Math.min(shortest.processor, ((user + system) * 1000) / count);
  }
  return shortest;
}

function check(is) {
  if (!is) throw new Error('a wrong answer');
}

// The same order every time, which is not that of the file.
function shuffled(ids) {
  const order = [...ids];
  let state = 1;
  for (let at = order.length - 1; at > 0; at--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

const rows = [];

for (const line of fs.readFileSync(inserts, 'utf8').trim().split('\n')) {
  const { collection, batch, bytes, insert, parse, write } = JSON.parse(line);
  rows.push({
    what: batch === 100_000 ? 'insert, one call' : `insert, ${batch} a call`,
    documents: `${bytes} bytes`,
    took: insert,
    floors: { parse, write },
    printed: 77_544,
    measured: '50-70 k',
    goal: 350_000,
    collection,
  });
}

nano.init(path.resolve(file));
for (const collection of ['documents', 'tiny']) {
  const scanned = nano.find(collection, '{}', 0, 0);
  const ids = shuffled(JSON.parse(scanned).map((document) => document._id));
  const count = ids.length;
  check(count === 100_000);
  const texts = ids.map((id) => nano.findById(collection, id));
  const documents = `${texts[0].length} bytes`;

  setText(texts[0]);
  const byId = {
    call: best(count, () => { for (const id of ids) check(emptyCall(collection, id).length > 0); }),
    parse: best(count, () => { for (const text of texts) check(JSON.parse(text)._id > 0); }),
    'both': best(count, () => {
      let at = 0;
      for (const id of ids) {
        check(emptyCall(collection, id).length > 0);
        check(JSON.parse(texts[at++])._id > 0);
      }
    }),
  };
  const reads = (find) => best(count, () => {
    for (const id of ids) check(JSON.parse(find(collection, id))._id === id);
  });
  const byIdGo = { printed: 357_143, measured: '27-67 k', goal: 335_000 };
  rows.push({
    what: 'read by id', documents, took: reads(nano.findById), floors: byId, ...byIdGo,
  });
  rows.push({
    what: 'read by id, freed', documents, took: reads(findByIdFreed), floors: byId, ...byIdGo,
  });

  setText(scanned);
  rows.push({
    what: 'scan',
    documents,
    took: best(count, () => {
      check(JSON.parse(nano.find(collection, '{}', 0, 0)).length === count);
    }),
    floors: {
      call: best(count, () => check(emptyCall(collection, 0).length === scanned.length)),
      parse: best(count, () => check(JSON.parse(scanned).length === count)),
      both: best(count, () => check(JSON.parse(emptyCall(collection, 0)).length === count)),
    },
    printed: 256_410,
    measured: '52-115 k',
    goal: 575_000,
  });
}

const vector = JSON.stringify(Array.from({ length: 384 }, (_, n) => Math.sin(n * n)));
const search = best(1, () => check(JSON.parse(nano.search('vectors', vector, 10)).length === 10));
nano.close();

const aSecond = (ns) => Math.round(1e9 / ns).toLocaleString('en-US');
const nanoseconds = ({ processor }) => Math.round(processor).toLocaleString('en-US');
const [load] = os.loadavg();
console.log(`Load average ${load.toFixed(1)} on ${os.cpus().length} processors; \
Node.js ${process.versions.node}, koffi ${koffi.version}.\n`);
console.log('| benchmark | document | a second, by the clock | a second of processor time | \
floor: ns of processor time | floor: a second | Go, printed | Go, measured | goal |');
console.log('|---|---|---:|---:|---|---:|---:|---:|---:|');
for (const { what, documents, took, floors, printed, measured, goal } of rows) {
  const parts = Object.entries(floors).map(([name, floor]) => `${name} ${nanoseconds(floor)}`);
  const least = floors.both ?? { processor: floors.parse.processor + floors.write.processor };
  console.log(`| ${[
    what, documents, aSecond(took.clock), aSecond(took.processor), parts.join(', '),
    aSecond(least.processor), printed.toLocaleString('en-US'), measured,
    goal.toLocaleString('en-US'),
  ].join(' | ')} |`);
}
const ms = (ns) => `${Math.round(ns / 1e6)} ms`;
console.log(`| 10 nearest of 100,000 vectors | 384 numbers | ${ms(search.clock)} \
| ${ms(search.processor)} | | | | | within 500 ms |`);

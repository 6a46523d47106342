'use strict';
// Worker threads share an open database, and the event loop is not kept.

const assert = require('node:assert/strict');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { nanodb, packageName, test, withFolder } = require('./common.js');

function worker(text, workerData) {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const nanodb = require(workerData.packageName);
    (async () => { ${text} })()`;
  const started = new Worker(code, { eval: true, workerData: { packageName, ...workerData } });
  return new Promise((resolve, reject) => {
    let result;
    started.on('message', (message) => {
      result = message;
    });
    started.on('error', reject);
    started.on('exit', () => resolve(result));
  });
}

test('worker threads read and write the same open database', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const db = await nanodb.open(file, { durability: 'relaxed' });
    const text = `
      const db = await nanodb.open(workerData.file);
      const collection = db.collection('c');
      for (let n = 0; n < 500; n++) {
        if (n % 2) await collection.insertOne({ from: workerData.from, n });
        else db.sync.collection('c').insertOne({ from: workerData.from, n });
      }
      const mine = await collection.countDocuments({ from: workerData.from });
      await db.close();
      parentPort.postMessage(mine);`;
    const workers = [1, 2, 3].map((from) => worker(text, { file, from }));
    await db.collection('c').insertOne({ from: 0 });
    assert.deepEqual(await Promise.all(workers), [500, 500, 500]);
    assert.equal(await db.collection('c').countDocuments(), 1501);
    await db.close();
  });
});

test('transactions of several threads lose nothing', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const db = await nanodb.open(file, { durability: 'relaxed' });
    await db.collection('a').insertOne({ _id: 1, n: 0 });
    await db.collection('b').insertOne({ _id: 1, n: 0 });
    const text = `
      const db = await nanodb.open(workerData.file);
      const add = { $inc: { n: 1 } };
      const [first, second] = workerData.turn ? ['a', 'b'] : ['b', 'a'];
      for (let n = 0; n < 40; n++) {
        if (n % 4 === 0) {
          db.sync.transaction((tx) => {
            tx.collection(first).updateOne({ _id: 1 }, add);
            tx.collection(second).updateOne({ _id: 1 }, add);
          });
        } else {
          await Promise.all([
            db.transaction(async (tx) => {
              await tx.collection(first).updateOne({ _id: 1 }, add);
              await tx.collection(second).updateOne({ _id: 1 }, add);
            }),
            db.collection('a').updateOne({ _id: 1 }, add),
            db.collection('b').updateOne({ _id: 1 }, add),
          ]);
        }
      }
      await db.close();`;
    await Promise.all([0, 1, 0, 1].map((turn) => worker(text, { file, turn })));
    // 40 transactions of each, and 30 times a write outside.
    assert.equal((await db.collection('a').findOne({ _id: 1 })).n, 4 * 70);
    assert.equal((await db.collection('b').findOne({ _id: 1 })).n, 4 * 70);
    await db.close();
  });
});

test('a worker that is terminated leaves the others as they are', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const db = await nanodb.open(file, { durability: 'relaxed' });
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      const nanodb = require(workerData.packageName);
      (async () => {
        const db = await nanodb.open(workerData.file);
        const tx = await db.begin();
        await tx.collection('held').insertOne({ _id: 1 });
        for (let n = 0; ; n++) {
          await Promise.all([db.collection('c').insertOne({}), db.collection('c').insertOne({})]);
          if (n === 20) parentPort.postMessage('begun');
        }
      })()`;
    for (let times = 0; times < 3; times++) {
      const started = new Worker(code, { eval: true, workerData: { packageName, file } });
      await new Promise((resolve) => started.once('message', resolve));
      await started.terminate();
      assert.ok(await db.collection('c').countDocuments() >= 40);
    }
    await db.collection('held').insertOne({ _id: 1 });
    assert.deepEqual((await db.check()).problems, []);
    await db.close();
  });
});

test('the event loop goes on while many documents are read and written', async () => {
  await withFolder(async (folder) => {
    const db = await nanodb.open(path.join(folder, 'data.nanodb'), { durability: 'relaxed' });
    const collection = db.collection('c');
    const documents = Array.from({ length: 50_000 }, (_, n) => (
      { name: `name ${n}`, n, tags: ['a', 'b'], address: { city: 'Berlin', zip: '10115' } }));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await collection.insertMany(documents);
    assert.equal((await collection.find().toArray()).length, 50_000);
    let count = 0;
    for await (const _ of collection.find({ n: { $gte: 25_000 } })) count++;
    delay.disable();
    assert.equal(count, 25_000);
    // Far less, on a machine that does nothing else; but no test depends on that.
    assert.ok(delay.max / 1e6 < 2000, `${delay.max / 1e6} ms`);
    await db.close();
  });
});

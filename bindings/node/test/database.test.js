'use strict';
// Opening and closing, files and processes.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { fails, nanodb, packageName, test, testBoth, withFolder } = require('./common.js');

// Runs a program in another process; returns what it printed.
function program(text, ...args) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['-e', `const nanodb = require(${JSON.stringify(packageName)}); (async () => {${text}})()`,
      ...args],
    { encoding: 'utf8', cwd: process.cwd() },
  );
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test('what was written is there when the file is opened again', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const db = await nanodb.open(file);
    assert.equal(db.path, file);
    assert.equal(db.databaseName, 'data');
    assert.equal(db.collection('users').namespace, 'data.users');
    await db.collection('users').insertOne({ _id: 1, name: 'Ada' });
    await db.close();
    await db.close();
    assert.deepEqual(fs.readdirSync(folder), ['data.nanodb']);
    const again = nanodb.openSync(new URL(`file://${file}`), { fileMustExist: true });
    assert.deepEqual(again.sync.collection('users').findOne({ _id: 1 }), { _id: 1, name: 'Ada' });
    again.sync.close();
  });
});

test('options are checked, and used', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    await fails('NANODB_INVALID', () => nanodb.open(''));
    await fails('NANODB_INVALID', () => nanodb.open(file, { colour: 'red' }));
    await fails('NANODB_INVALID', () => nanodb.open(file, { durability: 'eventual' }));
    await fails('NANODB_INVALID', () => nanodb.open(file, { cacheBytesMax: '1' }));
    await fails('NANODB_INVALID', () => nanodb.open(file, { cacheBytesMax: -1 }));
    await fails('NANODB_INVALID', () => nanodb.open(file, { ids: 'uuid' }));
    const missing = await fails('NANODB_IO', () => nanodb.open(file, { fileMustExist: true }));
    assert.equal(missing.errno, 2);
    assert.equal(missing.file, file);
    fs.writeFileSync(file, 'not a database'.repeat(1000));
    await fails('NANODB_NOT_A_DATABASE', () => nanodb.open(file));
    fs.rmSync(file);
    const options = { durability: 'relaxed', cacheBytesMax: 1 << 20, background: false };
    const db = await nanodb.open(file, options);
    await db.collection('c').insertOne({ a: 1 });
    await db.flush();
    await db.checkpoint();
    await db.compact();
    await db.close();
    const reader = await nanodb.open(file, { readonly: true });
    assert.equal(await reader.collection('c').countDocuments(), 1);
    await fails('NANODB_READ_ONLY', () => reader.collection('c').insertOne({}));
    await fails('NANODB_READ_ONLY', () => reader.collection('c').drop());
    await reader.close();
    const small = await nanodb.open(file, { fileBytesMax: 1 << 20 });
    const large = { text: 'x'.repeat(100_000) };
    await fails('NANODB_QUOTA_EXCEEDED', async () => {
      for (let times = 0; times < 20; times++) await small.collection('c').insertOne({ ...large });
    });
    await small.close();
  });
});

test('another process finds the file locked', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const db = await nanodb.open(file);
    const printed = program(
      'try { await nanodb.open(process.argv[1]) } catch (error) { console.log(error.code) }', file);
    assert.equal(printed, 'NANODB_LOCKED');
    await db.close();
    assert.equal(program('const db = await nanodb.open(process.argv[1]); await db.close(); ' +
      'console.log("ok")', file), 'ok');
  });
});

test('opening a file twice shares it', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const one = await nanodb.open(file);
    const other = await nanodb.open(file);
    await one.collection('c').insertOne({ _id: 1 });
    assert.equal(await other.collection('c').countDocuments(), 1);
    await one.close();
    await fails('NANODB_CLOSED', () => one.collection('c').countDocuments());
    assert.equal(await other.collection('c').countDocuments(), 1);
    await other.close();
  });
});

test('a killed process loses nothing that was acknowledged', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    const child = spawn(process.execPath, ['-e', `
      const nanodb = require(${JSON.stringify(packageName)});
      (async () => {
        const db = await nanodb.open(process.argv[1]);
        for (let _id = 1; ; _id++) {
          await db.collection('c').insertOne({ _id });
          console.log(_id);
        }
      })()`, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let last = 0;
    for await (const chunk of child.stdout) {
      last = Math.max(last, ...String(chunk).trim().split('\n').map(Number).filter(Boolean));
      if (last > 50) break;
    }
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const db = await nanodb.open(file);
    assert.ok(await db.collection('c').countDocuments() >= last);
    assert.deepEqual((await db.check()).problems, []);
    await db.close();
  });
});

test('a process that forgets to close ends, and its file is whole', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'data.nanodb');
    program('const db = await nanodb.open(process.argv[1]); ' +
      'await db.collection("c").insertOne({ _id: 1 })', file);
    const db = await nanodb.open(file);
    assert.equal(await db.collection('c').countDocuments(), 1);
    await db.close();
  });
});

test('the package is a module, too, of the same classes', () => {
  const resolved = require.resolve(packageName);
  const url = JSON.stringify(require('node:url').pathToFileURL(resolved.replace(/\.js$/, '.mjs')));
  const text = `
    const module = await import(${url});
    console.log(module.ObjectId === nanodb.ObjectId && module.default === nanodb,
      Object.keys(nanodb).every((name) => module[name] === nanodb[name]));`;
  assert.equal(program(text), 'true true');
});

test('compiling code may be forbidden', () => {
  const text = `
    const nanodb = require(${JSON.stringify(packageName)});
    const db = nanodb.openSync(':memory:');
    const documents = Array.from({ length: 50 }, (_, _id) => ({ _id, text: 'é' + _id }));
    db.sync.collection('c').insertMany(documents);
    require('node:assert').deepStrictEqual(db.sync.collection('c').find().toArray(), documents);`;
  const { status, stderr } = spawnSync(process.execPath,
    ['--disallow-code-generation-from-strings', '-e', text], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

testBoth('stats and check tell of the file', async (db) => {
  await db.collection('c').insertMany([{ a: 1 }, { a: 2 }]);
  const stats = await db.stats();
  assert.equal(stats.collections[0].name, 'c');
  assert.equal(stats.collections[0].count, 2);
  assert.ok(stats.fileBytes > 0);
  const report = await db.check();
  assert.equal(report.documents, 2);
  assert.deepEqual(report.problems, []);
});

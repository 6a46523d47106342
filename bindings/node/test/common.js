'use strict';
// What the tests share. The package is the one that `NANODB_PACKAGE` names, so that the same tests
// run on an installed one; without it, the one that they lie in.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');

const packageName = process.env.NANODB_PACKAGE ?? path.join(__dirname, '..', 'lib', 'index.js');
const nanodb = require(packageName);

// Calls `body` with a folder that is gone afterwards.
async function withFolder(body) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nanodb-node-'));
  try {
    return await body(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

// Tests something through both interfaces: `body` gets a database in memory as `db`, whose results
// it awaits, whether they are promises or not.
function testBoth(name, body, options) {
  for (const kind of ['promises', 'sync']) {
    test(`${name} (${kind})`, async (t) => {
      const opened = await nanodb.open(':memory:', options);
      try {
        await body(kind === 'sync' ? opened.sync : opened, t, kind);
      } finally {
        await opened.close();
      }
    });
  }
}

// Checks that something fails with that kind of error, and returns the error.
async function fails(kind, run) {
  let result;
  try {
    result = await run();
  } catch (error) {
    if (!(error instanceof nanodb.NanoDBError) || error.kind !== kind) throw error;
    return error;
  }
  throw new Error(`expected ${kind}, got ${JSON.stringify(result)}`);
}

// A source of numbers that are the same in each run.
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // The upper bits are the better ones.
    return (state >>> 8) / 0x1000000;
  };
  return { next, below: (count) => Math.floor(next() * count) };
}

module.exports = { fails, nanodb, packageName, random, test, testBoth, withFolder };

'use strict';
// A program for MongoDB's driver prints on NanoDB what it prints on MongoDB. Where no server is at
// hand, `expected.txt` stands for it, by MongoDB's documented rules and its driver's source.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { packageName, test } = require('./common.js');

const PROGRAM = path.join(__dirname, 'driver', 'program.mjs');
const EXPECTED = path.join(__dirname, 'driver', 'expected.txt');

function run(env) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM],
    { encoding: 'utf8', env: { ...process.env, ...env } });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('on NanoDB', () => {
  const module = require.resolve(packageName).replace(/\.js$/, '.mjs');
  const printed = run({ MONGODB_URL: '', NANODB_MODULE: pathToFileURL(module).href });
  assert.equal(printed, fs.readFileSync(EXPECTED, 'utf8'));
});

test('on MongoDB', (t) => {
  if (!process.env.MONGODB_URL) return t.skip('MONGODB_URL names no server');
  assert.equal(run({}), fs.readFileSync(EXPECTED, 'utf8'));
});

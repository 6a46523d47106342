'use strict';
// The types, checked by TypeScript's compiler where that is installed.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('./common.js');

test('a program compiles as it should, and a wrong one does not', (t) => {
  let compiler;
  try {
    const places = [__dirname, ...(process.env.NODE_PATH ?? '').split(path.delimiter)];
    const found = require.resolve('typescript/package.json', { paths: places });
    compiler = path.join(path.dirname(found), 'bin', 'tsc');
  } catch {
    return t.skip('TypeScript is not installed');
  }
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, '--project', path.join(__dirname, 'types', 'tsconfig.json'),
      '--typeRoots', path.join(compiler, '..', '..', '..', '@types')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
});

'use strict';
// The programs in the guide and in the README run as they stand there. What is shown without an
// `import` goes on from an open database, `db`, with a collection `users`.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { packageName, test, withFolder } = require('./common.js');

const PAGES = [
  path.join(__dirname, '..', 'README.md'),
  path.join(__dirname, '..', '..', '..', 'docs', 'guide', 'src', 'nodejs.md'),
];

const IMPORT = "import { open, openSync } from 'nanodb';\n";
const OPENED = "const db = await open('data.nanodb');\nconst users = db.collection('users');\n";

function programs(text) {
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program);
}

for (const page of PAGES) {
  test(`the programs in ${path.basename(page)} run`, async () => {
    const found = programs(fs.readFileSync(page, 'utf8'));
    assert.ok(found.length > 0);
    await withFolder(async (folder) => {
      fs.mkdirSync(path.join(folder, 'node_modules'));
      const home = path.join(path.dirname(require.resolve(packageName)), '..');
      fs.symlinkSync(home, path.join(folder, 'node_modules', 'nanodb'));
      for (const [index, program] of found.entries()) {
        const isScript = /^const .*require\(/m.test(program);
        const before = isScript || /^import/m.test(program)
          ? ''
          : IMPORT + (/^const db/m.test(program) ? '' : OPENED);
        const file = path.join(folder, `${index}.${isScript ? 'cjs' : 'mjs'}`);
        fs.writeFileSync(file, before + program);
        const { status, stderr } = spawnSync(process.execPath, [file],
          { cwd: folder, encoding: 'utf8' });
        assert.equal(status, 0, `${program}\n${stderr}`);
      }
    });
  });
}

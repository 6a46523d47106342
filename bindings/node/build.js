'use strict';
// Compiles the addon for this machine and puts it where the package looks for it.
//
//     node build.js [--debug]

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const isDebug = process.argv.includes('--debug');
const arguments_ = ['build', '--locked', '--manifest-path', path.join(__dirname, 'Cargo.toml')];
if (!isDebug) arguments_.push('--release');
execFileSync('cargo', arguments_, { stdio: 'inherit' });

const { platform, arch } = process;
const isMusl = process.report.getReport().header.glibcVersionRuntime === undefined;
const libc = platform === 'linux' ? (isMusl ? '-musl' : '-gnu') : '';
const target = process.env.CARGO_TARGET_DIR ?? path.join(__dirname, 'target');
const prefix = platform === 'win32' ? '' : 'lib';
const suffix = { win32: 'dll', darwin: 'dylib' }[platform] ?? 'so';
const built = path.join(target, isDebug ? 'debug' : 'release', `${prefix}nanodb_node.${suffix}`);
const addon = path.join(__dirname, 'addon', `nanodb.${platform}-${arch}${libc}.node`);
fs.mkdirSync(path.dirname(addon), { recursive: true });
// Beside it first: a running process may have the old one mapped.
fs.copyFileSync(built, `${addon}.new`);
fs.renameSync(`${addon}.new`, addon);
// A package has its license with it.
for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  fs.copyFileSync(path.join(__dirname, '..', '..', name), path.join(__dirname, name));
}
console.log(`built ${path.relative(process.cwd(), addon)}`);

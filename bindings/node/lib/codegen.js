'use strict';
// Functions that are compiled while the program runs: readers of short strings, and of documents
// that have the same fields as those before them. Where compiling is forbidden, as by Node's
// `--disallow-code-generation-from-strings`, they are null, and what calls them does without.

// The longest string that is made of characters instead of by a call out of JavaScript.
const SHORT_STRING_MAX = 24;

// No document with more fields has a reader of its own.
const FIELDS_MAX = 64;

function compile(...parts) {
  try {
    return new Function(...parts);
  } catch {
    return null;
  }
}

// Returns a function of a buffer, a place and a length up to `SHORT_STRING_MAX`: the string there
// if it is ASCII, else null.
function shortStringReader() {
  const cases = [];
  for (let length = 1; length <= SHORT_STRING_MAX; length++) {
    const names = Array.from({ length }, (_, index) => `c${index}`);
    const reads = names.map((name, index) => `${name} = b[p + ${index}]`);
    cases.push(
      `case ${length}: { const ${reads.join(', ')};`,
      `return (${names.join(' | ')}) < 128 ? f(${names.join(', ')}) : null; }`,
    );
  }
  const body = `switch (n) { case 0: return ''; ${cases.join('\n')} } return null;`;
  const make = compile('f', `return function shortString(b, p, n) { ${body} }`);
  return make === null ? null : make(String.fromCharCode);
}

// Returns a function of a decoder and a shape, which reads a map of exactly these names in this
// order, after its header; or `miss`, if there are others. `names` are their bytes, with headers.
function mapReader(keys, names, miss) {
  if (keys.length === 0 || keys.length > FIELDS_MAX) return null;
  const lines = [];
  const fields = [];
  for (let index = 0; index < keys.length; index++) {
    const bytes = names[index];
    const tests = Array.from(bytes, (byte, offset) => `b[p + ${offset}] !== ${byte}`);
    lines.push(
      `if (${tests.join(' || ')}) { d.at = start; return miss; }`,
      `d.at = p + ${bytes.length};`,
      `const v${index} = d.valueAt(s, ${index});`,
      'p = d.at;',
    );
    // In brackets, no name means anything else than itself.
    fields.push(`[${JSON.stringify(keys[index])}]: v${index}`);
  }
  const isPlain = keys.every((key) => key !== '__proto__');
  const literal = isPlain
    ? keys.map((key, index) => `${JSON.stringify(key)}: v${index}`)
    : fields;
  const body = `const b = d.buffer; const start = d.at; let p = start;
    ${lines.join('\n')}
    return { ${literal.join(', ')} };`;
  const make = compile('miss', `return function readMap(d, s) { ${body} }`);
  return make === null ? null : make(miss);
}

module.exports = { SHORT_STRING_MAX, shortString: shortStringReader(), mapReader };

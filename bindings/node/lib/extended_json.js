'use strict';
// Values as MongoDB's Extended JSON: the form in which updates with `arrayFilters` cross.

const { ObjectId, objectIdBytes } = require('./object_id.js');
const { uuidBytes, uuidFromBytes } = require('./uuid.js');
const { invalid } = require('./errors.js');

function toExtendedJson(value) {
  return JSON.stringify(form(value, 0), null, 0);
}

function form(value, depth) {
  if (depth > 100) throw invalid('the update nests deeper than 100 levels, or within itself');
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $numberDouble: Object.is(value, -0) ? '-0.0' : String(value) };
    case 'bigint':
      return { $numberLong: String(value) };
    case 'object':
      return value === null ? null : objectForm(value, depth);
    default:
      throw invalid(`a ${typeof value} cannot be stored`);
  }
}

function objectForm(value, depth) {
  if (Array.isArray(value)) return value.map((element) => form(element, depth + 1));
  if (value instanceof Date) return { $date: { $numberLong: String(value.getTime()) } };
  if (value instanceof RegExp) {
    const options = [value.ignoreCase && 'i', value.multiline && 'm', value.dotAll && 's'];
    return { $regex: value.source, $options: options.filter(Boolean).join('') };
  }
  const id = objectIdBytes(value);
  if (id !== null) return { $oid: new ObjectId(id).toHexString() };
  const uuid = uuidBytes(value);
  if (uuid !== null) return { $uuid: uuidFromBytes(uuid).toHexString() };
  if (value instanceof Uint8Array) {
    return { $binary: { base64: Buffer.from(value).toString('base64'), subType: '00' } };
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const made = Object.create(null);
  for (const [name, inner] of entries) made[name] = form(inner, depth + 1);
  return made;
}

module.exports = { toExtendedJson };

import nanodb, { ObjectId, open, type Collection } from '../../lib/index.mjs';

const db = await open(':memory:');
const collection: Collection<{ a: number }> = db.collection('c');
const id: ObjectId = (await collection.insertOne({ a: 1 })).insertedId;
await nanodb.openSync(':memory:').close();
console.log(id, await collection.find({ a: { $gt: 0 } }).toArray());

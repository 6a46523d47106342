// A program for MongoDB's driver: a small library's catalogue. On MongoDB it begins with
//
//     const client = await new MongoClient(url).connect();
//     const db = client.db('library');
//
// and on NanoDB with `open`. All else is the same, and so is what it prints: `expected.txt`. Set
// MONGODB_URL to run it on a server, where Node.js finds the package `mongodb`.

let db;
let close;
if (process.env.MONGODB_URL) {
  const { MongoClient } = await import('mongodb');
  const client = await new MongoClient(process.env.MONGODB_URL).connect();
  db = client.db('nanodb_driver_program');
  await db.dropDatabase();
  close = () => client.close();
} else {
  const { open } = await import(process.env.NANODB_MODULE);
  db = await open(':memory:');
  close = () => db.close();
}

const print = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);
const set = ($set) => ({ $set });
const books = db.collection('books');
const loans = db.collection('loans');
const counters = db.collection('counters');

// --- Inserting ---

const first = { title: 'Emma', author: 'Austen', year: 1815, tags: ['novel'], copies: 3 };
const inserted = await books.insertOne(first);
print('acknowledged', inserted.acknowledged);
print('id put into the document', first._id === inserted.insertedId);
print('id is an ObjectId', first._id.toHexString().length === 24);
print('id is of now', Math.abs(first._id.getTimestamp() - Date.now()) < 10_000);

const shelf = [
  { _id: 'b1', title: 'Ulysses', author: 'Joyce', year: 1922, tags: ['novel', 'modern'],
    copies: 1 },
  { _id: 'b2', title: 'Dubliners', author: 'Joyce', year: 1914, tags: ['stories'], copies: 2 },
  { _id: 'b3', title: 'Persuasion', author: 'Austen', year: 1817, tags: ['novel'], copies: 0 },
  { _id: 'b4', title: 'Walden', author: 'Thoreau', year: 1854, tags: [], copies: 5,
    shelf: { room: 'B', row: 4 } },
  { _id: 'b5', title: 'Orlando', author: 'Woolf', year: 1928, copies: 2, lent: null,
    shelf: { room: 'A', row: 2 } },
];
const many = await books.insertMany(shelf);
print('inserted', [many.insertedCount, many.insertedIds]);

try {
  await books.insertOne({ _id: 'b1', title: 'Again' });
} catch (error) {
  print('duplicate', [error.code, error.keyPattern, error.keyValue]);
}
try {
  await books.insertMany([{ _id: 'b6', title: 'Six' }, { _id: 'b1' }, { _id: 'b7' }]);
} catch (error) {
  print('stopped', [error.code, error.insertedCount, error.writeErrors.map(({ index }) => index)]);
}
try {
  await books.insertMany([{ _id: 'b1' }, { _id: 'b7', title: 'Seven' }], { ordered: false });
} catch (error) {
  print('went on', [error.code, error.insertedCount]);
}
print('deleted', await books.deleteMany({ _id: { $in: ['b6', 'b7', 'b8'] } }));

// --- Finding ---

const titles = async (filter, options) =>
  (await books.find(filter, options).map(({ title }) => title).toArray());
const byTitle = { sort: { title: 1 } };
print('all', await titles({}, byTitle));
print('equal', await titles({ author: 'Joyce' }, byTitle));
print('range', await titles({ year: { $gte: 1850, $lt: 1925 } }, byTitle));
print('in', await titles({ author: { $in: ['Woolf', 'Thoreau'] } }, byTitle));
print('not in', await titles({ author: { $nin: ['Joyce', 'Austen'] } }, byTitle));
print('or', await titles({ $or: [{ copies: 0 }, { copies: { $gt: 4 } }] }, byTitle));
print('nor', await titles({ $nor: [{ author: 'Joyce' }, { year: { $gt: 1850 } }] }, byTitle));
print('element', await titles({ tags: 'novel' }, byTitle));
print('all of', await titles({ tags: { $all: ['novel', 'modern'] } }, byTitle));
print('size', await titles({ tags: { $size: 1 } }, byTitle));
print('regex', await titles({ title: /^[EO]/ }, byTitle));
print('regex, any case', await titles({ title: /AL/i }, byTitle));
print('not a regex', await titles({ title: { $not: /s/ } }, byTitle));
print('exists', await titles({ shelf: { $exists: true } }, byTitle));
print('missing', await titles({ tags: { $exists: false } }));
print('null', await titles({ lent: null }, byTitle));
print('type', await titles({ lent: { $type: 'null' } }));
print('path', await titles({ 'shelf.row': { $gt: 3 } }));
print('document', await titles({ shelf: { room: 'A', row: 2 } }));
print('mod', await titles({ year: { $mod: [2, 1] } }, byTitle));
print('one', (await books.findOne({ title: 'Emma' })).author);
print('none', await books.findOne({ title: 'Nothing' }));
print('by id', (await books.findOne({ _id: first._id })).title);
print('projected', await books.findOne({ _id: 'b1' }, { projection: { title: 1, _id: 0 } }));
print('left out', await books.findOne({ _id: 'b5' }, { projection: { shelf: 0, lent: 0 } }));
print('sorted', await books.find({ _id: /^b/ }).sort({ author: 1, year: -1 })
  .project({ title: 1 }).toArray());
print('page', await books.find({ _id: /^b/ }).sort('year', 'desc').skip(1).limit(2)
  .project({ _id: 0, year: 1 }).toArray());
print('count', [await books.countDocuments(), await books.countDocuments({ author: 'Joyce' })]);
print('estimated', await books.estimatedDocumentCount());
print('distinct', (await books.distinct('author')).sort());
print('distinct elements', (await books.distinct('tags', { year: { $lt: 1925 } })).sort());

let years = 0;
for await (const { year } of books.find({ author: 'Austen' })) years += year;
print('for await', years);
const cursor = books.find({}).sort({ title: -1 });
print('has next', [await cursor.hasNext(), (await cursor.next()).title]);
await cursor.close();
print('closed', cursor.closed);
const visited = [];
await books.find().sort({ year: 1 }).limit(2).forEach(({ title }) => {
  visited.push(title);
});
print('for each', visited);

// --- Updating ---

print('updated', await books.updateOne(
  { _id: 'b1' }, { $set: { 'shelf.room': 'C' }, $inc: { copies: 2 } }));
print('unchanged', await books.updateOne({ _id: 'b1' }, set({ copies: 3 })));
print('no match', await books.updateOne({ _id: 'zz' }, set({ copies: 3 })));
print('many', await books.updateMany({ author: 'Joyce' }, { $push: { tags: 'irish' } }));
await books.updateOne({ _id: 'b2' }, { $addToSet: { tags: { $each: ['irish', 'short'] } } });
await books.updateOne({ _id: 'b2' }, { $pull: { tags: 'stories' }, $unset: { year: '' } });
await books.updateOne({ _id: 'b2' }, { $rename: { copies: 'count' }, $mul: { price: 2 } });
print('after', await books.findOne({ _id: 'b2' }));
await books.updateOne({ _id: 'b3' }, { $min: { copies: -1 }, $max: { year: 1818 } });
const tags = { $each: ['x', 'y'], $position: 0, $slice: 2 };
await books.updateOne({ _id: 'b3' }, { $push: { tags } });
print('after', await books.findOne({ _id: 'b3' }));
await loans.insertOne({ _id: 1, lines: [{ book: 'b1', days: 3 }, { book: 'b2', days: 30 }] });
await loans.updateOne({ _id: 1, 'lines.book': 'b1' }, { $set: { 'lines.$.days': 5 } });
await loans.updateOne({ _id: 1 }, { $set: { 'lines.$[late].fine': 1.5 } },
  { arrayFilters: [{ 'late.days': { $gt: 20 } }] });
await loans.updateOne({ _id: 1 }, { $inc: { 'lines.$[].days': 1 } });
print('elements', await loans.findOne({ _id: 1 }));
const upserted = await counters.updateOne({ _id: 'loans' }, { $inc: { n: 1 } }, { upsert: true });
print('upserted', upserted);
print('upserted again', await counters.updateOne(
  { _id: 'loans' }, { $inc: { n: 1 }, $setOnInsert: { new: true } }, { upsert: true }));
print('replaced', await books.replaceOne({ _id: 'b4' }, { title: 'Walden', year: 1854 }));
print('replacement', await books.findOne({ _id: 'b4' }));
print('find and update', await counters.findOneAndUpdate(
  { _id: 'loans' }, { $inc: { n: 1 } }, { returnDocument: 'after' }));
print('before', await counters.findOneAndUpdate({ _id: 'loans' }, { $inc: { n: 1 } }));
print('made', await counters.findOneAndUpdate(
  { _id: 'books' }, { $inc: { n: 1 } }, { upsert: true, returnDocument: 'after' }));
print('with metadata', await counters.findOneAndUpdate(
  { _id: 'books' }, { $inc: { n: 1 } }, { includeResultMetadata: true }).then(
  ({ value, lastErrorObject }) => [value, lastErrorObject]));
print('find and replace', await books.findOneAndReplace(
  { author: 'Woolf' }, { author: 'Woolf', title: 'The Waves' }, { projection: { title: 1 } }));
print('find and delete', await books.findOneAndDelete(
  { author: 'Joyce' }, { sort: { title: -1 }, projection: { title: 1 } }));

// --- Several at once ---

const bulk = await books.bulkWrite([
  { insertOne: { document: { _id: 'c1', title: 'New' } } },
  { updateOne: { filter: { _id: 'c1' }, update: { $set: { copies: 1 } } } },
  { updateMany: { filter: { copies: { $lt: 2 } }, update: { $inc: { copies: 10 } } } },
  { replaceOne: { filter: { _id: 'c2' }, replacement: { title: 'Other' }, upsert: true } },
  { deleteOne: { filter: { _id: 'b4' } } },
  { deleteMany: { filter: { title: { $in: ['The Waves'] } } } },
]);
print('bulk', [bulk.insertedCount, bulk.matchedCount, bulk.modifiedCount, bulk.deletedCount,
  bulk.upsertedCount, bulk.insertedIds, bulk.upsertedIds]);
try {
  await books.bulkWrite([{ insertOne: { document: { _id: 'd1' } } },
    { insertOne: { document: { _id: 'd1' } } }, { insertOne: { document: { _id: 'd2' } } }]);
} catch (error) {
  print('bulk stopped', [error.code, error.result.insertedCount]);
}

// --- Values ---

const values = {
  _id: 'v', date: new Date('2020-02-29T12:34:56.789Z'), float: 1.5, negative: -7, large: 2 ** 40,
  text: 'é語𝄞', yes: true, nothing: null, nested: { list: [1, [2, { three: 3 }]] }, empty: {},
};
await loans.insertOne(values);
const back = await loans.findOne({ _id: 'v' });
print('values', back);
print('date', back.date instanceof Date && back.date.getTime() === values.date.getTime());
print('order', Object.keys(back));

print('collections', (await db.listCollections().toArray()).map(({ name }) => name).sort());
await loans.drop();
print('dropped', await loans.countDocuments());
print('left', await titles({}, byTitle));
await close();

// Programs that must compile; each line below `@ts-expect-error` must not.

import {
  BulkWriteError, Collection, Database, DuplicateKeyError, Filter, NanoDBError, ObjectId,
  SyncCollection, UpdateFilter, UUID, WithId, open, openSync,
} from '../../lib/index';

interface User {
  name: string;
  age: number;
  tags: string[];
  address?: { city: string; zip: string };
  born?: Date;
}

interface Setting {
  _id: string;
  value: boolean;
}

async function users(db: Database): Promise<void> {
  const collection: Collection<User> = db.collection<User>('users');
  const { insertedId } = await collection.insertOne({ name: 'Ada', age: 36, tags: [] });
  const id: ObjectId = insertedId;
  await collection.insertMany([{ _id: new ObjectId(), name: 'Bob', age: 12, tags: ['a'] }]);
  // @ts-expect-error: a field is missing
  await collection.insertOne({ name: 'Ada' });
  // @ts-expect-error: a field is of another type
  await collection.insertOne({ name: 'Ada', age: '36', tags: [] });

  const one: WithId<User> | null = await collection.findOne({ _id: id });
  const city: string | undefined = one?.address?.city;
  const filter: Filter<User> = { age: { $gte: 18 }, tags: 'a', 'address.city': 'Berlin', name: /^A/ };
  const found: WithId<User>[] = await collection.find(filter).sort({ age: -1 }).limit(3).toArray();
  const names: string[] = await collection.find({ $or: [{ age: 1 }, { name: 'x' }] })
    .map(({ name }) => name).toArray();
  for await (const { _id, age } of collection.find()) console.log(_id.toHexString(), age + 1);
  // @ts-expect-error: an operand is of another type
  await collection.find({ age: { $gte: 'x' } }).toArray();
  // @ts-expect-error: a field is of another type
  await collection.find({ age: 'x' }).toArray();

  const update: UpdateFilter<User> = { $set: { age: 5, 'address.city': 'Bonn' }, $inc: { age: 1 } };
  const { matchedCount, upsertedId } = await collection.updateOne(filter, update, { upsert: true });
  const upserted: ObjectId | null = upsertedId;
  await collection.updateMany({}, { $push: { tags: 'b' } });
  // @ts-expect-error: a field is of another type
  await collection.updateOne({}, { $set: { age: 'x' } });
  // @ts-expect-error: no number
  await collection.updateOne({}, { $inc: { name: 1 } });
  await collection.replaceOne({ _id: id }, { name: 'Ada', age: 37, tags: [] });

  const after: WithId<User> | null = await collection.findOneAndUpdate(
    { name: 'Ada' }, { $inc: { age: 1 } }, { returnDocument: 'after' });
  const { value, lastErrorObject } = await collection.findOneAndUpdate(
    { name: 'Ada' }, { $inc: { age: 1 } }, { includeResultMetadata: true });
  const ages: number[] = await collection.distinct('age');
  const tags: string[] = await collection.distinct('tags');
  await collection.bulkWrite([
    { insertOne: { document: { name: 'Dan', age: 1, tags: [] } } },
    { updateMany: { filter: { age: 1 }, update: { $set: { age: 2 } } } },
    { deleteOne: { filter: { name: 'Dan' } } },
  ]);
  console.log(city, found, names, matchedCount, upserted, after, value, lastErrorObject, ages, tags);
}

async function settings(db: Database): Promise<void> {
  const collection = db.collection<Setting>('settings');
  const { insertedId } = await collection.insertOne({ _id: 'dark', value: true });
  const id: string = insertedId;
  // @ts-expect-error: the id is required
  await collection.insertOne({ value: true });
  const one = await collection.findOne({ _id: id });
  const value: boolean | undefined = one?.value;
  const sync: SyncCollection<Setting> = db.sync.collection<Setting>('settings');
  for (const { _id } of sync.find()) console.log(_id.toUpperCase(), value);
}

async function others(): Promise<void> {
  const db = await open('data.nanodb', { durability: 'relaxed', ids: 'integer', timeout: 100 });
  // @ts-expect-error: no such option
  await open('data.nanodb', { durable: true });
  // @ts-expect-error: no such value
  await open('data.nanodb', { durability: 'eventual' });
  const count: number = await db.transaction(async (tx) => {
    await tx.collection<User>('users').deleteMany({ age: 1 });
    await db.collection('users').insertOne({ any: new UUID() }, { session: tx });
    return tx.collection('users').countDocuments();
  });
  const sync: number = db.sync.transaction((tx) => tx.collection('users').countDocuments());
  try {
    await db.collection('users').insertOne({ _id: 1 as any });
  } catch (error) {
    if (error instanceof DuplicateKeyError) console.log(error.keyValue._id, error.code === 11000);
    else if (error instanceof BulkWriteError) console.log(error.result.insertedCount);
    else if (error instanceof NanoDBError) console.log(error.kind === 'NANODB_LOCKED');
  }
  const snapshot = db.snapshot();
  console.log(count, sync, await snapshot.collection<User>('users').findOne());
  snapshot.close();
  await db.close();
  openSync(':memory:').sync.close();
}

export { users, settings, others };

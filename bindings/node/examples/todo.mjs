// A to-do list in a file, which survives being killed at any moment.
//
//     node todo.mjs FILE add TEXT ... | done NUMBER | list | clear

import { open } from 'nanodb';

const [file, verb, ...words] = process.argv.slice(2);
if (file === undefined || verb === undefined) {
  console.error('usage: todo.mjs FILE add TEXT ... | done NUMBER | list | clear');
  process.exit(2);
}

// Whatever a call that writes has acknowledged survives a power failure.
const db = await open(file, { ids: 'integer' });
try {
  const tasks = db.collection('tasks');
  switch (verb) {
    case 'add': {
      const { insertedId } = await tasks.insertOne({
        text: words.join(' '), done: false, at: new Date(),
      });
      console.log(`added ${insertedId}`);
      break;
    }
    case 'done': {
      const result = await tasks.updateOne({ _id: Number(words[0]) }, { $set: { done: true } });
      console.log(result.matchedCount === 1 ? `done ${words[0]}` : `there is no task ${words[0]}`);
      break;
    }
    case 'list':
      for await (const { _id, text, done } of tasks.find().sort({ _id: 1 })) {
        console.log(`${_id} [${done ? 'x' : ' '}] ${text}`);
      }
      break;
    case 'clear': {
      const { deletedCount } = await tasks.deleteMany({ done: true });
      console.log(`cleared ${deletedCount}`);
      break;
    }
    default:
      console.error(`there is no verb ${verb}`);
      process.exitCode = 2;
  }
} finally {
  await db.close();
}

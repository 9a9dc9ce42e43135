import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { AttachedStream } from '../../../src/runtimes/docker/attached-stream.ts';

test('what comes by a direct connection once the engine is lost is read until the end is told, and nothing after it', async () => {
  const [engine, engineFar] = duplexPair();
  const [direct, agent] = duplexPair();
  const told = Promise.withResolvers<void>();
  const stream = new AttachedStream(engine, () => told.promise);
  const faults: Error[] = [];
  stream.on('error', error => faults.push(error));
  stream.goOver(direct);
  const read = text(stream);
  const says = async (words: string) => {
    const came = once(direct, 'data');
    agent.write(words);
    await came;
  };
  const ended = once(engine, 'end');
  engineFar.destroy();
  await ended;
  await says('before');
  told.resolve();
  expect(await read).toBe('before');
  await says('after');
  await new Promise(setImmediate);
  expect(faults).toEqual([]);
  stream.destroy();
});

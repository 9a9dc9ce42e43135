import { expect, test } from 'vitest';
import type { Adapters } from '../../../src/service/debugging/adapters.ts';
import { openDoor } from '../support/open-door.ts';
import { runsOn } from '../support/scripts.ts';

/** Who is told that there are debuggers, and who gets one. */
const adapters: Adapters = { show: async () => '/packages/x/python' };
const layers = { layers: true };

const asked = async (options: Parameters<typeof openDoor>[0], requestsDebugging = true) => {
  const door = openDoor({ script: runsOn, ...options });
  const { result } = await door.ask('initialize', { clientCapabilities: { requestsDebugging } });
  const { id: sessionId } = await door.session();
  const started = await door.ask('debug.start', { sessionId });
  return { supported: result.serverCapabilities.supportsDebugging, started, door };
};

test('there are where they can be had, and the runtime has a place for them', async () => {
  const { supported, started } = await asked({ adapters, capabilities: layers });
  expect(supported).toBe(true);
  expect(started.result).toMatchObject({ language: 'python', adapter: { name: 'debugpy' } });
});

test.each([
  ['packages are off', { capabilities: layers }, /switched off: CODEBEAKER_PACKAGES=on$/],
  ['the runtime shows no packages', { adapters }, /name another runtimeType$/],
])('where %s there are none, and the answer says what would bring them', async (_, options, cure) => {
  const { supported, started } = await asked(options);
  expect(supported).toBe(false);
  expect(started.error.data).toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
    details: expect.stringMatching(cure),
  });
});

test('a client that did not ask for them gets none', async () => {
  const { supported, started, door } = await asked({ adapters, capabilities: layers }, false);
  expect(supported).toBe(true);
  expect(started.error.data.code).toBe('NOT_SUPPORTED');
  expect(door.runtime.last.processes).toEqual([]);
});

test('a server that shuts down starts none', async () => {
  const door = openDoor({ adapters, capabilities: layers, script: runsOn });
  const { id: sessionId } = await door.session();
  await door.service.drain();
  await expect(door.service.debugging.start({ sessionId }, door.call())).rejects.toMatchObject({
    code: 'SHUTTING_DOWN',
  });
});

test('one whose adapter can’t be started leaves its place to the next', async () => {
  const door = openDoor({ adapters, capabilities: layers, script: runsOn });
  const { id: sessionId } = await door.session();
  door.runtime.last.refusal = new Error('no');
  for (let i = 0; i < 5; i++)
    await expect(door.service.debugging.start({ sessionId }, door.call())).rejects.toThrow('no');
  door.runtime.last.refusal = undefined;
  await door.service.debugging.start({ sessionId }, door.call());
});

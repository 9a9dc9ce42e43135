import { describe, expect, it } from 'vitest';
import { FEATURE_NAMES } from '../../../src/schemas/features.ts';
import { KERNELS } from '../../../src/toolchains/toolchain.ts';
import { settle, standStill } from '../support/clock.ts';
import { openDoor } from '../support/open-door.ts';
import { byName, ends, kernel, prints } from '../support/scripts.ts';

standStill();

const script = byName({
  say: prints('said'),
  true: ends(),
  kernel: kernel(async (_, { print }) => {
    await print('said');
    return undefined;
  }),
  [`${KERNELS}/agent`]: async (_, { print, killed }) => {
    await print('s\0');
    await new Promise(resolve => killed.addEventListener('abort', resolve));
    return {};
  },
});

/** A client that has said what it wants; undefined: that it is there. */
async function client(wanted?: object) {
  const door = openDoor({ script, capabilities: { pty: true } });
  const { sessionId } = (await door.ask('session.create', { language: 'python' })).result;
  const initialized = await door.ask('initialize', wanted && { clientCapabilities: wanted });
  const command = (fields: object, more: object = {}) =>
    door.ask('session.execute', { sessionId, command: fields, ...more });
  return { ...door, sessionId, initialized, command };
}

const shell = { type: 'execute_shell', commandName: 'true' };
const pty = { cols: 80, rows: 24 };
const packages = ['six'];
type Asked = Awaited<ReturnType<typeof client>>;

/** What each feature is used by, and the field that the refusal names. */
const USES: [
  feature: string,
  field: string,
  use: (client: Asked) => Promise<{ error?: { data: object } }>,
][] = [
  ['Streaming', 'session.attach', ({ ask, sessionId }) => ask('session.attach', { sessionId })],
  ['FileWatch', 'fs.watch', ({ ask, sessionId }) => ask('fs.watch', { sessionId })],
  ['Terminals', 'command.pty', ({ command }) => command({ ...shell, pty, background: true })],
  ['Terminals', 'process.resize', ({ ask, sessionId }) => ask('process.resize', { sessionId, ...pty })],
  ['Packages', 'command.packages', ({ command }) => command({ type: 'install_packages', packages })],
  [
    'Packages',
    'command.params.requirementsFile',
    ({ command }) => command({ type: 'install_packages', params: { requirementsFile: 'r.txt' } }),
  ],
  ['Packages', 'command.packages', ({ command }) => command({ type: 'execute_code', code: 'x', packages })],
  ['Packages', 'packages', ({ ask }) => ask('session.create', { language: 'python', packages })],
  [
    'Packages',
    'config.packages',
    ({ ask }) => ask('execution.run', { language: 'python', code: 'x', packages }),
  ],
  [
    'Network',
    'networkEnabled',
    ({ ask }) => ask('session.create', { language: 'python', networkEnabled: true }),
  ],
  [
    'Network',
    'config.disableNetwork',
    ({ ask }) => ask('execution.run', { language: 'python', code: 'x', config: { disableNetwork: false } }),
  ],
  [
    'Terminals',
    'commands[1].pty',
    ({ ask, sessionId }) =>
      ask('execution.runCommands', { sessionId, commands: [shell, { ...shell, pty, background: true }] }),
  ],
];

describe('a feature', () => {
  it.each(USES)('%s is off for a client that did not ask for it: %s', async (feature, field, use) => {
    for (const wanted of [{}, { [`requests${feature}`]: false }]) {
      const asked = await client(wanted);
      const { error } = await use(asked);
      expect(error).toMatchObject({
        message: `${field}: this client did not ask for requests${feature} in initialize`,
        data: { code: 'NOT_SUPPORTED', field },
      });
      // Nothing was begun for it, of a batch neither.
      expect(asked.runtime.last.processes).toEqual([]);
    }
  });

  it.each(USES)('%s is on for a client that asked for it, or said nothing: %s', async (feature, _, use) => {
    for (const wanted of [{ [`requests${feature}`]: true }, undefined]) {
      const { error } = await use(await client(wanted));
      expect(JSON.stringify(error ?? '')).not.toContain('initialize');
    }
  });

  it('that is off sends nothing, keeps nothing and reads nothing', async () => {
    const { command, received, ask, sessionId, join } = await client({});
    const before = received.length;
    const other = join();
    await other.ask('session.attach', { sessionId });
    await command({ type: 'execute_code', code: 'x' }, { stream: true });
    await command({ ...shell, commandName: 'say', background: true }, { stream: true });
    await settle();
    // An answer each, while who follows the session is told.
    expect(received.slice(before).map(({ id }) => typeof id)).toEqual(['number', 'number']);
    expect(other.notified()).toContain('output');
    await ask('initialize', { clientCapabilities: { requestsStreaming: true } });
    await command({ type: 'execute_code', code: 'x' }, { stream: true });
    expect(received.some(({ method }) => method === 'execution.output')).toBe(true);
  });

  it('that is switched off later ends what goes on of it', async () => {
    const { ask, runtime, received, sessionId, join } = await client();
    await ask('fs.watch', { sessionId });
    await ask('session.attach', { sessionId });
    const [watching] = runtime.last.processes;
    expect(watching!.runs).toBe(true);
    await ask('initialize', { clientCapabilities: {} });
    await settle();
    expect(watching!.runs).toBe(false);
    const before = received.length;
    const command = { type: 'execute_code', code: 'x' };
    await join().ask('session.execute', { sessionId, command, stream: true });
    expect(received.length).toBe(before);
  });
});

describe('initialize', () => {
  it('says of each feature whether it works here', async () => {
    const { initialized, join } = await client();
    const { serverCapabilities } = initialized.result;
    const works = FEATURE_NAMES.filter(feature => serverCapabilities[`supports${feature}`]);
    expect(works).toEqual(['Streaming', 'FileWatch', 'Terminals']);
    for (const feature of FEATURE_NAMES)
      expect(serverCapabilities[`supports${feature}`]).toBeTypeOf('boolean');
    const overHttp = await join({ live: false }).ask('initialize', {});
    expect(overHttp.result.serverCapabilities.supportsStreaming).toBe(false);
  });

  it('refuses a wish that it does not know, naming it', async () => {
    expect((await client({ requestsMagic: true })).initialized.error.data).toEqual({
      code: 'VALIDATION_ERROR',
      field: 'clientCapabilities.requestsMagic',
    });
  });

  it('changes nothing for a client whose language is missing', async () => {
    const { initialized, ask, sessionId } = await client({ requiredLanguages: ['cobol'] });
    expect(initialized.error).toMatchObject({
      message: 'Required language is missing here: cobol',
      data: { field: 'clientCapabilities.requiredLanguages' },
    });
    expect(await ask('session.attach', { sessionId })).toHaveProperty('result');
  });

  it('waits for what is still being tried at the start before it misses a language', async () => {
    const tried = Promise.withResolvers<void>();
    const { begin, answerTo, runtime } = openDoor({ script, started: tried.promise });
    const { state } = runtime;
    runtime.state = { available: false, reason: 'starting', remedy: null, version: null };
    const id = await begin('initialize', { clientCapabilities: { requiredLanguages: ['python'] } });
    expect(answerTo(id)).toBeUndefined();
    runtime.state = state;
    tried.resolve();
    await settle();
    expect(answerTo(id)).toHaveProperty('result');
  });
});

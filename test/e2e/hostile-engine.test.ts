import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, FakeEngine } from '../support/fake-engine.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** A real server whose engine answers what no engine should: it lives, says why, and goes on when the engine does. */
const MB = 1024 * 1024;
const WAIT = { timeout: 60_000, interval: 100 };

const redirect: Answer = (_, response) => response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end();
const garbage: Answer = (_, response) => response.end('\0garbage');
const nothing: Answer = (_, response) => response.end('null');
const cut: Answer = (_, response) => {
  response.writeHead(200, { 'content-length': 1000 }).write('{');
  setTimeout(() => response.destroy(), 50);
};
const endless: Answer = (_, response) => {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(MB, 'x')));
  };
  response.on('drain', more);
  more();
};
const ANSWERS = Object.entries({ redirect, garbage, nothing, cut, endless });

/** What a container takes of an engine, and how it is asked for. */
const STEPS = [
  ['inspect', /^GET \/images\/codebeaker-there/],
  ['create', /^POST \/containers\/create/],
  ['attach', /^POST \/containers\/\w+\/attach/],
] as const;

describe('an engine that misbehaves', () => {
  const fake = new FakeEngine();
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      env: { DOCKER_HOST: `unix://${fake.socket}`, CODEBEAKER_RUNTIMES: 'Docker,Bun' },
    });
  });
  afterAll(async () => {
    await server?.stop();
    fake[Symbol.dispose]();
  });

  const reason = async () => (await http(`${server.url}/health`)).body.runtimes.Docker.reason;
  const says = (pattern: RegExp) => vi.waitFor(async () => expect(await reason()).toMatch(pattern), WAIT);
  const recovers = async () => {
    fake.misbehave = null;
    await says(/^the image \S+ is not on the engine$/);
    const other = await runOnce(server.url, { language: 'javascript', code: 'console.log(1)' });
    expect(other).toMatchObject({ outcome: 'ok', stdout: '1\n' });
  };

  test.for([
    ['a redirect', /^GET \/version/, redirect],
    ['garbage', /^GET \/info/, garbage],
    ['nothing', /^POST \/volumes/, nothing],
    ['half an answer', /^GET \/containers\/json/, cut],
    ['an answer without an end', /^GET \/version/, endless],
  ] as const)('at its start, with %s, is unavailable for that', async ([, line, answer]) => {
    await recovers();
    fake.misbehave = [line, answer];
    fake.hangUp();
    await says(/the Docker engine('s answer)? can't be (used|read)/);
    await recovers();
  });

  test.for([
    ['no JSON', 'garbage\n'],
    ['nothing', 'null\n'],
    ['another shape', '{"Action":{"toString":1},"id":["x"]}\n'],
    ['half a line', '{"Action":"di'],
    ['a line without an end', 'x'.repeat(2 * MB)],
  ] as const)('with events of %s is unavailable or left', async ([what, text]) => {
    await recovers();
    fake.tell(text);
    if (what === 'half a line') fake.hangUp();
    await says(/events can't be read|has gone/);
    await recovers();
  });

  test.for(ANSWERS)('when a client wants a container, with %s, costs that one', async ([what, answer]) => {
    await recovers();
    const client = await RpcClient.connect(server.wsUrl);
    for (const [step, line] of STEPS) {
      fake.misbehave = [line, answer];
      // What is known of an image is not asked for again at once.
      const dockerImage = `codebeaker-there-${what}_${step}`;
      const opened = client.call('session.create', { language: 'python', dockerImage });
      const isTooLarge = step === 'inspect' && answer === endless;
      const code = isTooLarge ? 'NOT_SUPPORTED' : 'RUNTIME_UNAVAILABLE';
      await expect(opened).rejects.toMatchObject({ data: { code } });
      await recovers();
    }
    await client.close();
  });

  test.for([
    'codebeaker-x/../../containers/json',
    'codebeaker-x/json?all=1#',
    'codebeaker-x%2f..',
    'codebeaker-x\r\nHost: other',
    `codebeaker-${'x'.repeat(256)}`,
    'codebeaker-x:',
  ])('is never asked for an image of the name %j', async dockerImage => {
    const before = fake.asked.length;
    const request = { language: 'python', code: '1', dockerImage };
    const answers = [
      await http(`${server.url}/api/execution`, 'POST', request),
      await http(`${server.url}/api/session`, 'POST', { language: 'python', dockerImage }),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(400);
      expect(body).toMatchObject({
        code: 'VALIDATION_ERROR',
        message: expect.stringContaining('dockerImage'),
      });
    }
    const client = await RpcClient.connect(server.wsUrl);
    for (const [method, params] of [
      ['session.create', { language: 'python', dockerImage }],
      ['execution.run', request],
    ] as const) {
      const error = await client.call(method, params).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining('dockerImage') });
    }
    await client.close();
    const asked = fake.asked.slice(before).filter(line => line.includes('codebeaker-x'));
    expect(asked).toEqual([]);
  });
});

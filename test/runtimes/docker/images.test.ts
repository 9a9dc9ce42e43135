import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, EngineUnable } from '../../../src/runtimes/docker/engine.ts';
import { Images } from '../../../src/runtimes/docker/images.ts';
import { FakeEngine } from '../../support/fake-engine.ts';

/** What is refused of images, and how seldom an engine is asked for them. */
const ID = `sha256:${'1'.repeat(64)}`;

let fake: FakeEngine;
let images: Images;
beforeEach(() => {
  fake = new FakeEngine();
  vi.stubEnv('DOCKER_HOST', `unix://${fake.socket}`);
  images = new Images(new Engine());
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  fake[Symbol.dispose]();
});

const answer = (status: number, body: unknown) => {
  fake.misbehave = [
    /^GET \/images\//,
    (_, response) => {
      response.statusCode = status;
      response.end(JSON.stringify(body));
    },
  ];
};

test.for([
  ['no configuration', null, {}],
  ['variables', { Env: ['A=b=c', '__proto__=x', 'without'] }, { A: 'b=c', ['__proto__']: 'x' }],
  ['labels, and a null for volumes', { Labels: { a: 'b' }, Volumes: null, Env: null }, {}],
  ['an empty set of volumes', { Volumes: {} }, {}],
  ['nearly 128 KiB', { Labels: { a: 'x'.repeat(130_000) } }, {}],
] as const)('an image with %s is used, by its identifier', async ([, Config, environment]) => {
  answer(200, { Id: ID, Config });
  const usual = { USER: 'sandbox', LOGNAME: 'sandbox' };
  expect(await images.find('name')).toEqual({ id: ID, environment: { ...usual, ...environment } });
});

test.for([
  ['a volume', { Volumes: { '/data': {} } }, /volumes, which programs could fill.*: \/data$/],
  ['one where the service mounts its own', { Volumes: { '/workspace': {} } }, /: \/workspace$/],
  [
    'many volumes',
    { Volumes: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`/${i}`, {}])) },
    /: .{200}$/,
  ],
  ['large labels', { Labels: { a: 'x'.repeat(140_000) } }, /has 137 KiB and may have 128 KiB$/],
  ['many variables', { Env: Array(2000).fill(`A=${'é'.repeat(50)}`) }, /configuration.* 128 KiB$/],
  ['another large field', { Entrypoint: ['x'.repeat(140_000)] }, /configuration.* 128 KiB$/],
  ['a configuration of megabytes', { Labels: { a: 'x'.repeat(2_000_000) } }, /configuration.* has more/],
] as const)('an image with %s is refused with the field and the reason', async ([, Config, reason]) => {
  answer(200, { Id: ID, Config });
  for (const _ of [1, 2]) {
    await expect(images.find('name')).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      field: 'dockerImage',
      message: expect.stringMatching(/^dockerImage: name is refused: /),
    });
    await expect(images.find('name')).rejects.toThrow(reason);
  }
  expect(fake.asked).toEqual(['GET /images/name/json']);
});

test.for([
  ['of another shape', { Id: ID, Config: { Env: 'A=b' } }, /can't be read: \/Config/],
  ['without volumes that can be read', { Id: ID, Config: { Volumes: ['/data'] } }, /can't be read: \/Config/],
  ['of nothing', null, /can't be read/],
] as const)('an answer %s is an error, and is asked for again', async ([, body, reason]) => {
  answer(200, body);
  await expect(images.find('name')).rejects.toThrow(reason);
  answer(200, { Id: ID, Config: null });
  expect(await images.find('name')).toMatchObject({ id: ID });
});

test('an image that is missing, or named by its identifier, is not there, and may come at any time', async () => {
  answer(404, { message: 'No such image' });
  await expect(images.find('name')).rejects.toThrow(/^dockerImage: name is not on the engine/);
  answer(200, { Id: ID, Config: null });
  await expect(images.find('11111111')).rejects.toThrow(/^dockerImage: 11111111 is not on the engine/);
  expect(await images.find('name')).toMatchObject({ id: ID });
});

describe('an engine', () => {
  test('is asked once for all who want an image within seconds, and never for a list', async () => {
    answer(200, { Id: ID, Config: null });
    await Promise.all(Array.from({ length: 50 }, () => images.find('name')));
    await images.find('name');
    expect(fake.asked).toEqual(['GET /images/name/json']);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 6000);
    await images.find('name');
    vi.restoreAllMocks();
    expect(fake.asked).toHaveLength(2);
  });

  test('that does not answer is asked once for all who wait for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    fake.misbehave = [/./, () => {}];
    const waiting = Array.from({ length: 50 }, () => images.find('name').catch((error: unknown) => error));
    await vi.waitFor(() => expect(fake.asked).toHaveLength(1), 9000);
    vi.advanceTimersByTime(10_000);
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(EngineUnable);
    expect(fake.asked).toHaveLength(1);
  });
});

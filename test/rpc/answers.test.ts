import pino from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/rpc/connection.ts';
import { createRpc } from '../../src/rpc/index.ts';
import { until } from './door.ts';
import { log, ServiceDouble, scripted } from './service-double.ts';

/** What answers on their way to a client that does not read may take, however it asked for them. */
const MB = 1024 * 1024;
/** Of a socket, before what makes more waits; see plugins/socket-outlet.ts. */
const WINDOW = MB;
const request = (id: number, method: string, params = {}) => ({ jsonrpc: '2.0', id, method, params });

/** A way out that is read when the test says so. */
class Outlet {
  readonly texts: { text: string; gone: () => void }[] = [];
  pending = 0;
  #waiting: (() => void)[] = [];

  send(text: string, gone: () => void): Promise<void> | void {
    this.texts.push({ text, gone });
    this.pending += text.length;
    return this.room();
  }

  room(): Promise<void> | void {
    if (this.pending > WINDOW) return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Takes what was sent. */
  read(): string[] {
    this.pending = 0;
    const taken = this.texts.splice(0);
    for (const { gone } of taken) gone();
    for (const resolve of this.#waiting.splice(0)) resolve();
    return taken.map(({ text }) => text);
  }
}

const connections: Connection[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});

async function join() {
  const service = new ServiceDouble();
  const rpc = createRpc({ service, log: pino({ level: 'silent' }) });
  const outlet = new Outlet();
  const connection = rpc.connect({ owner: null, client: 'test', log, outlet });
  connections.push(connection);
  const { signal } = new AbortController();
  const call = { id: '1', owner: null, client: 'test', lane: null, signal, log };
  const environment = { A: 'x'.repeat(MB) };
  const { sessionId } = await service.sessions.create({ language: 'python', environment }, call);
  let looked = 0;
  const { get } = service.sessions;
  service.sessions.get = (id, by) => {
    looked++;
    return get(id, by);
  };
  return { outlet, connection, service, sessionId, looked: () => looked };
}

const many = (count: number, sessionId: string) =>
  Array.from({ length: count }, (_, id) => request(id, 'session.get', { sessionId }));
const settle = () => new Promise(resolve => setTimeout(resolve, 300));

describe('a client that does not read has a few large answers on their way', () => {
  test.for([
    ['messages', (all: object[]) => all.map(each => JSON.stringify(each))],
    ['lines of one message', (all: object[]) => [all.map(each => JSON.stringify(each)).join('\n')]],
    ['batches in one message', (all: object[]) => [all.map(each => JSON.stringify([each])).join('\n')]],
  ] as const)('that it asked for in %s', async ([, messages]) => {
    const { outlet, connection, sessionId } = await join();
    const receiving = messages(many(160, sessionId)).map(text => connection.receive(text));
    await settle();
    expect(outlet.pending).toBeLessThan(132 * MB);
    const answered: string[] = [];
    await until(() => {
      answered.push(...outlet.read());
      return answered.length === 160;
    });
    await Promise.all(receiving);
  });

  test('and is not even asked for more until it reads on', async () => {
    const { outlet, connection, sessionId, looked } = await join();
    const receiving = many(160, sessionId).map(each => connection.receive(JSON.stringify(each)));
    await settle();
    expect(looked()).toBeLessThan(8);
    expect(outlet.pending).toBeLessThan(8 * MB);
    const texts: string[] = [];
    await until(() => {
      texts.push(...outlet.read());
      return texts.length === 160;
    });
    await Promise.all(receiving);
    expect(texts.every(text => JSON.parse(text).result)).toBe(true);
  });

  test('also of commands, which run all the same: what has no room is answered in a sentence', async () => {
    const { outlet, connection, service, sessionId } = await join();
    const command = { ...scripted({ waitFor: 'gate', background: true }), stdin: 'x'.repeat(MB) };
    const run = (id: number) => request(id, 'session.execute', { sessionId, command });
    const receiving = Array.from({ length: 200 }, (_, id) => connection.receive(JSON.stringify(run(id))));
    await until(() => service.begun.length === 200);
    service.open('gate');
    await until(() => outlet.texts.filter(({ text }) => text.includes('"id"')).length >= 200);
    expect(outlet.pending).toBeLessThan(132 * MB);
    const answers = outlet.read().map(text => JSON.parse(text));
    expect(answers.filter(({ error }) => error?.data.code === 'PAYLOAD_TOO_LARGE').length).toBeGreaterThan(
      60,
    );
    await Promise.all(receiving);
  });

  test('and what was on its way to one that has gone leaves its room to others', async () => {
    const { outlet, connection, sessionId } = await join();
    void connection.receive(JSON.stringify(many(60, sessionId)));
    await until(() => outlet.texts.length === 1);
    connection.close();
    void connection.receive(JSON.stringify(many(60, sessionId)));
    await settle();
    expect(outlet.texts).toHaveLength(1);
  });
});

test('the questions of a batch whose answer is full are not looked into', async () => {
  const { outlet, connection, sessionId, looked } = await join();
  void connection.receive(JSON.stringify(many(1000, sessionId)));
  await until(() => outlet.texts.length === 1);
  const answers = JSON.parse(outlet.read()[0]!);
  expect(answers).toHaveLength(1000);
  expect(looked()).toBeLessThan(70);
  const refused = answers.filter((answer: { error?: object }) => answer.error);
  expect(refused.length).toBeGreaterThan(900);
  expect(refused[0].error).toMatchObject({ code: -31013, data: { code: 'PAYLOAD_TOO_LARGE' } });
});

test('a question that waits for its turn is cancelled as any other', async () => {
  const { outlet, connection, sessionId } = await join();
  const receiving = many(20, sessionId).map(each => connection.receive(JSON.stringify(each)));
  await settle();
  void connection.receive(JSON.stringify(request(100, '$/cancelRequest', { id: 19 })));
  const answers: { id: number; error?: object }[] = [];
  await until(() => {
    answers.push(...outlet.read().map(text => JSON.parse(text)));
    return answers.length === 21;
  });
  await Promise.all(receiving);
  expect(answers.find(({ id }) => id === 19)).toMatchObject({ error: { code: -32800 } });
  expect(answers.filter(({ error }) => error)).toHaveLength(1);
});

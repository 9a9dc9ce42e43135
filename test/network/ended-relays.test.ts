import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Denial } from '../../src/network/egress/protocol.ts';
import { EgressProcess } from '../../src/network/egress-process.ts';
import { SandboxNetwork } from '../../src/network/sandbox-network.ts';
import type { Process, ProcessEvent, Sandbox } from '../../src/sandbox.ts';
import { CollectedLog } from '../unit/support/collected-log.ts';
import { FakeInternet } from './fake-internet.ts';
import { FakeRelay } from './fake-relay.ts';

/** A program can end the relay of its sandbox, and the egress process may end: what has passed stays counted. */
const BYTES = 100_000;
let internet: FakeInternet;
let echo: number;
beforeAll(async () => {
  internet = await FakeInternet.start();
  echo = await internet.echo();
  internet.names.set('db.test', '127.0.0.1');
});
afterAll(() => internet[Symbol.asyncDispose]());

const start = () =>
  EgressProcess.start({
    uid: null,
    ceiling: { allow: ['*:1-65535'], deny: [], private: [`127.0.0.1:${echo}`] },
    resolvers: [internet.resolver],
    proxy: null,
    certificates: null,
    bytesPerSecond: 64 * 1024 * 1024,
  });

/** A sandbox in which the tests are the relay. */
class Relays {
  readonly all: FakeRelay[] = [];
  readonly #ends: (() => void)[] = [];
  readonly sandbox = { spawn: async () => this.#spawn() } as unknown as Sandbox;

  async at(number: number): Promise<FakeRelay> {
    await expect.poll(() => this.all.length).toBe(number + 1);
    return this.all[number]!;
  }

  /** Ends the latest one, as a program does by a signal. */
  end(): void {
    this.#ends.at(-1)?.();
  }

  #spawn(): Process {
    const [toService, toRelay] = [new PassThrough(), new PassThrough()];
    const end = () => toService.end();
    // What a relay needs of a socket.
    const socket = Object.assign(toRelay, { write: toService.write.bind(toService) });
    this.all.push(new FakeRelay(socket as never));
    this.#ends.push(end);
    async function* events(): AsyncGenerator<ProcessEvent> {
      for await (const data of toService) yield { type: 'control', data };
    }
    const sendControl = async (data: Uint8Array) => void toRelay.push(data);
    return { events: events(), sendControl, signal: end } as unknown as Process;
  }
}

async function open(relays: Relays, egress: () => Promise<EgressProcess>) {
  const denied: Denial[] = [];
  const policy = { allow: [`db.test:${echo}`], deny: [] };
  const onDenied = (denial: Denial) => denied.push(denial);
  const { sandbox } = relays;
  const log = new CollectedLog();
  const network = await SandboxNetwork.open({ sandbox, egress, policy, bytes: BYTES, onDenied, log });
  return { network, denied };
}

/** Sends so many bytes and waits until they have come back, or the connection is refused. */
async function pass(relay: FakeRelay, bytes: number): Promise<'passed' | 'refused'> {
  const stream = relay.open(echo, (await relay.ask('db.test'))!, 'x'.repeat(bytes));
  await expect.poll(() => stream.end === 'reset' || stream.received.length === bytes).toBe(true);
  return stream.end === 'reset' ? 'refused' : 'passed';
}

test('the limit of bytes is one for all relays of a sandbox, and nothing that passed is missing in its usage', async () => {
  await using egress = await start();
  const relays = new Relays();
  const { network, denied } = await open(relays, async () => egress);
  for (let i = 0; i < 2; i++) {
    expect(await pass(await relays.at(i), 20_000)).toBe('passed');
    relays.end();
  }
  const third = await relays.at(2);
  expect(await network.usage()).toEqual({ bytesIn: 40_000, bytesOut: 40_000, connections: 2, denied: 0 });
  expect(await pass(third, 15_000)).toBe('refused');
  expect(denied).toMatchObject([{ name: 'db.test', reason: 'byte_limit' }]);
  const { bytesIn, bytesOut } = await network.usage();
  expect(bytesIn + bytesOut).toBeLessThanOrEqual(BYTES);
  network[Symbol.dispose]();
});

test('a sandbox has its network again when the egress process has ended', async () => {
  let egress = await start();
  const relays = new Relays();
  const { network } = await open(relays, async () => egress);
  expect(await pass(await relays.at(0), 1000)).toBe('passed');
  // Asked for, so that it is known.
  expect(await network.usage()).toMatchObject({ bytesIn: 1000, bytesOut: 1000 });
  const ended = egress;
  egress = await start();
  await ended[Symbol.asyncDispose]();
  expect(await pass(await relays.at(1), 1000)).toBe('passed');
  expect(await network.usage()).toMatchObject({ bytesIn: 2000, bytesOut: 2000, connections: 2 });
  network[Symbol.dispose]();
  await egress[Symbol.asyncDispose]();
});

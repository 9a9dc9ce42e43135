import { afterAll, beforeEach, expect, test } from 'vitest';
import { CodeBeaker, type RunEvent } from '../../../src/client/index.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { openHttp } from '../support/open-http.ts';

/** Our own client, where a session keeps only the last events: those are read, and the loss of the others is told once. */
/** For a busy machine. */
const PATIENCE = { timeout: 15_000 };
let mayGoOn = Promise.withResolvers<void>();
const http = await openHttp(
  {},
  {
    settings: { replayBytes: 3000 },
    async script(_, { print }) {
      await print('begun');
      await mayGoOn.promise;
      for (let i = 0; i < 100; i++) await print(`${i}`.padStart(100), i % 2 ? 'stderr' : 'stdout');
      return {};
    },
  },
);
const proxy = await CuttingProxy.open(http.url);
const client = new CodeBeaker({ url: proxy.url, patience: 300 });
afterAll(async () => {
  client.close();
  await proxy[Symbol.asyncDispose]();
  await http.app.close();
});
beforeEach(() => {
  mayGoOn = Promise.withResolvers();
});

/** Runs the program to its end where nobody follows it: what is not read yet would be kept. */
async function runAlone({ shell }: Awaited<ReturnType<typeof http.session>>): Promise<string> {
  mayGoOn.resolve();
  const { result } = await shell('any', { background: true });
  const { executionId } = result as { executionId: string };
  await ended(executionId);
  return executionId;
}

const ended = (id: string) =>
  expect
    .poll(async () => (await http.service.executions.status(id, http.call())).completedAt, PATIENCE)
    .not.toBe(null);

async function readAll(run: AsyncIterable<RunEvent>, seen: RunEvent[] = []): Promise<RunEvent[]> {
  for await (const event of run) seen.push(event);
  return seen;
}

/** Each number is that of an event, or among those that are lost; what was printed last came. */
function expectTail(events: readonly RunEvent[]): void {
  let last = 0;
  for (const event of events) {
    last += event.type === 'lost' ? event.count : 1;
    if (event.type !== 'lost') expect(event.seq).toBe(last);
  }
  expect(events.filter(({ type }) => type === 'lost')).toHaveLength(1);
  expect(events.slice(-2)).toMatchObject([
    { type: 'output', text: `${99}`.padStart(100) },
    { type: 'completed' },
  ]);
}

test('of a command that has ended, what is kept is read', async () => {
  const session = await http.session();
  const id = await runAlone(session);
  expectTail(await readAll(client.attach(session.id).follow(id)));
});

test('a command of which nothing is kept ends as well', async () => {
  const session = await http.session();
  const id = await runAlone(session);
  await runAlone(session);
  expect(await readAll(client.attach(session.id).follow(id))).toMatchObject([{ type: 'lost' }]);
});

test.each([
  ['what is kept comes', 0],
  ['its end is told', 1],
])('after a connection was lost and %s', async (_, more) => {
  const session = await http.session();
  const run = await client.attach(session.id).spawn('any');
  const seen: RunEvent[] = [];
  const all = readAll(run, seen);
  await expect.poll(() => seen.length, PATIENCE).toBe(2);
  proxy.cut({ refuse: true });
  await expect.poll(() => http.app.websocketServer.clients.size, PATIENCE).toBe(0);
  mayGoOn.resolve();
  await ended(run.id);
  for (let i = 0; i < more; i++) await runAlone(session);
  proxy.mend();
  if (more === 0) expectTail(await all);
  else expect((await all).slice(2)).toMatchObject([{ type: 'lost' }]);
  expect(await run.result()).toMatchObject({ status: 'completed' });
});

import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { CodeBeaker, type CodeBeakerError, type RunEvent, type Session } from '../../src/client/index.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';

/** Our own client, whose connections are lost: nothing that a program tells is missed, and nothing comes twice. */
const { url } = inject('server');
/** It has another way to the server, which is not cut. */
const beside = new CodeBeaker({ url });
let proxy: CuttingProxy;
let client: CodeBeaker;
let session: Session;
/** The same session, for what is done while the client is cut off. */
let other: Session;

beforeAll(async () => {
  proxy = await CuttingProxy.open(url);
  client = new CodeBeaker({ url: proxy.url, patience: 300 });
  session = await client.session({ language: 'python' });
  other = beside.attach(session.id);
});
afterAll(async () => {
  await other.close();
  client.close();
  beside.close();
  await proxy[Symbol.asyncDispose]();
});

/** Prints so many lines, then waits until it may go on: each round ends before the next is begun. */
const rounds = (count: number, lines: string) => `import os, time
for round in range(${count}):
    ${lines}
    open(f'printed-{round}', 'w').close()
    while not os.path.exists(f'go-{round}'): time.sleep(0.01)
    os.remove(f'go-{round}'); os.remove(f'printed-{round}')`;

/** Resolves when a round has been printed. */
const printed = (round: number) =>
  expect.poll(async () => (await other.list()).map(({ name }) => name)).toContain(`printed-${round}`);

/** The numbers of events, and all that was printed. */
async function readAll(events: AsyncIterable<RunEvent>, onText: (text: string) => void = () => {}) {
  const seqs: number[] = [];
  let text = '';
  let lost = 0;
  let last = '';
  for await (const event of events) {
    last = event.type;
    if (event.type === 'lost') lost += event.count;
    else seqs.push(event.seq);
    if (event.type !== 'output') continue;
    text += event.text;
    onText(text);
  }
  return { seqs, text, lost, last };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}\n`).join('');

test('a cell is read on where the connection was lost, with what it printed meanwhile', async () => {
  const code = rounds(4, "print('\\n'.join(str(round * 50 + i) for i in range(50)), flush=True)");
  const run = await session.start(code);
  let shown = '';
  const all = readAll(run, text => {
    shown = text;
  });
  for (const round of [0, 1, 2, 3]) {
    await printed(round);
    if (round % 2 === 1) proxy.mend();
    await expect.poll(() => round % 2 === 0 || shown === numbers(50 * (round + 1))).toBe(true);
    // Half of the rounds are printed while nobody is there.
    if (round % 2 === 1) proxy.cut({ refuse: true });
    await other.write(`go-${round}`, '');
  }
  proxy.mend();
  const { seqs, text, lost } = await all;
  expect([text, lost]).toEqual([numbers(200), 0]);
  // Others' numbers lie between.
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(await run.result()).toMatchObject({ status: 'completed', stdout: numbers(200) });
});

test('runs of several sessions go on together', async () => {
  await using second = await client.session({ language: 'python' });
  const third = beside.attach(second.id);
  const gate = `import os, time
print('begun', flush=True)
while not os.path.exists('go'): time.sleep(0.01)
print('ended')`;
  const runs = [await session.start(gate), await second.start(gate)];
  const texts = ['', ''];
  const all = runs.map((run, i) =>
    readAll(run, text => {
      texts[i] = text;
    }),
  );
  await expect.poll(() => texts).toEqual(['begun\n', 'begun\n']);
  proxy.cut();
  await Promise.all([other, third].map(each => each.write('go', '')));
  expect((await Promise.all(all)).map(({ text }) => text)).toEqual(['begun\nended\n', 'begun\nended\n']);
  await other.execute({ type: 'delete_file', path: 'go' });
});

test('what is lost because there was too much of it is told, and how the run ended all the same', async () => {
  const run = await session.start(rounds(2, "print('x' * 3_000_000 if round else 'first', flush=True)"));
  let shown = '';
  const all = readAll(run, text => {
    shown = text;
  });
  await expect.poll(() => shown).toBe('first\n');
  await printed(0);
  proxy.cut({ refuse: true });
  await other.write('go-0', '');
  await printed(1);
  await other.write('go-1', '');
  expect((await other.follow(run.id).result()).status).toBe('completed');
  proxy.mend();
  // The end is among what is kept.
  expect(await all).toMatchObject({ lost: expect.any(Number), last: 'completed' });
  expect((await all).lost).toBeGreaterThan(0);
  expect(await run.result()).toMatchObject({ status: 'completed', truncated: true });
});

test('a one-shot is read on where the connection was lost', async () => {
  const code = 'import time\nfor i in range(100): print(i, flush=True); time.sleep(0.005)';
  let cuts = 0;
  const { seqs, text, lost } = await readAll(client.stream({ language: 'python', code }), shown => {
    if (shown.length > 60 * cuts && cuts < 3) {
      cuts++;
      proxy.cut();
    }
  });
  expect([text, lost]).toEqual([numbers(100), 0]);
  expect(cuts).toBeGreaterThan(0);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
});

test('a client gives up after its patience, and its program goes on', async () => {
  const hasty = new CodeBeaker({ url: proxy.url, patience: 0.2 });
  const run = await hasty.attach(session.id).start(rounds(1, "print('begun', flush=True)"));
  await printed(0);
  proxy.cut({ refuse: true });
  const error = await run.result().catch((error: CodeBeakerError) => error);
  expect(error).toMatchObject({ name: 'CodeBeakerError', code: 'UNREACHABLE' });
  proxy.mend();
  await other.write('go-0', '');
  expect(await other.follow(run.id).result()).toMatchObject({ status: 'completed', stdout: 'begun\n' });
  hasty.close();
});

test('a session that ended meanwhile ends what is read of it', async () => {
  const short = await client.session({ language: 'python' });
  const run = await short.start("print('begun', flush=True)\nwhile True: pass");
  const events = run[Symbol.asyncIterator]();
  await events.next();
  proxy.cut({ refuse: true });
  await beside.attach(short.id).close();
  proxy.mend();
  await expect(run.result()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND', reason: 'client' });
});

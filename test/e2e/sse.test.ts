import { expect, inject, test } from 'vitest';
import { http, runOnce } from '../support/rest-client.ts';

/** Server-sent events of an execution: from the start, from where a client stopped, and over. */
const server = inject('server');

interface SentEvent {
  readonly id: number;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  readonly data: any;
}

const COUNT = 'import time\nfor i in range(30):\n  print(i)\n  time.sleep(0.01)';
const LINES = Array.from({ length: 30 }, (_, i) => `${i}\n`).join('');
const textOf = (events: SentEvent[]) => events.map(e => (e.event === 'output' ? e.data.text : '')).join('');

test('tell a run from start to end while it runs', async () => {
  const { body } = await http(`${server.url}/api/execution`, 'POST', { language: 'python', code: COUNT });
  const events = await listen(body.executionId);
  expect(events.map(e => e.id)).toEqual(events.map((_, i) => i + 1));
  expect(events[0]?.event).toBe('started');
  expect(events.at(-1)).toMatchObject({ event: 'completed', data: { status: 'completed', exitCode: 0 } });
  expect(events.every(e => e.data.seq === e.id && e.data.executionId === body.executionId)).toBe(true);
  expect(textOf(events)).toBe(LINES);
});

test('start over for one that has ended, or go on after Last-Event-ID, and then are over with 204', async () => {
  const end = await runOnce(server.url, { language: 'python', code: COUNT });
  const all = await listen(end.executionId);
  expect(textOf(all)).toBe(LINES);
  const middle = all[Math.floor(all.length / 2)]!.id;
  const rest = await listen(end.executionId, String(middle));
  expect(rest.map(e => e.id)).toEqual(all.slice(middle).map(e => e.id));
  const last = String(all.at(-1)!.id);
  const over = await http(at(end.executionId), 'GET', undefined, { 'last-event-id': last });
  expect(over).toMatchObject({ status: 204, body: '' });
});

test('of an execution that was never there are not found', async () => {
  expect(await http(at('nobody'))).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
});

test('of a client that leaves do not stop the run', async () => {
  const { body } = await http(`${server.url}/api/execution`, 'POST', { language: 'python', code: COUNT });
  const controller = new AbortController();
  const answer = await fetch(at(body.executionId), { signal: controller.signal });
  await answer.body?.getReader().read();
  controller.abort();
  expect(textOf(await listen(body.executionId))).toBe(LINES);
});

function at(id: string): string {
  return `${server.url}/api/execution/${id}/events`;
}

async function listen(id: string, lastEventId?: string): Promise<SentEvent[]> {
  const answer = await fetch(at(id), { headers: lastEventId ? { 'last-event-id': lastEventId } : {} });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const text = await answer.text();
  const blocks = text.split('\n\n').filter(block => block.includes('data:'));
  return blocks.map(block => {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
    return { id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) };
  });
}

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openSession, type Subject } from './setting.ts';

/**
 * A thread whose sessions run one short cell after another until it is told to end, so that what is measured meanwhile has a thread of its own.
 * Tells when each has run one, and at the end how many there were a second.
 */
const { url, subject, count } = workerData as { url: string; subject: Subject; count: number };
const sessions = await Promise.all(Array.from({ length: count }, () => openSession(url, subject)));
const cell = (run: (typeof sessions)[number]['run']) =>
  run({ type: 'execute_code', code: 'print(sum(range(20_000)))' });
await Promise.all(sessions.map(({ run }) => cell(run)));

let cells = 0;
let over = false;
const begunAt = performance.now();
const running = sessions.map(async ({ run }) => {
  for (; !over; cells++) await cell(run);
});
parentPort!.postMessage('busy');
await once(parentPort!, 'message');
over = true;
const perSecond = (cells / (performance.now() - begunAt)) * 1000;
await Promise.all(running);
await Promise.all(sessions.map(session => session[Symbol.asyncDispose]()));
parentPort!.postMessage(perSecond);
parentPort!.close();

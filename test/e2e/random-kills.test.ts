import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { http } from '../support/rest-client.ts';
import { startServer } from '../support/start-server.ts';
import { familyOf, mark, remains, vanishes } from '../support/traces.ts';

/** How often; by hand with more. */
const KILLS = Number(process.env.CODEBEAKER_KILLS ?? 3);
/** A server is killed within this time. */
const LIFE_MS = 600;

interface Told {
  readonly executionId: string;
  readonly status: string;
}

test(`killed at ${KILLS} random instants a server loses nothing that it told`, {
  timeout: 60_000 + KILLS * 20_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'codebeaker-kills-'));
  const trace = mark();
  const env = { CODEBEAKER_RUNTIMES: 'Bun' };
  const finished: Told[] = [];
  let taken: string[] = [];
  let known = 0;
  for (let round = 0; round <= KILLS; round++) {
    const server = await startServer({ dataDir, env });
    // What the last one told is there word for word, and what it had only taken has an end.
    for (const told of finished.slice(known)) {
      const { status, body } = await http(`${server.url}/api/execution/${told.executionId}`);
      expect([status, body]).toEqual([200, told]);
    }
    for (const id of taken) {
      const { body } = await http(`${server.url}/api/execution/${id}`);
      expect(['completed', 'failed']).toContain(body.status);
    }
    known = finished.length;
    taken = [];
    if (round === KILLS) {
      expect(await server.stop()).toBe(0);
      break;
    }
    let alive = true;
    const request = (n: number) => ({
      language: 'javascript',
      code: `console.log(${n})`,
      config: { environment: trace.environment },
    });
    const waiter = async () => {
      while (alive) finished.push(await post(`${server.url}/api/execution?wait=true`, request(round)));
    };
    const taker = async () => {
      while (alive) taken.push((await post(`${server.url}/api/execution`, request(round))).executionId);
    };
    const clients = Promise.allSettled([waiter(), waiter(), taker()]);
    // However slow the machine is, half of them have told something before they are killed.
    if (round % 2 === 1) await vi.waitUntil(() => finished.length > known, { timeout: 60_000, interval: 1 });
    await new Promise(resolve => setTimeout(resolve, Math.random() * LIFE_MS));
    const family = familyOf(server.pid);
    await server.kill9();
    alive = false;
    await clients;
    expect(await vanishes(() => [...remains(family), ...trace.processes()])).toEqual([]);
  }
  expect(finished.length).toBeGreaterThanOrEqual(Math.floor(KILLS / 2));
});

/** @throws when the server is gone before it has said all */
async function post(url: string, request: object): Promise<Told> {
  const { status, body } = await http(url, 'POST', request);
  if (status === 200 || status === 202) return body;
  // More was sent than it takes; the next one may pass.
  await new Promise(resolve => setTimeout(resolve, 20));
  return post(url, request);
}

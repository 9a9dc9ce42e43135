import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../src/service/admission/fair-queue.ts';

const forever = new AbortController().signal;

describe('the fair queue', () => {
  it('runs at most its slots at once', async () => {
    const queue = new FairQueue(2, 10);
    const leave = await queue.enter('a', forever);
    await queue.enter('a', forever);
    let third = false;
    void queue.enter('a', forever).then(() => (third = true));
    await turn();
    expect([third, queue.running, queue.waiting]).toEqual([false, 2, 1]);
    leave();
    await turn();
    expect([third, queue.running, queue.waiting]).toEqual([true, 2, 0]);
  });

  it('serves clients in turn, so that a flood waits behind itself', async () => {
    const queue = new FairQueue(1, 100);
    let leave = await queue.enter('flood', forever);
    const served: string[] = [];
    for (const client of ['flood', 'flood', 'flood', 'quiet']) {
      void queue.enter(client, forever).then(left => {
        served.push(client);
        leave = left;
      });
    }
    for (let i = 0; i < 4; i++) {
      leave();
      await turn();
    }
    expect(served).toEqual(['flood', 'quiet', 'flood', 'flood']);
  });

  it('leaves a quarter of the slots to others, however long one client’s jobs take', async () => {
    const queue = new FairQueue(8, 100);
    const leaves = await Promise.all(Array.from({ length: 6 }, () => queue.enter('long', forever)));
    let seventh = false;
    const waiting = queue.enter('long', forever).then(leave => {
      seventh = true;
      return leave;
    });
    const others = await Promise.all([queue.enter('quiet', forever), queue.enter('third', forever)]);
    expect([seventh, queue.running, queue.waiting]).toEqual([false, 8, 1]);
    others[0]();
    await turn();
    expect([seventh, queue.running]).toEqual([false, 7]);
    leaves[0]!();
    await waiting;
    expect([seventh, queue.running, queue.waiting]).toEqual([true, 7, 0]);
  });

  it('refuses what is too much, at once', async () => {
    const queue = new FairQueue(1, 1);
    await queue.enter('a', forever);
    void queue.enter('a', forever);
    expect(() => queue.enter('b', forever)).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
  });

  it('lets go of who gave up waiting, and gives a slot back once only', async () => {
    const queue = new FairQueue(1, 10);
    const leave = await queue.enter('a', forever);
    const impatient = new AbortController();
    const waiting = queue.enter('b', impatient.signal);
    impatient.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(queue.waiting).toBe(0);
    leave();
    leave();
    expect(queue.running).toBe(0);
  });
});

import { workerData } from 'node:worker_threads';
import { DataCopy, HttpCopy } from './copies.ts';

/** A thread that copies files up and down until it is ended, so that what is measured meanwhile has a thread of its own. */
const { url, sessionId, count, bytes } = workerData as {
  url: string;
  sessionId: string;
  count: number;
  bytes: number;
};
await Promise.all(
  Array.from({ length: count }, async (_, i) => {
    const copy =
      i % 2
        ? new HttpCopy(`${url}/api/session/${sessionId}/files/f${i}`)
        : new DataCopy(`${url}/ws/data`, sessionId, `f${i}`);
    for (;;) {
      await copy.up(bytes);
      await copy.down(bytes);
    }
  }),
);

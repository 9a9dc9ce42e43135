import { workerData } from 'node:worker_threads';
import { HttpCopy } from './copies.ts';

/** A thread that copies through a port until it is ended, so that what is measured meanwhile has a thread of its own. */
const { url, headers, bytes } = workerData as { url: string; headers: Record<string, string>; bytes: number };
const copy = new HttpCopy(url, headers);
for (;;) {
  await copy.up(bytes);
  await copy.down(bytes);
}

import { once } from 'node:events';
import { ContentLengthReader, framed } from '../../wire/content-length.ts';
import { Adapter } from './adapter.ts';

/** The adapter's process: the protocol on its standard streams, and as its argument how programs are started. */
let seq = 0;
const adapter = new Adapter(JSON.parse(process.argv[2] ?? ''), message => {
  if (process.stdout.write(framed(JSON.stringify({ seq: ++seq, ...message })))) return;
  // A program that prints more than its client reads waits.
  return once(process.stdout, 'drain').then(() => {});
});
const reader = new ContentLengthReader();
for await (const bytes of process.stdin)
  for (const text of reader.push(bytes)) void adapter.take(JSON.parse(text));
adapter.end();
process.exit();

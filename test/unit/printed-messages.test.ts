import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMessage } from '../../routes/data/messages.ts';
import { checkNotification, checkResult } from '../support/contract.ts';

/** Messages that protocol.md prints outside of its conversation are ones that are taken, or sent. */
const text = readFileSync(join(import.meta.dirname, '../../openapi/protocol.md'), 'utf8');
const DIGEST = 'a'.repeat(64);
const printed = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) => JSON.parse(json!));
const having = (field: string) => printed.filter(message => field in message);

test('what a client says on /ws/data is understood', () => {
  const lines = [...text.matchAll(/^client: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!));
  expect(lines.map(({ op }) => op)).toEqual(['upload', 'download', 'window']);
  for (const line of lines) readMessage({ ...line, ...(line.sha256 && { sha256: DIGEST }) });
});

test('the answer to session.attach and a change of files are what the contract has', () => {
  const [attached] = having('complete');
  checkResult('session.attach', attached);
  const changes = having('watchId');
  expect(changes.length).toBeGreaterThan(0);
  for (const change of changes) checkNotification('fs.changed', change);
});

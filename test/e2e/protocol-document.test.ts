// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { needs } from '../support/needs.ts';
import { TestSession } from '../support/session.ts';

/** The conversation in openapi/protocol.md, held with the service line by line. */
const server = inject('server');
const text = readFileSync(join(import.meta.dirname, '../../openapi/protocol.md'), 'utf8');
const lines = text.split('\n').flatMap(line => {
  const [, direction, message] = /^([→←]) (\{.*\})$/.exec(line) ?? [];
  return direction ? [{ sent: direction === '→', message: JSON.parse(message!) }] : [];
});

test('the conversation in protocol.md goes as it is printed', async () => {
  const socket = new WebSocket(server.wsUrl);
  await new Promise(resolve => socket.once('open', resolve));
  const received: any[] = [];
  socket.on('message', data => received.push(JSON.parse(String(data))));
  const [first] = lines.filter(({ sent }) => !sent);
  let sessionId = first!.message.result.sessionId;
  const asHere = (message: any) =>
    JSON.parse(JSON.stringify(message).replaceAll(first!.message.result.sessionId, sessionId));
  for (const [i, { sent, message }] of lines.entries()) {
    if (sent) {
      socket.send(JSON.stringify(asHere(message)));
      continue;
    }
    const count = lines.slice(0, i + 1).filter(line => !line.sent).length;
    await expect.poll(() => received.length).toBeGreaterThanOrEqual(count);
    if (message === first!.message) sessionId = received[0].result.sessionId;
    expect(received[count - 1]).toEqual(anyFigure(asHere(message)));
  }
  expect(received).toHaveLength(lines.filter(({ sent }) => !sent).length);
  expect(lines.length).toBeGreaterThan(15);
  socket.close();
});

test('the commands that compare and patch answer as printed', async () => {
  const section = text.slice(text.indexOf('\n## Comparing and patching files\n'));
  const [diff, told, patch, applied] = [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) =>
    JSON.parse(json!),
  );
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const printed = /^-(.*)$/m.exec(told.diff.slice(told.diff.indexOf('@@')))![1];
  await session.done('write_file', { path: diff.originalPath, content: `${printed}\n` });
  expect(await session.done(diff.type, diff)).toEqual(told);
  expect(await session.done(patch.type, patch)).toEqual(applied);
});

needs('curl')('the call in the document of Piston’s door answers', async () => {
  const document = readFileSync(join(import.meta.dirname, '../../routes/piston/protocol.md'), 'utf8');
  const [, command = ''] = /^```sh\n(.*?)^```$/ms.exec(document) ?? [];
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    command.replace('127.0.0.1:5039', new URL(server.url).host),
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ language: 'python', run: { stdout: '42\n', code: 0 } });
});

/** What differs from run to run, as a pattern. */
function anyFigure(value: any, key = ''): any {
  if (/Ms$|^peak/.test(key)) return expect.toSatisfy(figure => figure === null || figure >= 0);
  if (/At$|^lastActivity$|^environmentId$|^containerId$|^executionId$/.test(key)) return expect.any(String);
  if (key === 'id' && /^[0-9a-f-]{36}$/.test(value)) return expect.any(String);
  if (Array.isArray(value)) return value.map(item => anyFigure(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, anyFigure(each, name)]));
}

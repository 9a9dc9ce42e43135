import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contracts } from '../../openapi/contracts.ts';

const made = await contracts();
const committed = (name: string) => readFileSync(new URL(`../../openapi/${name}`, import.meta.url), 'utf8');

describe.each(Object.keys(made))('openapi/%s', name => {
  test('is what the code says', () => {
    expect(committed(name) === made[name], 'run npm run contracts and commit').toBe(true);
  });

  test('refers only to what it has', () => {
    const document = JSON.parse(made[name] ?? '');
    const references = [...(made[name] ?? '').matchAll(/"\$ref": "#\/([^"]+)"/g)].map(
      match => match[1] ?? '',
    );
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references)) {
      const target = reference.split('/').reduce((at, part) => at?.[part], document);
      expect(target, reference).toBeTypeOf('object');
    }
  });
});

test('every operation names its errors and has a summary', () => {
  const { paths } = JSON.parse(made['openapi.json'] ?? '');
  for (const [path, operations] of Object.entries<Record<string, { summary?: string; responses: object }>>(
    paths,
  )) {
    for (const [method, { summary, responses }] of Object.entries(operations)) {
      expect(summary, `${method} ${path}`).toBeTruthy();
      if (path.startsWith('/api/'))
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403']));
    }
  }
});

test('openrpc.json has every method that is built, and every notification', () => {
  const document = JSON.parse(made['openrpc.json'] ?? '');
  const names = (list: { name: string }[]) => list.map(({ name }) => name);
  expect(names(document.methods)).toEqual([
    'initialize',
    'execution.run',
    'execution.runCommands',
    'execution.status',
    'execution.cancel',
    'language.list',
    'session.create',
    'session.execute',
    'session.get',
    'session.list',
    'session.close',
    'session.keepAlive',
    'session.update',
    'session.attach',
    'session.expose',
    'session.unexpose',
    'session.ports',
    'process.list',
    'process.input',
    'process.resize',
    'process.signal',
    'fs.writeFile',
    'fs.readFile',
    'fs.watch',
    'fs.unwatch',
    'debug.start',
    'ping',
    'rpc.discover',
    '$/cancelRequest',
  ]);
  expect(names(document['x-notifications'])).toEqual([
    'execution.started',
    'execution.output',
    'execution.result',
    'execution.progress',
    'network.denied',
    'execution.completed',
    'fs.changed',
    'port.opened',
    'port.closed',
  ]);
});

test('protocol.md speaks of every method, notification and close code', () => {
  const text = committed('protocol.md');
  const document = JSON.parse(made['openrpc.json'] ?? '');
  for (const { name } of [...document.methods, ...document['x-notifications']])
    expect(text).toContain(`\`${name}\``);
  for (const code of ['1001', '1003', '1006', '1007', '1009']) expect(text).toContain(code);
});

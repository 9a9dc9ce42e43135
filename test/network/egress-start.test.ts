import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { CONTROL_FD } from '../../src/confined/protocol.ts';

const EGRESS = join(import.meta.dirname, '../../src/network/egress');

test('the egress process and all that it is made of load neither TLS, HTTP nor cryptography before they are used', async () => {
  const parts = readdirSync(EGRESS).filter(name => name !== 'main.ts');
  // It begins with its last part, and ends since no server says anything.
  const modules = [...parts, 'main.ts'].map(name => join(EGRESS, name));
  const script = `
    process.on('exit', () => console.log(process.moduleLoadList.join()));
    for (const module of ${JSON.stringify(modules)}) await import(module);`;
  const stdio = Array.from({ length: CONTROL_FD + 1 }, (_, fd): 'inherit' | 'pipe' =>
    fd === 2 ? 'inherit' : 'pipe',
  );
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio, env: {} });
  (child.stdio[CONTROL_FD] as Writable).end();
  const loaded = (await text(child.stdout!)).trim().split(',');
  expect(loaded).toContain('NativeModule net');
  for (const name of ['tls', 'http', 'crypto', 'zlib', 'internal/deps/undici/undici'])
    expect(loaded).not.toContain(`NativeModule ${name}`);
});

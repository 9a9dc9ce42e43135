import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '../../src');
const EGRESS = join(SOURCES, 'network/egress');

test('what the egress process is made of loads neither TLS, HTTP nor cryptography before it is used', () => {
  const parts = readdirSync(EGRESS).filter(name => name !== 'main.ts');
  const modules = [join(SOURCES, 'confined/control.ts'), ...parts.map(name => join(EGRESS, name))];
  const script = `
    for (const module of ${JSON.stringify(modules)}) await import(module);
    console.log(process.moduleLoadList.join());`;
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: {},
  });
  expect(loaded).toContain('NativeModule net');
  for (const name of ['tls', 'http', 'crypto', 'zlib', 'internal/deps/undici/undici'])
    expect(loaded.split(',')).not.toContain(`NativeModule ${name}`);
});

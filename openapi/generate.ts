import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtModules } from './built-modules.ts';
import { clientTypes } from './client-types.ts';
import { contracts } from './contracts.ts';

/**
 * Writes what comes from the code (`npm run contracts`): openapi.json and openrpc.json, our client's types in src/client/wire.ts, and the client and the
 * page at / as JavaScript in src/client/built and routes/page/built. With `--check` it only compares, and exits 1 when a committed file differs. protocol.md beside this is written by hand.
 */
const ROOT = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const stale = new Set<string>();

function put(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(ROOT, name);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    stale.add(name);
    if (check) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

const { 'openapi.json': openapi = '', 'openrpc.json': openrpc = '' } = await contracts();
put({ 'openapi/openapi.json': openapi, 'openapi/openrpc.json': openrpc });
put({ 'src/client/wire.ts': clientTypes(JSON.parse(openrpc)) });
// The page is built on the client's types.
for (const part of [
  { from: 'src/client', into: 'src/client/built' },
  { from: 'routes/page/app', into: 'routes/page/built' },
]) {
  const built = builtModules(part);
  put(built);
  const left = globSync(`${part.into}/*`, { cwd: ROOT }).filter(name => !Object.hasOwn(built, name));
  for (const name of left) {
    stale.add(name);
    if (!check) rmSync(join(ROOT, name));
  }
}
if (check && stale.size > 0) {
  console.error(`${[...stale].join(', ')}: not what the code makes. Run npm run contracts and commit.`);
  process.exitCode = 1;
}

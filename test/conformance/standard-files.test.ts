import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/** The standard streams by their names in the file system, however a program comes by what opens them. */
const server = inject('server');
const cells = (await matrix()).filter(({ dialect }) => dialect === 'javascript');
/** How a program imports is what differs in TypeScript; what it comes by is the same interpreter's. */
const readsIn = (language: string) => (language === 'typescript' ? READS.slice(0, 1) : READS);

const READS = [
  `import { readFileSync } from 'node:fs'; console.log(readFileSync('/dev/stdin', 'utf8'))`,
  `import fs from 'fs'; console.log(fs.readFileSync('/proc/self/fd/0').toString())`,
  `import * as all from 'node:fs'; await new Promise(read => all.readFile('/dev/stdin', 'utf8', (_, text) => read(console.log(text))))`,
  `import { readFile } from 'node:fs/promises'; console.log(await readFile('/dev/fd/0', 'utf8'))`,
];
/** Input that came with the request is a file, which is read from its beginning by whoever opens it. */
const REQUIRES = `const { readFileSync } = require('node:fs');
console.log(readFileSync(new URL('file:///dev/stdin'), 'utf8'), readFileSync('/proc/self/fd/0', 'utf8'))`;
const WRITES = `import { appendFileSync, writeFileSync } from 'node:fs';
writeFileSync('/dev/stdout', 'out'); appendFileSync('/dev/stderr', 'err'); console.log('put');
writeFileSync('/dev/null', 'nothing');`;

describe.for(cells)('a program of $name', ({ language, runtimeType }) => {
  test('reads its input and writes its output by name, in a one-shot and in a cell', async () => {
    const reads = readsIn(language);
    const run = (code: string) => runOnce(server.url, { language, runtimeType, code, stdin: 'given' });
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    for (const code of reads) expect(await session.prints(code, { stdin: 'given' }), code).toBe('given\n');
    expect(await run(reads.join('\n'))).toMatchObject({ stdout: 'given\n'.repeat(reads.length), stderr: '' });
    if (language === 'typescript') return;
    expect(await session.prints(REQUIRES, { stdin: 'given' })).toBe('given given\n');
    expect(await run(REQUIRES)).toMatchObject({ stdout: 'given given\n' });
    const said = { stdout: 'output\n', stderr: 'err' };
    expect(await session.done('execute_code', { code: WRITES })).toMatchObject(said);
    expect(await run(WRITES)).toMatchObject(said);
  });
});

test('Deno’s own functions do so too, and open nothing else there', async () => {
  const code = `
console.log(Deno.readTextFileSync('/dev/stdin'));
Deno.writeTextFileSync('/dev/stdout', 'text ');
await Deno.writeFile('/dev/stdout', new TextEncoder().encode('bytes'));
using file = await Deno.open('/dev/stdin');
console.log('', await file.read(new Uint8Array(9)), Deno.readTextFileSync('/dev/null'));
for (const path of ['/proc/self/environ', '/proc/self/fd/3', '/dev/mem', '/dev/fd/0/../../../etc/passwd'])
  try { Deno.readTextFileSync(path); console.log('read', path) } catch ({ name }) { console.log(name) }`;
  const said = `given\ntext bytes 5 \n${'NotCapable\n'.repeat(4)}`;
  const deno = { language: 'deno', runtimeType: 'Deno' };
  expect(await runOnce(server.url, { ...deno, code, stdin: 'given' })).toMatchObject({
    stdout: said,
    stderr: '',
  });
  const permissions = { allowRead: ['/dev/null'], allowWrite: [] };
  await using session = await TestSession.open(server.wsUrl, { ...deno, permissions });
  expect(await session.prints(code, { stdin: 'given' })).toBe(said);
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What the documents point at is there: a claim whose test has moved would be held by nothing. */
const ROOT = join(import.meta.dirname, '../..');
const DOCUMENTS = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'src/DECISIONS.md',
  'openapi/protocol.md',
  'openapi/differences.md',
  'routes/mcp/protocol.md',
  'routes/piston/protocol.md',
  'docker/README.md',
  'CHANGELOG.md',
];
/** In backticks, from the root on; `…` and `<…>` stand for any name. */
const PATH = /`((?:src|routes|plugins|test|openapi|docker)\/[^`…<>]*)`/g;

test.each(DOCUMENTS)('every file that %s names is there', document => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const names = [...text.matchAll(PATH)].flatMap(([, name = '']) => expand(name));
  expect(names.filter(name => !existsSync(join(ROOT, name)))).toEqual([]);
});

/** `a/{b,c}.ts` is two. */
function expand(name: string): string[] {
  const [, before = '', alternatives, after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? [];
  return alternatives === undefined ? [name] : alternatives.split(',').map(each => before + each + after);
}

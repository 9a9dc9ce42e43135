import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
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
  'routes/judge0/protocol.md',
  'routes/jupyter/protocol.md',
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

test.each(DOCUMENTS)('every link of %s leads somewhere', document => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const lost = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].filter(
    ([, path = '', heading]) => {
      const target = path === '' ? document : normalize(join(dirname(document), path));
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !headingsOf(target).includes(heading);
    },
  );
  expect(lost.map(([link]) => link)).toEqual([]);
});

/** Of a document, as links name them. */
function headingsOf(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('a row of SECURITY.md names a test, or what is run by hand', () => {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
  const rows = [...text.matchAll(/^\| claim .*\n\|[- |]*\|\n((?:\|.*\n)+)/gm)].flatMap(([, table = '']) =>
    table.trim().split('\n'),
  );
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter(each => !/`(?:test\/\S+\.test\.ts|npm run soak)`/.test(each))).toEqual([]);
});

/** `a/{b,c}.ts` is two. */
function expand(name: string): string[] {
  const [, before = '', alternatives, after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? [];
  return alternatives === undefined ? [name] : alternatives.split(',').map(each => before + each + after);
}

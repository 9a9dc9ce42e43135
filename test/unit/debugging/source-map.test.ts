import { expect, test } from 'vitest';
import { whenOf } from '../../../src/kernels/debugging/condition.ts';
import { Scripts } from '../../../src/kernels/debugging/scripts.ts';
import { SourceMap } from '../../../src/kernels/debugging/source-map.ts';

/** Where text of a program comes from, and when a breakpoint in it holds. */
const URL_OF_MAIN = 'file:///workspace/main.ts';
/** Of two lines, the second of which was the third, moved by two columns; written as esbuild and swc do. */
const MAP = JSON.stringify({ version: 3, sources: ['main.ts'], names: [], mappings: 'AAAA,GAAG;EAEE' });

test('a place of what runs is one of what was written, and the other way round', () => {
  const map = new SourceMap(MAP, URL_OF_MAIN);
  expect(map.sources).toEqual([URL_OF_MAIN]);
  expect(map.original({ line: 0, column: 9 })).toEqual({ source: URL_OF_MAIN, line: 0, column: 3 });
  expect(map.original({ line: 1, column: 2 })).toEqual({ source: URL_OF_MAIN, line: 2, column: 5 });
  expect(map.original({ line: 1, column: 0 })).toBeNull();
  // A line without code means the next that has some.
  expect(map.generated(URL_OF_MAIN, { line: 1, column: 0 })).toEqual({ line: 1, column: 2 });
  expect(map.generated(URL_OF_MAIN, { line: 3, column: 0 })).toBeNull();
});

test('a script is found by its sources, and what has no file is shown by its number', () => {
  const scripts = new Scripts();
  const sourceMapURL = `data:application/json;base64,${Buffer.from(MAP).toString('base64')}`;
  const mapped = scripts.add({ scriptId: '7', url: 'file:///workspace/out.js', sourceMapURL });
  scripts.add({ scriptId: '8', url: 'node:fs' });
  const broken = {
    scriptId: '9',
    url: 'file:///workspace/b.js',
    sourceMapURL: 'data:application/json;base64,e30',
  };
  expect(scripts.add(broken).map).toBeNull();
  expect(scripts.ofFile('/workspace/main.ts')).toBe(mapped);
  expect(scripts.ofFile('/workspace/out.js')).toBeUndefined();
  expect(scripts.place({ scriptId: '7', lineNumber: 1, columnNumber: 2 })).toEqual({
    line: 2,
    column: 5,
    source: { name: 'main.ts', path: '/workspace/main.ts' },
  });
  expect(scripts.place({ scriptId: '8', lineNumber: 4 }).source).toMatchObject({ sourceReference: 8 });
});

/** How often it holds, of five times. */
function holds(asked: object): boolean[] {
  const { condition = 'true', log = 'null' } = whenOf(1, { line: 0, column: 0, ...asked });
  Reflect.deleteProperty(globalThis, Symbol.for('codebeaker.hits'));
  const logged: string[] = [];
  const evaluate = new Function('i', `return Boolean(${condition})`);
  const logs = new Function('i', `return ${log}`);
  const results = [1, 2, 3, 4, 5].map(i => {
    logged.push(logs(i));
    return evaluate(i);
  });
  Reflect.deleteProperty(globalThis, Symbol.for('codebeaker.hits'));
  if ('logMessage' in asked) expect(logged[2]).toBe('i is 3 of ReferenceError: n is not defined');
  return results;
}

test.each([
  ['nothing', {}, '11111'],
  ['a condition with a comment', { condition: 'i > 2 // late' }, '00111'],
  ['a number of hits', { hitCondition: '4' }, '00011'],
  ['a comparison', { hitCondition: '== 2' }, '01000'],
  ['every second', { hitCondition: '%2' }, '01010'],
  ['a count of those that fit', { condition: 'i > 1', hitCondition: '>= 2' }, '00111'],
  ['a text to log', { logMessage: 'i is {i} of {n}' }, '11111'],
  ['no count', { hitCondition: 'often' }, '11111'],
])('a breakpoint with %s stops where that holds', (_, asked, expected) => {
  const results = holds(asked);
  expect(results.map(Number).join('')).toBe(expected);
});

import { expect, test } from 'vitest';
import { installsInCell } from '../../../src/service/packages/installs-in-cell.ts';

/** Lines of a cell that might install something are read once, however many spaces they have: tens of thousands took minutes. */
const MANY = ' \t'.repeat(40_000);

test.each([`${MANY}x install`, `a =${MANY}x install`, `${MANY}pip install six\rx`])(
  'a line that installs nothing is none, with whatever spaces',
  line => {
    expect(installsInCell(line)).toEqual([]);
  },
);

test('and one that does is one with a space each', () => {
  expect(installsInCell(`!pip${MANY}install${MANY}six`)).toMatchObject([
    { command: 'pip install six', wanted: { packages: ['six'], files: [] } },
  ]);
});

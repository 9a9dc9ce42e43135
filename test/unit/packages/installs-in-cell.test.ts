import { expect, test } from 'vitest';
import { installsInCell } from '../../../src/service/packages/installs-in-cell.ts';

const wanted = (code: string) => installsInCell(code).map(({ wanted }) => wanted);

test('lines that install with pip are found as people write them, options without meaning left out', () => {
  const code = `import os
%pip install -q numpy
  !pip3 install -U "pandas>=2,<3" 'requests[socks]' # for later
out = !python3 -m pip install --user --no-cache-dir six
pip install colorama
!uv pip install --system rich
%pip   install   -r requirements.txt --requirement=more.txt
print("pip install nothing")
# !pip install nothing`;
  expect(wanted(code)).toEqual([
    { packages: ['numpy'], files: [] },
    { packages: ['pandas>=2,<3', 'requests[socks]'], files: [] },
    { packages: ['six'], files: [] },
    { packages: ['colorama'], files: [] },
    { packages: ['rich'], files: [] },
    { packages: [], files: ['requirements.txt', 'more.txt'] },
  ]);
  expect(
    installsInCell(code)
      .map(({ command, quiet }) => [command, quiet])
      .slice(0, 2),
  ).toEqual([
    ['pip install -q numpy', true],
    [`pip3 install -U "pandas>=2,<3" 'requests[socks]' # for later`, false],
  ]);
});

test('what a line has beside plain names is refused by its name', () => {
  const refused = [
    ['%pip install --index-url http://x six', '--index-url'],
    ['!pip install -e .', '-e'],
    ['!pip install {name}', '{name}'],
    ['!pip install $NAME', '$NAME'],
    ['!pip install six && rm -r /', '&&'],
    ['!pip install six; ls', 'six;'],
    ['!pip install `id`', '`id`'],
    ['!pip install', 'it names no package'],
  ] as const;
  for (const [code, why] of refused) expect(wanted(code)).toEqual([{ wrong: expect.stringContaining(why) }]);
});

test('other lines and other installers are none of it, and a cell has so many and no more', () => {
  for (const code of [
    '%pip list',
    '!pip uninstall six',
    '%conda install six',
    '!apt-get install x',
    'x = "install"',
  ])
    expect(installsInCell(code)).toEqual([]);
  expect(installsInCell(Array.from({ length: 50 }, (_, i) => `!pip install a${i}`).join('\n'))).toHaveLength(
    20,
  );
  expect(installsInCell('!pip install six\n!pip  install six')).toHaveLength(1);
});

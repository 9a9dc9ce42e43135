import { describe, expect, it } from 'vitest';
import { listInGoMod } from '../../../src/packages/go-mod-file.ts';
import { goRequirements } from '../../../src/packages/requirements.ts';

const parse = (...list: string[]) => goRequirements(list, 'packages');

describe('a module of Go', () => {
  it.each([
    ['github.com/google/uuid', 'github.com/google/uuid', 'latest', false],
    ['github.com/google/uuid@v1.6.0', 'github.com/google/uuid', 'v1.6.0', true],
    ['github.com/BurntSushi/toml@v1', 'github.com/BurntSushi/toml', 'v1', false],
    ['gopkg.in/yaml.v3@latest', 'gopkg.in/yaml.v3', 'latest', false],
    ['example.com/x/v2@v2.0.0-rc.1', 'example.com/x/v2', 'v2.0.0-rc.1', true],
    ['example.com/x@v2.0.0+incompatible', 'example.com/x', 'v2.0.0+incompatible', true],
    ['golang.org/x/tools@v0.0.0-20210106214847-113979e3529a', 'golang.org/x/tools', expect.anything(), true],
  ])('%s is taken', (text, name, versions, pinned) => {
    expect(parse(text)).toEqual([{ text, name, versions, pinned }]);
  });

  it.each([
    ['-u', 'is an option'],
    [' --modfile=/etc/passwd', 'is an option'],
    ['-x.com/y', 'is an option'],
    ['https://example.com/x', 'names a place'],
    ['git+ssh://example.com/x', 'names a place'],
    ['example.com:8080/x', 'names a place'],
    ['./x', 'is a path'],
    ['../x', 'is a path'],
    ['/etc', 'is a path'],
    ['example.com/../x', 'is a path'],
    ['example.com/./x', 'is a path'],
    ['example.com/.git', 'is a path'],
    ['example.com//x', 'is a path'],
    ['example.com/x/', 'is a path'],
    ['example.com/...', 'is a path'],
    ['example.com/x...', 'is a path'],
    ['example.com\\x', 'is a path'],
    ['example.com/x\nevil', 'control character'],
    ['example.com/x\0', 'control character'],
    ['', 'is no module'],
    ['fmt', "Go's own library"],
    ['net/http@v1.0.0', "Go's own library"],
    ['toolchain@v1', "Go's own library"],
    ['example.com/x@', 'is no module'],
    ['example.com/x@none', 'is no module'],
    ['example.com/x@main', 'is no module'],
    ['example.com/x@v1@v2', 'is no module'],
    ['example.com/x@v1.0.0/../../x', 'is a path'],
    ['example.com/x v1.0.0', 'is no module'],
    ['example.com/x@$(id)', 'is no module'],
    ['exämple.com/x', 'is no module'],
  ])('%j is refused', (text, why) => {
    expect(() => parse('a.test/a', 'b.test/b', text)).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_ERROR',
        field: 'packages[2]',
        message: expect.stringMatching(new RegExp(`^packages\\[2\\]: .*${why}`)),
      }),
    );
  });

  it('is named once', () => {
    expect(() => parse('a.test/a@v1', 'a.test/a@v2')).toThrow('names a module that is in the list already');
  });

  it('of any length is judged in no time', () => {
    for (const text of [`a.b/${'a.'.repeat(4900)}!`, `${'a.'.repeat(4900)}/`, `a.b${'/a'.repeat(4900)}!`])
      expect(() => parse(text)).toThrow('packages[0]');
  });
});

describe('a go.mod', () => {
  it('lists what it requires, with what it puts in its place', () => {
    const text = `
module example.com/mine // "not this"
go 1.24
toolchain go1.26.0
require a.test/a v1.0.0
require (
	b.test/b v1.2.3 // indirect
	"c.test/c" v0.1.0

	d.test/d v1.0.0
	e.test/e v1.0.0
)
exclude b.test/b v1.2.4
replace c.test/c => ../c
replace (
	d.test/d v1.0.0 => f.test/f v2.0.0
	e.test/e v0.9.0 => f.test/f v2.0.0
)
retract v0.0.1
`;
    expect(listInGoMod(text)).toEqual([
      'a.test/a@v1.0.0',
      'b.test/b@v1.2.3',
      'f.test/f@v2.0.0',
      'e.test/e@v1.0.0',
    ]);
  });

  it('replaces a version of a module before all versions of it', () => {
    const text =
      'require a.test/a v1.0.0\nreplace (\na.test/a v1.0.0 => b.test/b v1.0.0\na.test/a => c.test/c v1.0.0\n)';
    expect(listInGoMod(text)).toEqual(['b.test/b@v1.0.0']);
  });

  it('that is none lists nothing', () => {
    expect(listInGoMod('require (\n)))\n} => x\nreplace a => b\nrequire x')).toEqual([]);
  });
});

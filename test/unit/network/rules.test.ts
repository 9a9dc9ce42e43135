import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress, parseBlock } from '../../../src/network-rules/address.ts';
import { canonicalName } from '../../../src/network-rules/host-name.ts';
import { beyond, type Ceiling, Policy } from '../../../src/network-rules/policy.ts';
import { parseRule, within } from '../../../src/network-rules/rule.ts';
import { isSpecial } from '../../../src/network-rules/special-address.ts';

const PUBLIC: Ceiling = {
  allow: ['*:1-65535', '0.0.0.0/0:1-65535', '[::/0]:1-65535'],
  deny: [],
  private: [],
};

describe('an address', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['64:ff9b::10.0.0.1', '64:ff9b:0:0:0:0:a00:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('%s is %s', (text, same) => expect(formatAddress(parseAddress(text)!)).toBe(same));

  test.each([
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '',
    ' 1.2.3.4',
    '1.2.3.4\0',
  ])('%j is none', text => expect(parseAddress(text)).toBeNull());
  test.each(['fe80::1%eth0', ':::', '1::2::3', '::1 ', '[::1]', '12345::'])('%j is none', text =>
    expect(parseAddress(text)).toBeNull(),
  );

  test.each(['10.0.0.1/8', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/08', '::1/64', '::ffff:0:0/96', '1.2.3.4/8/8'])(
    '%s is no block',
    text => expect(parseBlock(text)).toBeNull(),
  );
});

describe('what is no place of the public network', () => {
  const special = [
    ...[
      '0.0.0.0',
      '10.255.0.1',
      '100.64.0.1',
      '100.100.100.200',
      '127.0.0.1',
      '127.64.0.5',
      '169.254.169.254',
    ],
    ...[
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.192',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
      '198.19.0.1',
    ],
    ...[
      '198.51.100.1',
      '203.0.113.80',
      '224.0.0.1',
      '239.1.1.1',
      '240.0.0.1',
      '255.255.255.255',
      '168.63.129.16',
    ],
    ...[
      '::',
      '::1',
      '::127.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '64:ff9b::10.0.0.1',
      '64:ff9b:1::a00:1',
    ],
    ...[
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fec0::1',
      'ff02::1',
    ],
  ];
  test.each(special)('%s', text => expect(isSpecial(parseAddress(text)!)).toBe(true));
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
  ])('but not %s', text => expect(isSpecial(parseAddress(text)!)).toBe(false));
  test.each(['2606:4700::1', '64:ff9b::8.8.8.8', '2001:4860:4860::8888'])('but not %s', text =>
    expect(isSpecial(parseAddress(text)!)).toBe(false),
  );

  test('nor what is this machine’s own', () => {
    const own = [parseBlock('93.184.216.34')!];
    expect(isSpecial(parseAddress('93.184.216.34')!, own)).toBe(true);
    expect(isSpecial(parseAddress('64:ff9b::93.184.216.34')!, own)).toBe(true);
    expect(isSpecial(parseAddress('93.184.216.35')!, own)).toBe(false);
  });

  test('and Node.js agrees on blocks, wherever an address lies', () => {
    const blocks = ['10.0.0.0/8', '172.16.0.0/12', '198.18.0.0/15', '203.0.113.0/24', '1.2.3.4/31'];
    for (const text of blocks) {
      const [net = '', prefix] = text.split('/');
      const list = new BlockList();
      list.addSubnet(net, Number(prefix));
      const block = parseBlock(text)!;
      const { contains } = { contains: (a: string) => isWithin(block, a) };
      const first = net.split('.').map(Number);
      for (let bit = 0; bit < 32; bit++) {
        const changed = first
          .map((part, i) => (i === bit >> 3 ? part ^ (0x80 >> (bit & 7)) : part))
          .join('.');
        expect(contains(changed), `${changed} in ${text}`).toBe(list.check(changed));
      }
    }
  });
});

const isWithin = (block: NonNullable<ReturnType<typeof parseBlock>>, address: string) =>
  within(parseRule(address), [{ ...parseRule('0.0.0.0/0'), target: { kind: 'block', block } }]);

describe('a name', () => {
  test.each([
    ['Example.COM.', 'example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['_acme.example', '_acme.example'],
    ['1password.com', '1password.com'],
  ])('%s is %s', (text, name) => expect(canonicalName(text)).toBe(name));
  test.each([
    ...[
      '',
      '.',
      'a..b',
      '.a',
      'a.b..',
      '-a.example',
      'a-.example',
      'a b',
      'a@b',
      'a:80',
      'a/b',
      'a%2eb',
      'bücher.example',
    ],
    ...[
      '127.0.0.1',
      '127.0.0.1.',
      '2130706433',
      '0x7f000001',
      '0177.1',
      'a.0x7f',
      '1.2.3',
      'example.com\0',
      'a\nb',
      '[::1]',
    ],
    ...[`${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}example`],
  ])('%j is none', text => expect(canonicalName(text)).toBeNull());
});

describe('a rule', () => {
  test.each([
    ['example.com', 80, 443],
    ['example.com:5432', 5432, 5432],
    ['*.example.com:1-3', 1, 3],
    ['10.0.0.0/8:22', 22, 22],
    ['[2001:db8::/32]:443', 443, 443],
    ['2001:db8::/32', 80, 443],
    ['*', 80, 443],
  ])('%s has ports %d to %d', (text, first, last) => {
    const { ports } = parseRule(text);
    expect([ports[0]!.first, ports.at(-1)!.last]).toEqual([first, last]);
  });
  test.each([
    ...[
      '',
      ':80',
      '*.',
      '**',
      '*.*.a',
      'a.*',
      'a:',
      'a:0',
      'a:65536',
      'a:2-1',
      'a:1-',
      'a:x',
      'http://a',
      'a:80:80',
      '[a',
      'a]',
    ],
    ...[
      '10.0.0.1/8',
      '127.1',
      '0x7f.1',
      '*.10.0.0.1',
      'a b',
      'a,b',
      '[::1]:',
      '[::1',
      '::1]:80',
      `${'a'.repeat(301)}`,
      '!a',
      '[]:80',
    ],
  ])('%j is none', text => expect(() => parseRule(text)).toThrow(/^(is|has|names) /));

  test.each([
    ['a.example', '*.example', true],
    ['example', '*.example', false],
    ['*.a.example', '*.example', true],
    ['*.example', 'a.example', false],
    ['*', '*.example', false],
    ['a.example:22', '*', false],
    ['a.example', '*:80', false],
    ['a.example:100-300', '*:1-200', false],
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.1.0.0/16', false],
    ['10.0.0.1', '*', false],
    ['notexample', 'example', false],
    ['badexample', '*.example', false],
  ])('%s lies within %s: %s', (inner, outer, does) =>
    expect(within(parseRule(inner), [parseRule(outer)])).toBe(does),
  );
  test('it lies within several that have its ports together', () => {
    const outer = ['a.example:1-80', 'a.example:81-90', '*:91-100'].map(parseRule);
    expect(within(parseRule('a.example:70-95'), outer)).toBe(true);
    expect(within(parseRule('a.example:70-101'), outer)).toBe(false);
  });
});

describe('a policy', () => {
  const allow = ['*.example', 'db.test:5432', '203.0.113.0/24'];
  const policy = new Policy({ allow, deny: ['evil.example', '*.bad.example:443', '203.0.113.9'] }, PUBLIC);

  test('allows what a rule has by name and port, and nothing else', () => {
    const asked = [
      'a.example:443',
      'a.example:8080',
      'example:443',
      'db.test:5432',
      'db.test:443',
      'c.d.example:80',
    ];
    const allowed = asked.filter(text => policy.allowsName(text.split(':')[0]!, Number(text.split(':')[1])));
    expect(allowed).toEqual(['a.example:443', 'db.test:5432', 'c.d.example:80']);
  });

  test('lets denial win, also over what is more special', () => {
    const both = new Policy({ allow: ['a.b.example'], deny: ['*.example'] }, PUBLIC);
    expect(both.knowsName('a.b.example')).toBe(false);
    expect(policy.knowsName('evil.example')).toBe(false);
    expect(policy.knowsName('x.bad.example')).toBe(true);
    expect(policy.allowsName('x.bad.example', 443)).toBe(false);
    expect(policy.allowsName('x.bad.example', 80)).toBe(true);
  });

  test('takes no name for an address nor an address for a name', () => {
    const address = parseAddress('203.0.113.5')!;
    expect(policy.allowsAddress(address, 443)).toBe(true);
    expect(policy.allowsAddress(parseAddress('203.0.113.9')!, 443)).toBe(false);
    expect(policy.allowsAddress(address, 22)).toBe(false);
    expect(new Policy({ allow: ['*'], deny: [] }, PUBLIC).allowsAddress(address, 443)).toBe(false);
  });

  test('dials no special address, unless the operator names it with its port', () => {
    const here = parseAddress('10.1.2.3')!;
    const opened = { ...PUBLIC, private: ['10.1.0.0/16:5432'] };
    expect(policy.mayDial(here, 5432)).toBe(false);
    expect(policy.mayDial(parseAddress('9.9.9.9')!, 443)).toBe(true);
    const other = new Policy({ allow: ['*'], deny: [] }, opened);
    expect(other.mayDial(here, 5432)).toBe(true);
    expect(other.mayDial(here, 443)).toBe(false);
    expect(new Policy({ allow: ['*'], deny: ['10.1.2.0/24:5432'] }, opened).mayDial(here, 5432)).toBe(false);
  });

  test('stays below the operator’s', () => {
    const ceiling = { allow: ['*.corp.example', 'pypi.org:443'], deny: ['hr.corp.example'], private: [] };
    const all = new Policy({ allow: ['*'], deny: [] }, ceiling);
    expect(all.allowsName('a.corp.example', 443)).toBe(true);
    expect(all.allowsName('hr.corp.example', 443)).toBe(false);
    expect(all.allowsName('pypi.org', 80)).toBe(false);
    expect(all.allowsName('example.com', 443)).toBe(false);
    expect(beyond(['a.corp.example', 'pypi.org:443'], ceiling)).toBeNull();
    expect(beyond(['a.corp.example', 'pypi.org'], ceiling)).toBe('pypi.org');
  });
});

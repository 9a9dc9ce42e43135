import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../../src/config.ts';
import { ServiceError } from '../../../src/errors.ts';
import { allOf, ceilingOf } from '../../../src/network-rules/settings.ts';
import type { NetworkRules } from '../../../src/schemas/network.ts';
import { wantedNetwork } from '../../../src/service/network/wanted-network.ts';

const FIELDS = { network: 'network', enabled: 'networkEnabled' };
const networks = (list: string[], proxied = false) => ({ ceiling: ceilingOf(list, [])!, proxied });
const want = (network: NetworkRules | undefined, enabled?: boolean, of = networks(['public'])) =>
  wantedNetwork({ network, enabled, fields: FIELDS }, of);

/** The error's code and message. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ServiceError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'fine';
}

describe('a request', () => {
  test('without a word, or with a no, has no network', () => {
    expect(want(undefined)).toBeNull();
    expect(want(undefined, false)).toBeNull();
    expect(wantedNetwork({ network: undefined, enabled: undefined, fields: FIELDS }, null)).toBeNull();
  });

  test('for all there is has what the operator lists, and of everywhere the web', () => {
    expect(want(undefined, true)?.rules.allow).toEqual(['*']);
    const listed = networks(['pypi.org:443', '*.example', '!x.example']);
    expect(want(undefined, true, listed)?.rules.allow).toEqual(['pypi.org:443', '*.example']);
    expect(allOf(ceilingOf(['public', 'db.example:5432'], [])!)).toEqual(['*', 'db.example:5432']);
  });

  test('tells which addresses lead to the sandbox itself', () => {
    expect(want({ allow: ['a.example', '203.0.113.7', '198.51.100.0/24:22'] })?.egress.blocks).toEqual([
      '203.0.113.7/32',
      '198.51.100.0/24',
    ]);
  });

  test.each([
    [
      'a rule that is none',
      () => want({ allow: ['a', 'b b'] }),
      'VALIDATION_ERROR network.allow[1]: "b b" names neither',
    ],
    [
      'a denial that is none',
      () => want({ allow: [], deny: ['a:0'] }),
      'VALIDATION_ERROR network.deny[0]: "a:0" has no port',
    ],
    [
      'too many ports',
      () => want({ allow: ['a:1-64', 'b:65'] }),
      'VALIDATION_ERROR network.allow: names more than 64',
    ],
    [
      'addresses of IPv6',
      () => want({ allow: ['2001:db8::1'] }),
      'NOT_SUPPORTED network.allow: addresses of IPv6',
    ],
    ['both', () => want({ allow: [] }, false), 'VALIDATION_ERROR networkEnabled: contradicts network'],
    [
      'more than the operator allows',
      () => want({ allow: ['a.example', 'b.example'] }, undefined, networks(['a.example'])),
      'NOT_SUPPORTED network.allow[1]: b.example is more than the operator',
    ],
    [
      'addresses behind a proxy',
      () => want({ allow: ['203.0.113.7'] }, undefined, networks(['public'], true)),
      'NOT_SUPPORTED network.allow: this server reaches the network by a proxy',
    ],
    [
      'any network where there is none',
      () => wantedNetwork({ network: { allow: [] }, enabled: undefined, fields: FIELDS }, null),
      'NOT_SUPPORTED network: the operator of this server lets programs have no network',
    ],
  ])('for %s is refused by its name', (_, run, problem) =>
    expect(refusal(run)).toMatch(problem.slice(0, 200)),
  );
});

describe('the operator’s settings', () => {
  test('are off by default, and so is any list with that word', () => {
    expect(readConfig({}).network).toEqual(['off']);
    expect(ceilingOf(['off'], [])).toBeNull();
    expect(ceilingOf(['public', 'off'], [])).toBeNull();
    expect(ceilingOf(['!a.example'], [])).toBeNull();
  });

  test.each([
    ['CODEBEAKER_NETWORK', 'http://x'],
    ['CODEBEAKER_NETWORK', 'everything*'],
    ['CODEBEAKER_NETWORK_PRIVATE', 'db.example'],
    ['CODEBEAKER_NETWORK_PRIVATE', '10.0.0.1/8'],
    ['CODEBEAKER_NETWORK_RESOLVERS', 'dns.example'],
    ['CODEBEAKER_NETWORK_RESOLVERS', '1.1.1.1:99999'],
    ['CODEBEAKER_EGRESS_PROXY', 'socks5://x:1'],
  ])('%s=%s stops the start with a sentence', (name, value) =>
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError),
  );

  test('take rules, denials, blocks, resolvers and a proxy, whose password is not shown', async () => {
    const config = readConfig({
      CODEBEAKER_NETWORK: 'public,!a.example',
      CODEBEAKER_NETWORK_PRIVATE: '10.1.0.0/16:5432,[fd00::/8]:80',
      CODEBEAKER_NETWORK_RESOLVERS: '127.0.0.1:5353,[::1]:53,::1',
      CODEBEAKER_EGRESS_PROXY: 'http://user:pass@proxy:3128',
    });
    expect(ceilingOf(config.network, config.networkPrivate)).toMatchObject({
      deny: ['a.example'],
      private: ['10.1.0.0/16:5432', '[fd00::/8]:80'],
    });
    const { describeSettings } = await import('../../../src/config.ts');
    expect(describeSettings(config)).not.toContain('pass@');
  });
});

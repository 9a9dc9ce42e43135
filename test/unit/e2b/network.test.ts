import { describe, expect, it } from 'vitest';
import { egressOf, isDefault, isNothing, readNetwork, rulesOf } from '../../../routes/e2b/network.ts';

const rules = (allowOut: string[], denyOut: string[], internet?: boolean) =>
  rulesOf(egressOf(internet, { allowOut, denyOut }));

describe('the network of a sandbox', () => {
  it('is open unless its client says otherwise', () => {
    for (const body of [{}, { allow_internet_access: true }, { allowOut: null, denyOut: null }]) {
      expect(isDefault(readNetwork(body))).toBe(true);
      expect(rulesOf(readNetwork(body))).toEqual({ allow: ['*'], deny: [] });
    }
  });

  it('is closed where all is denied', () => {
    for (const body of [
      { allow_internet_access: false },
      { denyOut: ['0.0.0.0/0'] },
      { denyOut: ['ALL_TRAFFIC'] },
    ]) {
      expect(isNothing(readNetwork(body))).toBe(true);
      expect(rulesOf(readNetwork(body))).toEqual({ allow: [], deny: [] });
    }
  });

  it('is open for what is allowed of what is denied as a whole', () => {
    const allowed = ['api.example.com', '*.example.org', '203.0.113.0/24'];
    const expected = { allow: allowed, deny: [] };
    expect(rules(allowed, ['0.0.0.0/0'])).toEqual(expected);
    expect(rules(allowed, [], false)).toEqual(expected);
    expect(rules(allowed, ['198.51.100.1', '0.0.0.0/0'])).toEqual(expected);
    expect(rules(['0.0.0.0/0'], ['0.0.0.0/0'])).toEqual({ allow: ['*'], deny: [] });
  });

  it('is open but for what is denied, on every port', () => {
    expect(rules([], ['198.51.100.0/24', '203.0.113.7', '2001:db8::/32'])).toEqual({
      allow: ['*'],
      deny: ['198.51.100.0/24:1-65535', '203.0.113.7:1-65535', '[2001:db8::/32]:1-65535'],
    });
    expect(rules(['203.0.113.0/24'], ['198.51.100.0/24']).allow).toEqual(['*', '203.0.113.0/24']);
  });

  it.each([
    [['api.example.com'], [], 400, /must include 'ALL_TRAFFIC' in deny out/],
    [['203.0.113.7'], ['203.0.113.0/24'], 501, /part of what is denied/],
    [['203.0.113.0/24'], ['203.0.113.7'], 501, /part of what is denied/],
    [[], ['example.com'], 400, /"example.com" is no address/],
  ])('with %j allowed and %j denied is refused', (allowOut, denyOut, status, message) => {
    expect(() => rules(allowOut, denyOut)).toThrow(
      expect.objectContaining({ status, message: expect.stringMatching(message) }),
    );
  });

  it.each([
    { rules: { 'api.example.com': [{ transform: { headers: { a: 'b' } } }] } },
    { egressProxy: { address: 'proxy.example:1080' } },
  ])('with %j is refused, for requests are not changed here', body => {
    expect(() => readNetwork(body)).toThrow(expect.objectContaining({ status: 501 }));
  });

  it.each([
    [{ allowIn: [] }, /allowIn/],
    [{ allowOut: [7] }, /allowOut/],
    [{ denyOut: Array.from({ length: 101 }, () => '203.0.113.7') }, /denyOut/],
  ])('that is no network is refused by the name of what is wrong', (body, why) => {
    expect(() => readNetwork(body)).toThrow(why);
  });
});

import { expect, test } from 'vitest';
import { Keys } from '../../../plugins/api-keys.ts';

const KEY = 'key/of+ann?=0001';
const keys = new Keys({ apiKeys: [KEY], metricsKeys: ['operator'] });
const offered = (key: string) => `codebeaker.key.${Buffer.from(key).toString('base64url')}`;

test.each([
  KEY,
  `Bearer ${KEY}`,
  'operator',
  `codebeaker, ${offered(KEY)}`,
  `graphql-ws,${offered('operator')},codebeaker`,
  offered(KEY),
])('a header holds a key, which no program is to see: %s', value => {
  expect(keys.holds(value)).toBe(true);
});

test.each([
  '',
  'codebeaker',
  `Bearer ${KEY}x`,
  `codebeaker, ${offered('another')}`,
  'codebeaker.key.',
  'codebeaker.key.///',
])('a header holds none: %s', value => {
  expect(keys.holds(value)).toBe(false);
});

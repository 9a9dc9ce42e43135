import fastify, { type FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { tellBrowsers } from '../../../plugins/browsers.ts';
import { readConfig } from '../../../src/config.ts';
import { PortNames } from '../../../src/port-names.ts';

test('each answer tells browsers that it is no page, to be framed, guessed at or read by others', async () => {
  const app = fastify() as unknown as FastifyInstance;
  await tellBrowsers(app, readConfig({}), new PortNames(undefined));
  app.get('/', async () => ({}));
  for (let asked = 0; asked < 2; asked++) {
    const { headers } = await app.inject('/');
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'self';frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'origin-agent-cluster': '?1',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-dns-prefetch-control': 'off',
      'x-download-options': 'noopen',
      'x-frame-options': 'SAMEORIGIN',
      'x-permitted-cross-domain-policies': 'none',
      'x-xss-protection': '0',
    });
    expect(headers).not.toHaveProperty('strict-transport-security');
  }
  await app.close();
});

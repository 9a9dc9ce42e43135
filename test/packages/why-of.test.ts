import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { Upstream } from '../../src/packages/registry/upstream.ts';
import { TestCertificate } from '../network/test-certificate.ts';

/** What is said of a server of which no page can be read. */
async function saidOf(server: Server, scheme = 'https'): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const upstream = new Upstream({ url: `${scheme}://${host}/`, authorization: null });
  const reading = upstream.page(upstream.base, { accept: '*/*', mostBytes: 1000 });
  const { message } = await reading.then(
    () => new Error('it was read'),
    error => error,
  );
  server.close();
  expect(message).toContain(`${host}: `);
  return message.slice(`${host}: `.length);
}

test('each way in which a registry can not be read over TLS is told in words of ours, without the names in its certificate', async () => {
  using certificate = new TestCertificate('secret.test');
  const secure = () => createHttps(certificate, (_, response) => response.end());
  expect(await saidOf(secure())).toMatch(/^its certificate is from nobody whom this service trusts/);
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificate.file, 'utf8')]);
  expect(await saidOf(secure())).toBe('its certificate is for other names');
  expect(await saidOf(createHttp())).toBe('it does not speak TLS');
  expect(await saidOf(createHttps({}))).toMatch(/^TLS was not agreed on: [a-z\d/ ]+$/);
  expect(await saidOf(createTcp(socket => socket.destroy()))).toBe('it closed the connection');
});

test('an answer that ends early or can not be unpacked is told as that', async () => {
  const sends = (bytes: Uint8Array | string, more = {}) =>
    createHttp((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length, ...more }).write(bytes);
      setImmediate(() => response.destroy());
    });
  expect(await saidOf(sends('abc', { 'content-length': 10 }), 'http')).toBe('it closed the connection');
  const packed = { 'content-encoding': 'gzip' };
  expect(await saidOf(sends('abc', packed), 'http')).toBe('it sent what can not be unpacked');
});

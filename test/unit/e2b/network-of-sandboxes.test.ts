import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Capabilities } from '../../../src/service/service.ts';
import { openE2b } from './open-e2b.ts';

/** A server whose sandboxes have networks, as the door sees it: what it asks the service for is looked at. */
async function open(supported: boolean) {
  const door = await openE2b();
  const { service } = door;
  const own = await service.capabilities();
  vi.spyOn(service, 'capabilities').mockImplementation(async (): Promise<Capabilities> => {
    return { ...own, supports: supported ? new Set([...own.supports, 'Network']) : own.supports };
  });
  const create = service.sessions.create.bind(service.sessions);
  const asked: unknown[] = [];
  vi.spyOn(service.sessions, 'create').mockImplementation((config, ...rest) => {
    const { network, networkEnabled, ...other } = config;
    asked.push(network ?? networkEnabled ?? null);
    return create(other, ...rest);
  });
  vi.spyOn(service.sessions, 'update').mockImplementation(async (id, change, call) => {
    asked.push(change.network);
    return service.sessions.get(id, call);
  });
  return { ...door, asked };
}

const wanted = await open(true);
const without = await open(false);
afterAll(() => Promise.all([wanted.app.close(), without.app.close()]));

const info = async ({ ask }: typeof wanted, id: string) =>
  (await ask(`/sandboxes/${id}`, { method: 'GET', key: 'alice' })).body;

describe('a sandbox', () => {
  it('has what the operator allows where its client says nothing', async () => {
    const { id } = await wanted.create('alice', { allow_internet_access: true });
    expect(wanted.asked.at(-1)).toBe(true);
    expect(await info(wanted, id)).toMatchObject({ allowInternetAccess: true, network: { allowOut: [] } });
  });

  it('has what its client says, and later something else', async () => {
    const network = { allowOut: ['api.example.com'], denyOut: ['0.0.0.0/0'] };
    const { id } = await wanted.create('alice', { network });
    expect(wanted.asked.at(-1)).toEqual({ allow: ['api.example.com'], deny: [] });
    expect(await info(wanted, id)).toMatchObject({ network });
    const put = (body: object, key = 'alice') =>
      wanted.ask(`/sandboxes/${id}/network`, { method: 'PUT', key, body });
    expect((await put({ denyOut: ['203.0.113.7'] })).status).toBe(204);
    expect(wanted.asked.at(-1)).toEqual({ allow: ['*'], deny: ['203.0.113.7:1-65535'] });
    expect(await info(wanted, id)).toMatchObject({ network: { allowOut: [], denyOut: ['203.0.113.7'] } });
    const before = wanted.asked.length;
    expect((await put({}, 'bob')).status).toBe(404);
    expect(wanted.asked).toHaveLength(before);
  });

  it('can be given a network later where it began with none', async () => {
    await wanted.create('alice', { allow_internet_access: false });
    expect(wanted.asked.at(-1)).toEqual({ allow: [], deny: [] });
  });

  it('has none where the server has none, and who asks for one is refused', async () => {
    const { id } = await without.create('alice', { allow_internet_access: true });
    expect(without.asked.at(-1)).toBeNull();
    expect(await info(without, id)).toMatchObject({ allowInternetAccess: false });
    const put = (body: object) =>
      without.ask(`/sandboxes/${id}/network`, { method: 'PUT', key: 'alice', body });
    expect((await put({ allow_internet_access: false })).status).toBe(204);
    expect(await put({})).toMatchObject({
      status: 501,
      body: { message: expect.stringMatching(/made without/) },
    });
    const network = { allowOut: ['api.example.com'], denyOut: ['0.0.0.0/0'] };
    const refused = await without.ask('/sandboxes', { key: 'alice', body: { templateID: 'base', network } });
    expect(refused).toMatchObject({ status: 501, body: { message: expect.stringMatching(/allowOut/) } });
  });
});

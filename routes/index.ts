import type { FastifyInstance } from 'fastify';
import type { Door, DoorParts } from './door.ts';
import { jsonRpc } from './jsonrpc/index.ts';
import { mcp } from './mcp/index.ts';
import { operations } from './operations/index.ts';
import { rest } from './rest/index.ts';

/** Every door; a new protocol is a folder and a line here. Imports: plugins, rpc, the service's interface, schemas. */
export const doors: readonly Door[] = [rest, operations, jsonRpc, mcp];

/** Opens each door in a scope of its own. */
export async function openDoors(app: FastifyInstance, parts: DoorParts): Promise<void> {
  for (const door of doors) await app.register(async scope => door.open(scope, parts));
}

import type { FastifyInstance } from 'fastify';
import type { OtherDoor } from '../src/config.ts';
import { dap } from './dap/index.ts';
import { data } from './data/index.ts';
import type { Door, DoorParts } from './door.ts';
import { e2b } from './e2b/index.ts';
import { jsonRpc } from './jsonrpc/index.ts';
import { judge0 } from './judge0/index.ts';
import { jupyter } from './jupyter/index.ts';
import { mcp } from './mcp/index.ts';
import { operations } from './operations/index.ts';
import { page } from './page/index.ts';
import { piston } from './piston/index.ts';
import { rest } from './rest/index.ts';
import { status } from './status/index.ts';

/** Our own doors. Imports: plugins, rpc, the service's interface, schemas. */
const OURS: readonly Door[] = [rest, operations, jsonRpc, data, status, dap, page];

/** Doors that speak other services' protocols; a new one is a folder, a line here and its name in the setting. */
const OTHERS: Readonly<Record<OtherDoor, Door>> = { e2b, judge0, jupyter, mcp, piston };

/** Opens each door in a scope of its own; of others' those that the operator wants. */
export async function openDoors(
  app: FastifyInstance,
  wanted: readonly string[],
  parts: DoorParts,
): Promise<void> {
  const others = Object.values(OTHERS).filter(({ name }) => wanted.includes(name));
  for (const door of [...OURS, ...others]) await app.register(async scope => door.open(scope, parts));
}

import { type Static, Type } from '@sinclair/typebox';
import { type Block, covers, parseBlock } from '../../src/network-rules/address.ts';
import type { NetworkRules } from '../../src/schemas/network.ts';
import { closed } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import { maybe } from './maybe.ts';
import { notThere, Refusal } from './refusals.ts';

/** Every address: as one to deny it leaves what is allowed, as one to allow it is the whole network. */
const ALL_TRAFFIC = '0.0.0.0/0';
const EVERY_PORT = '1-65535';

const entries = maybe(Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 100 }));

/** Of `SandboxNetworkConfig` (spec/openapi.yml of E2B) what is about connections that programs make. */
export const egressFields = {
  allowOut: entries,
  denyOut: entries,
  rules: maybe(Type.Unknown()),
  egressProxy: maybe(Type.Unknown()),
};
const Fields = Type.Object(egressFields);

const updateBody = validator(closed({ ...egressFields, allow_internet_access: maybe(Type.Boolean()) }));

/** Where a sandbox may connect, as its client asks for it and is told. */
export interface Egress {
  readonly allowInternetAccess: boolean;
  readonly allowOut: readonly string[];
  readonly denyOut: readonly string[];
}

/** The body of `PUT /sandboxes/{id}/network`, which takes the place of what was. @throws {ServiceError | Refusal} */
export function readNetwork(body: unknown): Egress {
  const { allow_internet_access, ...fields } = updateBody(body);
  return egressOf(allow_internet_access, fields);
}

/** Clients have the internet unless they say otherwise. @throws {Refusal} */
export function egressOf(
  internet: boolean | null | undefined,
  { allowOut, denyOut, rules, egressProxy }: Static<typeof Fields>,
): Egress {
  if (isSomething(rules) || isSomething(egressProxy))
    throw notThere('Changing requests of sandboxes (network.rules, egressProxy) is');
  const egress = {
    allowInternetAccess: internet !== false,
    allowOut: allowOut ?? [],
    denyOut: (denyOut ?? []).map(entry => (entry === 'ALL_TRAFFIC' ? ALL_TRAFFIC : entry)),
  };
  const name = egress.denyOut.find(entry => !parseBlock(entry));
  if (name !== undefined)
    throw new Refusal(
      400,
      `network.denyOut: ${JSON.stringify(name)} is no address and no block of addresses`,
    );
  if (!deniesAll(egress)) checkOpen(egress);
  return egress;
}

/** Nothing is asked for but what clients have by default. */
export function isDefault({ allowInternetAccess, allowOut, denyOut }: Egress): boolean {
  return allowInternetAccess && allowOut.length + denyOut.length === 0;
}

export function isNothing(egress: Egress): boolean {
  return deniesAll(egress) && egress.allowOut.length === 0;
}

/** As the service has it, where what is denied is not allowed. A name or address without a port is of the web, as everywhere here. */
export function rulesOf(egress: Egress): NetworkRules {
  const { allowOut, denyOut } = egress;
  const isOpen = !deniesAll(egress) || allowOut.includes(ALL_TRAFFIC);
  const named = allowOut.filter(entry => entry !== ALL_TRAFFIC);
  // What is allowed goes before what is denied for their clients, so that a denial of everything says no more than that.
  const denied = deniesAll(egress) ? [] : denyOut;
  return {
    allow: [...(isOpen ? ['*'] : []), ...named],
    deny: denied.map(entry => `${entry.includes(':') ? `[${entry}]` : entry}:${EVERY_PORT}`),
  };
}

function deniesAll({ allowInternetAccess, denyOut }: Egress): boolean {
  return !allowInternetAccess || denyOut.includes(ALL_TRAFFIC);
}

/** Of a network that is open but for what is denied. In the words of E2B's where it refuses too. */
function checkOpen({ allowOut, denyOut }: Egress): void {
  const allowed = allowOut.map(entry => parseBlock(entry));
  if (allowed.includes(null))
    throw new Refusal(
      400,
      "When specifying allowed domains in allow out, you must include 'ALL_TRAFFIC' in deny out to block all other traffic.",
    );
  const denied = denyOut.map(entry => parseBlock(entry)!);
  const meets = (block: Block) => denied.some(other => covers(other, block) || covers(block, other));
  if (allowed.some(block => meets(block!)))
    throw notThere('Allowing part of what is denied (network.allowOut in denyOut), but of all, is');
}

/** Python's clients write null, and some write what is empty. */
function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null && Object.keys(value).length > 0;
}

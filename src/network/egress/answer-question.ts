import { canonicalName } from '../../network-rules/host-name.ts';
import type { Policy } from '../../network-rules/policy.ts';
import { answerTo, CLASS_IN, CODE, encodeName, readQuery, TYPE } from './dns-message.ts';
import { FakeNames } from './fake-names.ts';

export interface Answered {
  readonly bytes: Uint8Array;
  /** A name that was asked for and is not allowed. */
  readonly denied: string | null;
}

/**
 * Answers a program's question for a name without asking anybody: a name that is allowed has an address of the sandbox's own that
 * stands for it, every other one is not there. Null where there is no answer to give.
 */
export function answerQuestion(bytes: Uint8Array, policy: Policy, names: FakeNames): Answered | null {
  const query = readQuery(bytes);
  if (!query) return null;
  const answered = (code: number, data: Uint8Array | null = null, denied: string | null = null) => ({
    bytes: answerTo(query, code, data),
    denied,
  });
  if (query.opcode !== 0) return answered(CODE.notImplemented);
  if (query.class !== CLASS_IN) return answered(CODE.refused);
  const reverse = addressIn(query.name);
  if (reverse !== null) {
    const name = FakeNames.holds(reverse) ? names.nameOf(reverse) : undefined;
    if (name === undefined) return answered(CODE.noName);
    return answered(CODE.none, query.type === TYPE.PTR ? encodeName(name) : null);
  }
  const name = canonicalName(query.name);
  // A resolver asks for both families: told once.
  const denied = query.type === TYPE.A && query.name !== '' ? shown(query.name) : null;
  if (name === null || !policy.knowsName(name)) return answered(CODE.noName, null, denied);
  if (query.type !== TYPE.A) return answered(CODE.none);
  const address = names.addressOf(name);
  if (address === null) return answered(CODE.failure);
  return answered(CODE.none, Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address));
}

/** Of `4.3.2.1.in-addr.arpa`. */
function addressIn(name: string): number | null {
  const [, ...parts] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name) ?? [];
  return parts.length === 4 ? parts.reduceRight((value, part) => value * 256 + Number(part), 0) : null;
}

const shown = (name: string) => name.replaceAll('\0', '?').slice(0, 253);

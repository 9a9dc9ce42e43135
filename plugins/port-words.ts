import type { PortFailure } from '../src/network/egress/port-frames.ts';
import { portOfSession } from '../src/port-names.ts';

/** Why a request to a name of a port got no answer of a program's. */
export type PortRefusal = PortFailure | 'unknown' | 'gone' | 'closed';

const OURS: Readonly<Record<PortRefusal, readonly [status: number, message: (port: number) => string]>> = {
  unknown: [404, () => 'Nothing is exposed by this name'],
  gone: [410, () => 'The session of this port has ended'],
  closed: [
    401,
    () => 'This port is not public: send X-CodeBeaker-Port-Token, or a key of its session’s owner',
  ],
  refused: [502, port => `Nothing listens on port ${port}`],
  late: [504, port => `Port ${port} did not answer in time`],
  malformed: [502, port => `Port ${port} answered no HTTP, or not to its end`],
};
/** What clients of E2B look for in an answer. */
const E2B: Readonly<Partial<Record<PortRefusal, readonly [status: number, message: string]>>> = {
  unknown: [502, 'The sandbox was not found'],
  gone: [502, 'The sandbox was not found'],
  closed: [403, 'The traffic access token is missing or wrong: send it as e2b-traffic-access-token'],
  refused: [502, 'The sandbox is running but port is not open'],
};

/** What is answered at a name of a port: of an exposed one in our words, of one by a session's id in those of E2B. */
export function refusalAt(label: string, reason: PortRefusal): readonly [status: number, body: object] {
  const named = portOfSession(label);
  const theirs = named && E2B[reason];
  if (theirs) {
    const [code, message] = theirs;
    return [code, { sandboxId: named.sessionId, message, port: named.port, code }];
  }
  const [status, message] = OURS[reason];
  return [status, { error: message(named?.port ?? Number.parseInt(label, 10)) }];
}

import type { PortFailure } from '../src/network/egress/port-frames.ts';
import { portOfSession } from '../src/port-names.ts';

/** Why a request to a name of a port got no answer of a program's. */
type Reason = PortFailure | 'unknown' | 'gone' | 'closed';

/** By reason what is answered. */
export type PortWords = Readonly<Record<Reason, readonly [status: number, body: object]>>;

/** For names of exposed ports ours; for those of a session's id what clients of E2B look for in an answer. */
export function wordsFor(label: string): PortWords {
  const named = portOfSession(label);
  const port = named?.port ?? Number.parseInt(label, 10);
  const ours = (status: number, error: string) => [status, { error }] as const;
  const own: PortWords = {
    unknown: ours(404, 'Nothing is exposed by this name'),
    gone: ours(410, 'The session of this port has ended'),
    closed: ours(
      401,
      'This port is not public: send X-CodeBeaker-Port-Token, or a key of its session’s owner',
    ),
    refused: ours(502, `Nothing listens on port ${port}`),
    late: ours(504, `Port ${port} did not answer in time`),
    malformed: ours(502, `Port ${port} answered no HTTP, or not to its end`),
  };
  if (!named) return own;
  const theirs = (code: number, message: string) =>
    [code, { sandboxId: named.sessionId, message, port, code }] as const;
  return {
    ...own,
    unknown: theirs(502, 'The sandbox was not found'),
    gone: theirs(502, 'The sandbox was not found'),
    closed: theirs(403, 'The traffic access token is missing or wrong: send it as e2b-traffic-access-token'),
    refused: theirs(502, 'The sandbox is running but port is not open'),
  };
}

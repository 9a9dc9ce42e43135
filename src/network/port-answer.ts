import type { Socket } from 'node:net';
import {
  framesOf,
  type OwnFrame,
  PORT_FAILURES,
  type PortFailure,
  PortFrame,
  type PortHead,
} from './egress/port-frames.ts';

export interface PortAnswer {
  readonly head: PortHead;
  /** Its body, or what follows it in another protocol; for `takeBody`. */
  readonly body: AsyncIterator<OwnFrame, undefined>;
}

/** What a port of a sandbox answers to a request that was sent on this connection (port-frames.ts), or why there is no answer. */
export async function answerOn(socket: Socket): Promise<PortAnswer | PortFailure> {
  const body = framesOf(socket);
  const first = await body.next().catch(() => null);
  const { kind, payload } = first?.value ?? {};
  if (payload && kind === PortFrame.head) return { head: JSON.parse(payload.toString()) as PortHead, body };
  const failure = payload?.toString();
  return PORT_FAILURES.find(each => each === failure) ?? 'refused';
}

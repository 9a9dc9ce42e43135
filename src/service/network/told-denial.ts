import type { Denial } from '../../network/egress/protocol.ts';

/** As events have it: a name or an address, and not both. */
export function toldDenial({ name, address, port, reason }: Denial) {
  return { ...(name !== null && { name }), ...(address !== null && { address }), port, reason };
}

export type ToldDenial = ReturnType<typeof toldDenial>;

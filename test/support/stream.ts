import type { Notification } from './rpc-client.ts';

/** What two streams of notifications, put together, must be: nothing lost, nothing twice. */
export function seqsOf(notifications: readonly Notification[]): number[] {
  return notifications.filter(n => n.params?.seq !== undefined).map(n => n.params.seq);
}

export function isContiguous(seqs: readonly number[], from = 1): boolean {
  return seqs.every((seq, i) => seq === from + i);
}

/** All that was printed on one stream, from its notifications. */
export function textOf(notifications: readonly Notification[], stream = 'stdout'): string {
  const parts = notifications.filter(n => n.method === 'execution.output' && n.params.stream === stream);
  return parts.map(n => n.params.text ?? Buffer.from(n.params.data, 'base64').toString()).join('');
}

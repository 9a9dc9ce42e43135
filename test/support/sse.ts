// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
export interface SentEvent {
  readonly id: number;
  readonly event: string;
  readonly data: any;
}

/** Follows server-sent events until one fits, and resolves to all up to that one. */
export async function eventsUntil(
  url: string,
  fits: (event: SentEvent) => boolean,
  lastEventId?: number,
): Promise<SentEvent[]> {
  const headers: Record<string, string> =
    lastEventId === undefined ? {} : { 'last-event-id': `${lastEventId}` };
  const answer = await fetch(url, { headers });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  const decoder = new TextDecoder();
  const events: SentEvent[] = [];
  let held = '';
  for await (const bytes of answer.body!) {
    const blocks = (held + decoder.decode(bytes, { stream: true })).split('\n\n');
    held = blocks.pop() ?? '';
    for (const block of blocks.filter(each => each.includes('data:'))) {
      const event = read(block);
      events.push(event);
      if (fits(event)) return events;
    }
  }
  throw new Error(`the events ended after ${events.length}`);
}

function read(block: string): SentEvent {
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
  return { id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) };
}

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

/** Server-sent events one by one, with their ids as they are. */
export class EventReader {
  readonly #gone = new AbortController();
  #events: AsyncGenerator<Omit<SentEvent, 'id'> & { id: string }> | undefined;

  static async open(url: string, lastEventId?: string): Promise<EventReader> {
    const reader = new EventReader();
    const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const answer = await fetch(url, { headers, signal: reader.#gone.signal });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    reader.#events = blocks(answer.body!);
    return reader;
  }

  async next(): Promise<Omit<SentEvent, 'id'> & { id: string }> {
    const { value } = await this.#events!.next();
    return value!;
  }

  leave(): void {
    this.#gone.abort();
  }
}

async function* blocks(body: AsyncIterable<Uint8Array>) {
  const decoder = new TextDecoder();
  let held = '';
  for await (const bytes of body) {
    const whole = (held + decoder.decode(bytes, { stream: true })).split('\n\n');
    held = whole.pop() ?? '';
    for (const block of whole.filter(each => each.includes('data:')))
      yield { ...read(block), id: /^id: (.*)$/m.exec(block)?.[1] ?? '' };
  }
}

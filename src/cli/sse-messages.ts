import { blocksOf } from '../client/event-blocks.ts';

/** JSON of the events of a stream, as MCP sends them, which may be silent for as long as a call takes. @throws where one does not end */
// biome-ignore lint/suspicious/noExplicitAny: whatever messages are
export async function* sseMessages(stream: ReadableStream<Uint8Array>): AsyncGenerator<any> {
  for await (const block of blocksOf(stream, { silenceMs: Number.POSITIVE_INFINITY })) {
    const data = block.split('\n').filter(line => line.startsWith('data:'));
    // Comments and events without data say nothing.
    const text = data.map(line => line.slice('data:'.length).trimStart()).join('\n');
    if (text !== '') yield JSON.parse(text);
  }
}

/** Characters of an event, of which a result has fewer. */
const MOST_LENGTH = 128 * 1024 * 1024;

/** JSON of the events of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), as MCP sends them. @throws where one does not end */
// biome-ignore lint/suspicious/noExplicitAny: whatever messages are
export async function* sseMessages(stream: ReadableStream<Uint8Array>): AsyncGenerator<any> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length > MOST_LENGTH) throw new Error('an event came that has no end');
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const data = rest
        .slice(0, end)
        .split('\n')
        .filter(line => line.startsWith('data:'));
      rest = rest.slice(end + 2);
      // Comments and events without data say nothing.
      const text = data.map(line => line.slice('data:'.length).trimStart()).join('\n');
      if (text !== '') yield JSON.parse(text);
    }
  }
}

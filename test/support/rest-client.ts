// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/** Sends one HTTP request; a `body` goes as JSON, a string as it is. */
export async function http(
  url: string,
  method = 'GET',
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') && text !== '';
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}

/** Runs one program through `POST /api/execution` and waits for its end. */
export async function runOnce(url: string, request: Record<string, unknown>): Promise<any> {
  const answer = await http(`${url}/api/execution?wait=true`, 'POST', request);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Asks for an execution until it has got as far as `look` wants. */
export async function executionUntil(url: string, id: string, look: (e: any) => boolean): Promise<any> {
  for (let i = 0; i < 600; i++) {
    const { body } = await http(`${url}/api/execution/${id}`);
    if (look(body)) return body;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`execution ${id} never got there`);
}

/** Follows an execution's events until it has printed so much. */
export async function executionPrints(url: string, id: string, text: string): Promise<void> {
  const { body } = await fetch(`${url}/api/execution/${id}/events`);
  const decoder = new TextDecoder();
  let events = '';
  for await (const bytes of body!) {
    events += decoder.decode(bytes, { stream: true });
    if (events.includes(JSON.stringify(text).slice(1, -1))) return;
  }
  throw new Error(`execution ${id} ended and had not printed ${text}`);
}

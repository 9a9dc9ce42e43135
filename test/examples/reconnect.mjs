// Loses its connection in the middle of a run, comes back and misses nothing: events are numbered.
const url = (process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039').replace('http', 'ws');
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `Bearer ${key}` }) };

/** A connection: `call` resolves to a method's result, `onEvent` is told of every notification. */
async function connect(onEvent) {
  const socket = new WebSocket(`${url}/ws/jsonrpc`, { headers });
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(data);
    if (method) return onEvent(params, method);
    const { resolve, reject } = waiting.get(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  };
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  let last = 0;
  const call = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: last, method, params }));
    });
  return { socket, call };
}

const lines = [];
let lastSeq = 0;
const ended = Promise.withResolvers();
const onEvent = (params, method) => {
  lastSeq = params.seq;
  if (method === 'execution.output') lines.push(params.text);
  if (method === 'execution.completed') ended.resolve(params.status);
};

const first = await connect(onEvent);
const { sessionId } = await first.call('session.create', { language: 'python' });
await first.call('session.execute', {
  sessionId,
  command: {
    type: 'execute_shell',
    commandName: 'sh',
    args: ['-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done'],
    background: true,
  },
});
first.socket.close();

const second = await connect(onEvent);
await second.call('session.attach', { sessionId, afterSeq: lastSeq });
console.log(await ended.promise);
console.log(lines.join('').trim().split('\n').join(' '));
await second.call('session.close', { sessionId });
second.socket.close();

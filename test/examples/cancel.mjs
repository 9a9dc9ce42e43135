// Cancels what runs for too long: a one-shot by its id, and a cell of a session by the id of its request.
const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const key = process.env.CODEBEAKER_API_KEY;
const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
const code = 'import time\nwhile True: time.sleep(1)';

const started = await fetch(`${url}/api/execution`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ language: 'python', code }),
});
const { executionId } = await started.json();
const ended = await fetch(`${url}/api/execution/${executionId}`, { method: 'DELETE', headers });
console.log((await ended.json()).status);

const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/jsonrpc`, { headers });
const waiting = new Map();
let lastId = 0;
socket.onmessage = ({ data }) => {
  const { id, result, error } = JSON.parse(data);
  waiting.get(id)?.(result ?? error);
};
const send = message => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
function call(method, params) {
  const id = ++lastId;
  send({ id, method, params });
  return new Promise(resolve => waiting.set(id, resolve));
}
await new Promise(resolve => (socket.onopen = resolve));
const { sessionId } = await call('session.create', { language: 'python' });
const cell = cellCode =>
  call('session.execute', { sessionId, command: { type: 'execute_code', code: cellCode } });

await cell('x = 10');
const long = cell(code);
await new Promise(resolve => setTimeout(resolve, 1000));
send({ method: '$/cancelRequest', params: { id: lastId } });
console.log((await long).code);
console.log((await cell('x')).result.results[0]['text/plain']);
await call('session.close', { sessionId });
socket.close();

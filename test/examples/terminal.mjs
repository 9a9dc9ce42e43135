// Runs a shell in a terminal, types into it and makes the terminal larger, as xterm.js would do for a person.
const url = (process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039').replace('http', 'ws');
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `Bearer ${key}` }) };

const socket = new WebSocket(`${url}/ws/jsonrpc`, { headers });
const waiting = new Map();
const ended = Promise.withResolvers();
let screen = '';
socket.onmessage = ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (method === 'execution.output') screen += params.text;
  else if (method === 'execution.completed') ended.resolve(params.exitCode);
  else waiting.get(id)?.(result ?? error);
};
const call = (method, params) =>
  new Promise(resolve => {
    const id = waiting.size + 1;
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  });
const shown = async text => {
  while (!screen.includes(text)) await new Promise(resolve => setTimeout(resolve, 20));
};
await new Promise(resolve => (socket.onopen = resolve));
const { sessionId } = await call('session.create', { language: 'python' });

const command = { type: 'execute_shell', commandName: 'sh', background: true, pty: { cols: 80, rows: 24 } };
const { result } = await call('session.execute', { sessionId, command });
const { executionId } = result;
await call('process.input', { executionId, data: 'stty size\n' });
await shown('24 80');
await call('process.resize', { executionId, cols: 132, rows: 43 });
await call('process.input', { executionId, data: 'stty size; exit\n' });
await shown('43 132');

console.log('exit code:', await ended.promise);
await call('session.close', { sessionId });
socket.close();

// Runs a shell in a terminal, types into it and makes the terminal larger, as xterm.js would do for a person.
const url = (process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039').replace('http', 'ws');
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `Bearer ${key}` }) };

const socket = new WebSocket(`${url}/ws/jsonrpc`, { headers });
const waiting = new Map();
const ended = Promise.withResolvers();
const shown = [];
socket.onmessage = ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (method === 'execution.output') shown.push(params.text);
  else if (method === 'execution.completed') ended.resolve(params.exitCode);
  else waiting.get(id)?.(result ?? error);
};
const call = (method, params) =>
  new Promise(resolve => {
    const id = waiting.size + 1;
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  });
await new Promise(resolve => (socket.onopen = resolve));
const { sessionId } = await call('session.create', { language: 'python' });

const command = { type: 'execute_shell', commandName: 'sh', background: true, pty: { cols: 80, rows: 24 } };
const { result } = await call('session.execute', { sessionId, command });
const { executionId } = result;
await call('process.input', { executionId, data: 'stty size\n' });
await call('process.resize', { executionId, cols: 132, rows: 43 });
await call('process.input', { executionId, data: 'stty size; exit\n' });

console.log('exit code:', await ended.promise);
// The terminal shows what was typed too, and ends its lines with a carriage return.
console.log(shown.join('').match(/^\d+ \d+(?=\r?$)/gm));
await call('session.close', { sessionId });
socket.close();

// Runs a cell in a kernel by Jupyter's messages, as a notebook does, and prints what it shows.
const url = `${process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039'}/jupyter/api/kernels`;
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `token ${key}` }) };

const made = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ name: 'python3' }) });
const { id } = await made.json();
const socket = new WebSocket(`${url.replace('http', 'ws')}/${id}/channels`);
await new Promise(resolve => (socket.onopen = resolve));

const header = { msg_id: crypto.randomUUID(), msg_type: 'execute_request', session: crypto.randomUUID() };
const content = { code: 'print("before")\n6 * 7', allow_stdin: false };
const over = new Promise(resolve => {
  socket.onmessage = ({ data }) => {
    const { msg_type: type, parent_header, content } = JSON.parse(data);
    if (parent_header.msg_id !== header.msg_id) return;
    if (type === 'stream') process.stdout.write(content.text);
    if (type === 'execute_result') console.log(content.data['text/plain']);
    if (content.execution_state === 'idle') resolve();
  };
});
socket.send(JSON.stringify({ header, parent_header: {}, metadata: {}, content, channel: 'shell' }));
await over;

socket.close();
await fetch(`${url}/${id}`, { method: 'DELETE', headers });

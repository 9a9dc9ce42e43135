// Starts a program and prints its output as it comes, from server-sent events.
const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const key = process.env.CODEBEAKER_API_KEY;
const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };

const started = await fetch(`${url}/api/execution`, {
  method: 'POST',
  headers,
  body: JSON.stringify({
    language: 'javascript',
    code: "for (const word of ['one', 'two', 'three']) { console.log(word); await new Promise(r => setTimeout(r, 50)); }",
  }),
});
if (!started.ok) throw new Error(await started.text());
const { executionId } = await started.json();

const { body } = await fetch(`${url}/api/execution/${executionId}/events`, { headers });
let text = '';
for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  const events = text.split('\n\n');
  text = events.pop();
  for (const event of events) {
    const fields = Object.fromEntries(
      event.split('\n').map(line => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
    );
    if (fields.event === 'output') process.stdout.write(JSON.parse(fields.data).text);
    if (fields.event === 'completed') console.log(JSON.parse(fields.data).status);
  }
}

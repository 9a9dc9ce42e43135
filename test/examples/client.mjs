// A session's variables, files and output as it comes, with this service's own client. It runs on Node.js, Bun and Deno.
import { CodeBeaker } from 'codebeaker/client';

const { CODEBEAKER_URL: url, CODEBEAKER_API_KEY: key } = process.env;
const client = new CodeBeaker({ url, key });
const session = await client.session({ language: 'python' });

await session.run('x = 20');
const { results } = await session.run('x * 2 + 2');
console.log(results[0]['text/plain']);

await session.write('numbers.txt', '1 2 3');
const count = 'for word in open("numbers.txt").read().split(): print(int(word) * 2, flush=True)';
for await (const event of session.stream(count))
  if (event.type === 'output') for (const line of event.text.trim().split('\n')) console.log(line);

const { outcome, error } = await session.run('1 / 0');
console.log(outcome, error.name);
await session.close();
client.close();

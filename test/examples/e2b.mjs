// What was written for E2B: its own client, pointed here, runs code that keeps its state, and files and commands beside it.
import { Sandbox } from '@e2b/code-interpreter';

const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const apiKey = process.env.CODEBEAKER_API_KEY ?? 'any';

const sandbox = await Sandbox.create({ apiUrl: `${url}/e2b`, sandboxUrl: `${url}/e2b`, apiKey });
await sandbox.files.write('numbers.csv', '20\n22\n');
await sandbox.runCode('numbers = [int(line) for line in open("numbers.csv")]');
const { text } = await sandbox.runCode('sum(numbers)');
const { stdout } = await sandbox.commands.run('wc -l < numbers.csv');

console.log(text, stdout.trim());
await sandbox.kill();

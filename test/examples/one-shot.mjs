// Runs one program and prints what it printed. CODEBEAKER_URL names the service.
const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const key = process.env.CODEBEAKER_API_KEY;
const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };

const answer = await fetch(`${url}/api/execution?wait=true`, {
  method: 'POST',
  headers,
  body: JSON.stringify({
    language: 'python',
    code: 'import sys\nprint(sum(int(line) for line in sys.stdin))',
    stdin: '1\n2\n39\n',
    config: { timeout: 5, memoryLimit: 128 },
  }),
});
if (!answer.ok) throw new Error(await answer.text());
const { outcome, exitCode, stdout, stderr } = await answer.json();
console.log(outcome, exitCode);
process.stdout.write(stdout);
process.stderr.write(stderr);

// A file of any size there and back, what changes in a directory, and a page that a program of a session serves.
import { CodeBeaker } from 'codebeaker/client';

const { CODEBEAKER_URL: url, CODEBEAKER_API_KEY: key } = process.env;
const client = new CodeBeaker({ url, key });
const session = await client.session({ language: 'python' });

const data = new Blob(Array.from({ length: 6 }, () => new Uint8Array(1_000_000)));
let told = 0;
await session.upload('data.bin', data, {
  onProgress: ({ bytes, totalBytes }) => {
    told = bytes / totalBytes;
  },
});
let came = 0;
for await (const piece of session.download('data.bin', { offset: 1_000_000 })) came += piece.byteLength;
console.log(told, came);

const changes = await session.watch('.', { recursive: true });
await session.shell('sh', ['-c', 'mkdir site && echo Hello > site/index.html']);
for await (const { type, path } of changes) {
  console.log(type, path);
  if (path.endsWith('/index.html')) break;
}

await session.spawn('python3', ['-m', 'http.server', '8000', '--directory', 'site']);
for await (const { type, port } of await session.portEvents()) if (type === 'opened' && port === 8000) break;
const { url: address, token } = await session.expose(8000);
console.log(new URL(address).hostname.startsWith('8000-'), token !== '');
await session.close();
client.close();

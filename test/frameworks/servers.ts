import { Browser } from '../support/browser.ts';
import { TestSession } from '../support/session.ts';
import { startServer } from '../support/start-server.ts';

/**
 * Servers that people develop with, installed and started in sessions and opened in a browser through their ports: `npm run frameworks`.
 * Their packages come from the machine's own index and registry.
 */
const server = await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python,NodeJs' } });
const browser = await Browser.launch();
let failed = 0;
try {
  for (const [name, run] of Object.entries({ vite, flask, jupyterlab })) {
    const [seen, versions] = await run().catch(error => [String(error), ''] as const);
    if (seen !== 'ok') failed++;
    console.log(`${seen === 'ok' ? 'ok' : 'WRONG'} ${name} ${versions}${seen === 'ok' ? '' : `\n${seen}`}`);
  }
} finally {
  await browser[Symbol.asyncDispose]();
  await server.stop();
}
process.exitCode = failed === 0 ? 0 : 1;

type Seen = readonly [seen: string, versions: string];

/** A module that is changed takes the place of the old one, and the page is not loaded again. */
async function vite(): Promise<Seen> {
  await using session = await TestSession.open(server.wsUrl, {
    language: 'javascript',
    runtimeType: 'NodeJs',
    memoryLimitMB: 1024,
  });
  const versions = await install(session, ['vite']);
  await write(session, 'index.html', '<p></p><script type=module src=/main.js></script>');
  const main = (text: string) =>
    `document.querySelector('p').textContent = '${text}'; import.meta.hot.accept();`;
  await write(session, 'main.js', main('before'));
  await start(session, 'vite --host 127.0.0.1 --port 5173');
  await browser.goto(`${await opened(session, 5173)}/`);
  await browser.until(`document.querySelector('p').textContent === 'before'`);
  await browser.evaluate('window.stays = true');
  // Vite tells only those of a change whose sockets have reached it by then, and the page does not say when its has.
  const changes = setInterval(() => write(session, 'main.js', main('after')).catch(() => {}), 1000);
  await browser
    .until(`document.querySelector('p').textContent === 'after'`)
    .finally(() => clearInterval(changes));
  return [(await browser.evaluate('window.stays === true')) ? 'ok' : 'it loaded its page again', versions];
}

/** A form is sent and answered, with a cookie of its own. */
async function flask(): Promise<Seen> {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const versions = await install(session, ['flask']);
  const app = `
from flask import Flask, request, session
app = Flask(__name__)
app.secret_key = 'for this page'
@app.route('/', methods=['GET', 'POST'])
def page():
    if request.method == 'POST': session['name'] = request.form['name']
    return f"<form method=post><input name=name></form><p>{session.get('name', 'nobody')}</p>"
`;
  await write(session, 'app.py', app);
  await start(session, 'python3 -m flask run --port 5000');
  await browser.goto(`${await opened(session, 5000)}/`);
  await browser.evaluate(`document.querySelector('input').value = 'Ada'; document.forms[0].submit()`);
  const seen = await browser.until(`document.querySelector('p')?.textContent === 'Ada' && 'ok'`);
  return [seen, versions];
}

/** A notebook is opened, and its cell run by a kernel that the server starts. */
async function jupyterlab(): Promise<Seen> {
  await using session = await TestSession.open(server.wsUrl, { language: 'python', memoryLimitMB: 1024 });
  const versions = await install(session, ['jupyterlab']);
  const cell = {
    cell_type: 'code',
    source: 'print(6 * 7)',
    metadata: {},
    outputs: [],
    execution_count: null,
  };
  const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } };
  const notebook = { cells: [cell], metadata, nbformat: 4, nbformat_minor: 4 };
  await write(session, 'a.ipynb', JSON.stringify(notebook));
  // Its page lies among what is installed, and not where Python itself is.
  const page = 'JUPYTERLAB_DIR=/home/sandbox/.packages/python/share/jupyter/lab';
  const options = '--no-browser --expose-app-in-browser --IdentityProvider.token= --port 8888';
  await start(session, `${page} jupyter lab ${options}`);
  await browser.goto(`${await opened(session, 8888)}/lab/tree/a.ipynb`);
  // Its indicator says idle before there is a kernel, too.
  const kernel = 'window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel';
  await browser.until(`${kernel}?.status === 'idle'`);
  await browser.evaluate(`void window.jupyterapp.commands.execute('notebook:run-all-cells')`);
  const output = `document.querySelector('.jp-Notebook .jp-OutputArea-output')?.textContent`;
  return [await browser.until(`${output}?.trim() === '42' && 'ok'`), versions];
}

async function install(session: TestSession, packages: string[]): Promise<string> {
  const { installed } = await session.done('install_packages', { packages });
  const wanted = (installed as { name: string; version: string }[]).filter(({ name }) =>
    packages.includes(name.toLowerCase()),
  );
  return wanted.map(({ name, version }) => `${name} ${version}`).join(', ');
}

function write(session: TestSession, path: string, content: string): Promise<unknown> {
  return session.done('write_file', { path, content });
}

function start(session: TestSession, command: string): Promise<unknown> {
  return session.done('execute_shell', { commandName: '/bin/sh', args: ['-c', command], background: true });
}

/** The address of a port for everybody who knows it, once something listens there. */
async function opened(session: TestSession, port: number): Promise<string> {
  const sessionId = session.id;
  const { url } = await session.client.call('session.expose', { sessionId, port, public: true });
  for (const end = Date.now() + 120_000; Date.now() < end; ) {
    const { ports } = await session.client.call('session.ports', { sessionId });
    if (ports.some((each: { port: number }) => each.port === port)) return url;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  throw new Error(`nothing listens on port ${port}`);
}

import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled, interpreters } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/** Programs reach their own servers by the machine's own names, on every runtime. */
const server = inject('server');

const SERVES = {
  python: `import http.server, socket, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'served')
    def log_message(self, *_): pass
own = http.server.HTTPServer(('localhost', 0), Handler)
threading.Thread(target=own.serve_forever, daemon=True).start()
for name in 'localhost', '127.0.0.1':
    print(urllib.request.urlopen(f'http://{name}:{own.server_port}/').read().decode())
print(socket.gethostbyname(socket.gethostname()))
own.shutdown()`,
  javascript: `const { createServer } = require('node:http');
const own = createServer((_, answer) => answer.end('served')).listen(0, 'localhost');
await new Promise((done, fail) => own.on('listening', done).on('error', fail));
for (const name of ['localhost', '127.0.0.1'])
  console.log(await (await fetch('http://' + name + ':' + own.address().port)).text());
console.log((await require('node:dns').promises.lookup(require('node:os').hostname())).address);
own.close();`,
};

describe.for(await interpreters())('$name', ({ language, runtimeType, dialect }) => {
  test('serves itself by name, in a cell', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    expect(await session.prints(SERVES[dialect])).toBe('served\nserved\n127.0.1.1\n');
  });
});

const COMPILED: Readonly<Record<string, string>> = {
  go: `package main
import ("fmt"; "net"; "os")
func main() {
	own, _ := net.Listen("tcp", "localhost:0")
	_, err := net.Dial("tcp", fmt.Sprint("localhost:", own.Addr().(*net.TCPAddr).Port))
	host, _ := os.Hostname()
	found, _ := net.LookupHost(host)
	fmt.Println(err, found[0])
}`,
  csharp: `using System.Net; using System.Net.Sockets;
class P {
  static void Main() {
    var own = new TcpListener(IPAddress.Loopback, 0);
    own.Start();
    new TcpClient("localhost", ((IPEndPoint)own.LocalEndpoint).Port).Close();
    System.Console.WriteLine("<nil> " + Dns.GetHostAddresses(Dns.GetHostName())[0]);
  }
}`,
};

describe.for(await compiled())('$name', ({ language, runtimeType }) => {
  test('connects to itself by name', async () => {
    const end = await runOnce(server.url, { language, runtimeType, code: COMPILED[language]! });
    expect(end).toMatchObject({ stdout: expect.stringMatching(/^<nil> 127\.0\.[01]\.1\n$/), stderr: '' });
  });
});

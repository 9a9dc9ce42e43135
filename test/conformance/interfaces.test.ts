import { describe, expect, inject, test } from 'vitest';
import { compiled, matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/** Listing network interfaces takes netlink, which the kernel charges to nobody: it fails with an error that programs can catch. */
const server = inject('server');

const LISTS: Readonly<Record<string, string>> = {
  python: `import socket
try: print('listed', socket.if_nameindex())
except OSError as error: print(error.errno)`,
  javascript: `const os = require('node:os');
try { console.log('listed', os.networkInterfaces()); }
catch (error) { console.log(/getifaddrs|uv_interface_addresses|ENOTSUP|EOPNOTSUPP/.test(error.message + error.code) ? 95 : error); }`,
  go: `package main
import ("errors"; "fmt"; "net"; "syscall")
func main() {
	found, err := net.Interfaces()
	if errors.Is(err, syscall.EOPNOTSUPP) { fmt.Println(95) } else { fmt.Println("listed", found, err) }
}`,
  csharp: `using System; using System.Linq; using System.Net.NetworkInformation;
class P { static void Main() {
  try { Console.WriteLine("listed " + String.Join(",", NetworkInterface.GetAllNetworkInterfaces().Select(one => one.Name))); }
  catch (NetworkInformationException) { Console.WriteLine(95); }
} }`,
};

/** What is there can be read: nothing but the loopback. */
const LOOPBACK = `import socket
print([line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line], socket.if_nametoindex('lo'))`;

const cells = [...(await matrix()), ...(await compiled())].filter(({ language }) => language in LISTS);

describe.concurrent.for(cells)('on $name', ({ language, runtimeType }) => {
  test('a program that lists network interfaces hears why it can’t', async ({ expect }) => {
    const end = await runOnce(server.url, { language, runtimeType, code: LISTS[language] });
    expect(end, end.stderr).toMatchObject({ outcome: 'ok' });
    // Mono does not ask the kernel that way.
    expect(end.stdout).toBe(language === 'csharp' && end.stdout !== '95\n' ? 'listed lo\n' : '95\n');
  });
});

test.for(cells.filter(({ language }) => language === 'python'))(
  'on $name the loopback is the one interface there is',
  async ({ language, runtimeType }) => {
    const end = await runOnce(server.url, { language, runtimeType, code: LOOPBACK });
    expect(end.stdout).toBe("['lo'] 1\n");
  },
);

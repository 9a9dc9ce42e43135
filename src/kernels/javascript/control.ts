import { connect, F_DUPFD_CLOEXEC, libc } from './bun-api.ts';

const CONTROL = 3;
/** Far from the descriptors a program opens, and below the sandbox's limit of 1024. */
const HIGH = 1000;
const POLLOUT = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = encoder.encode.bind(encoder);
const decode = decoder.decode.bind(decoder);
const { exit } = process;

let fd = CONTROL;

/** Takes descriptor 3 over and calls back with every line; ends the process when the service is gone. */
export function listen(heard: (line: string) => void): void {
  const moved = libc.fcntl(CONTROL, F_DUPFD_CLOEXEC, HIGH);
  if (moved >= 0) {
    libc.close(CONTROL);
    fd = moved;
  }
  let held = '';
  const gone = () => exit(0);
  connect({
    fd,
    socket: {
      data(_socket, chunk) {
        held += decode(chunk, { stream: true });
        for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
          const line = held.slice(0, end);
          held = held.slice(end + 1);
          heard(line);
        }
      },
      close: gone,
      error: gone,
    },
  }).catch(gone);
}

/** Writes a whole line before it returns: what is said last must be out before a program's next move. */
export function send(line: string): void {
  let data = encode(`${line}\n`);
  while (data.byteLength > 0) {
    const written = libc.write(fd, data, data.byteLength);
    if (written > 0) data = data.subarray(written);
    else if (!writable()) exit(0);
  }
}

/** Waits for room on the socket, which Bun made non-blocking; false once it is closed. */
function writable(): boolean {
  const request = new Uint8Array(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLOUT, true);
  libc.poll(request, 1, -1);
  return view.getInt16(6, true) === POLLOUT;
}

const READ_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * Line that the service sends before the program begins; it sends nothing after it. Null when the service is gone.
 *
 * @param read fills the buffer from its start and returns how many bytes it has got; 0 or less at the end
 */
export function controlLine(read: (buffer: Uint8Array) => number): string | null {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let text = '';
  while (true) {
    const length = read(buffer);
    if (length <= 0) return null;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    if (buffer[length - 1] === NEWLINE) return text;
  }
}

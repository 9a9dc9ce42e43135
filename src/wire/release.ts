/** Smaller ones are left to the collector, bytes. */
const LEAST_BYTES = 4096;

/**
 * Gives back the memory of bytes that nobody looks at or sends any more, if they are all that is in it. A stream of large buffers would
 * otherwise wait for the collector, which knows them as few and small objects: V8 walks the whole heap each time some tens of megabytes
 * of what such objects hold are full, and that takes more of the CPU than carrying the bytes. What still shows them is empty from then on.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= LEAST_BYTES && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0);
}

import http from 'node:http';
import { inWords } from '../src/schemas/byte-scans.ts';

/**
 * What Node has from 26.12 on (`http.websocketMask`, `http.websocketUnmask`), for the Node that lacks it: ws takes these where they are there
 * when it is loaded, and masks byte by byte otherwise, which takes most of what ten megabytes cost it. To be imported before it is.
 */
interface Masking {
  websocketMask?: (
    source: Uint8Array,
    mask: Uint8Array,
    output: Uint8Array,
    offset: number,
    length: number,
  ) => void;
  websocketUnmask?: (data: Uint8Array, mask: Uint8Array) => void;
}

const masking = http as typeof http & Masking;
masking.websocketUnmask ??= unmask;
masking.websocketMask ??= (source, mask, output, offset, length) => {
  const target = output.subarray(offset, offset + length);
  if (target.buffer !== source.buffer || target.byteOffset !== source.byteOffset)
    target.set(source.subarray(0, length));
  unmask(target, mask);
};

/** Fewer take less one by one than views of words would. */
const FEW_BYTES = 512;

/** XORs bytes with the four of a mask, over and over (RFC 6455, section 5.3), a word at a time. */
export function unmask(data: Uint8Array, mask: Uint8Array): void {
  if (data.length < FEW_BYTES) {
    for (let i = 0; i < data.length; i++) data[i]! ^= mask[i % mask.length]!;
    return;
  }
  const { before, words, behind } = inWords(data);
  const turned = Uint8Array.from(mask, (_, i) => mask[(before.length + i) % mask.length]!);
  const [word] = new Int32Array(turned.buffer);
  for (let i = 0; i < before.length; i++) before[i]! ^= mask[i % mask.length]!;
  // Four a turn: one by one it takes half as long again.
  for (let i = 0; i < words.length; i += 4) {
    words[i]! ^= word!;
    words[i + 1]! ^= word!;
    words[i + 2]! ^= word!;
    words[i + 3]! ^= word!;
  }
  for (let i = 0; i < behind.length; i++) behind[i]! ^= turned[i % turned.length]!;
}

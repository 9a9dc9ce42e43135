import { crc32, deflateRawSync } from 'node:zlib';

/** What one file of an archive holds, as it lies there. */
export class Packed {
  readonly method: number;
  readonly checksum: number;
  readonly size: number;
  readonly bytes: Buffer;

  constructor(content: Buffer, { deflated = false } = {}) {
    this.method = deflated ? 8 : 0;
    this.checksum = crc32(content);
    this.size = content.byteLength;
    this.bytes = deflated ? deflateRawSync(content) : content;
  }
}

/** An archive (APPNOTE.TXT of the format), of what is text uncompressed. */
export function zip(files: Record<string, string | Packed>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, file] of Object.entries(files)) {
    const name = Buffer.from(path);
    const packed = typeof file === 'string' ? new Packed(Buffer.from(file)) : file;
    // Version, flags, method, time, date, checksum, both sizes, length of the name, of nothing more.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(packed.method, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(packed.checksum, 10);
    common.writeUInt32LE(packed.bytes.byteLength, 14);
    common.writeUInt32LE(packed.size, 18);
    common.writeUInt16LE(name.byteLength, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed.bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, rest, name]));
    bodies.push(local);
    at += local.byteLength;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.byteLength, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, central, end]);
}

// SPDX-License-Identifier: Apache-2.0

export interface ElfOptions {
  bits?: number;
  machine?: number;
  type?: number;
  entry?: number;
  interpreter?: string;
  dynamic?: boolean;
  needed?: string[];
  soname?: string;
  rpath?: string;
  runpath?: string;
}

const HEADER = 64;
const SEGMENT = 56;

/** For tests: the least ELF file that says these things of itself. It is loaded at address 0 and runs nowhere. */
export function makeElf(options: ElfOptions = {}): Buffer {
  const { bits = 2, machine = 62, type = 3, entry = 0x1000, interpreter, dynamic = true } = options;
  const strings = new Strings();
  const tags: [tag: number, value: number][] = [
    ...(options.needed ?? []).map((name): [number, number] => [1, strings.add(name)]),
    ...(options.soname === undefined ? [] : [[14, strings.add(options.soname)] as [number, number]]),
    ...(options.rpath === undefined ? [] : [[15, strings.add(options.rpath)] as [number, number]]),
    ...(options.runpath === undefined ? [] : [[29, strings.add(options.runpath)] as [number, number]]),
  ];
  const name = interpreter === undefined ? 0 : strings.add(interpreter);
  const count = 1 + (dynamic ? 1 : 0) + (interpreter === undefined ? 0 : 1);
  const stringsAt = HEADER + count * SEGMENT;
  const dynamicAt = stringsAt + strings.bytes.length;
  const table = Buffer.alloc((tags.length + 2) * 16);
  for (const [i, [tag, value]] of [[5, stringsAt] as [number, number], ...tags].entries()) {
    table.writeBigUInt64LE(BigInt(tag), i * 16);
    table.writeBigUInt64LE(BigInt(value), i * 16 + 8);
  }
  const size = dynamicAt + table.length;
  const header = Buffer.alloc(HEADER);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits, 1, 1]);
  header.writeUInt16LE(type, 16);
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(BigInt(entry), 24);
  header.writeBigUInt64LE(BigInt(HEADER), 32);
  header.writeUInt16LE(SEGMENT, 54);
  header.writeUInt16LE(count, 56);
  const segments = [
    segment(1, 0, size),
    ...(dynamic ? [segment(2, dynamicAt, table.length)] : []),
    ...(interpreter === undefined ? [] : [segment(3, stringsAt + name, interpreter.length + 1)]),
  ];
  return Buffer.concat([header, ...segments, strings.bytes, table]);
}

function segment(type: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT);
  bytes.writeUInt32LE(type, 0);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  bytes.writeBigUInt64LE(BigInt(offset), 16);
  bytes.writeBigUInt64LE(BigInt(size), 32);
  return bytes;
}

class Strings {
  bytes = Buffer.alloc(1);

  add(text: string): number {
    const offset = this.bytes.length;
    this.bytes = Buffer.concat([this.bytes, Buffer.from(`${text}\0`)]);
    return offset;
  }
}

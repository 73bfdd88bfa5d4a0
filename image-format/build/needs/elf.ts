// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';

/** Reads bytes of a file; fewer than `length` only where the file ends. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

export interface ElfFile {
  type: 'executable' | 'shared';
  /** `PT_INTERP`: the program interpreter. Absent in static programs and in most libraries. */
  interpreter?: string;
  /** `DT_NEEDED`, in order. */
  needed: string[];
  soname?: string;
  /** `DT_RPATH` and `DT_RUNPATH`, split at colons. */
  rpath: string[];
  runpath: string[];
  /** Where it begins; 0: nowhere, so it is no program. */
  entry: number;
}

const MACHINE_NAMES: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'ppc64',
  22: 's390',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'RISC-V',
  258: 'LoongArch',
};
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT = { needed: 1, strtab: 5, soname: 14, rpath: 15, runpath: 29 } as const;

/** More than any linker writes; what says it needs more is damaged. */
const MAX_PROGRAM_HEADERS = 4096;
const MAX_DYNAMIC = 16 * 1024 * 1024;
const MAX_STRING = 4096;

export function isElf(start: Uint8Array): boolean {
  return start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46;
}

/**
 * Reads what of an ELF file says how it is loaded.
 *
 * @param name for errors
 * @throws ImageError `ELF_INVALID`: not ELF, not for x86-64, or damaged
 * @see System V ABI, "Object Files" and "Dynamic Linking"
 */
export async function readElf(read: ReadAt, name: string): Promise<ElfFile> {
  const header = await read(0, 64);
  checkMachine(header, name);
  const damaged = (what: string) => new ImageError('ELF_INVALID', `damaged ELF file: ${name}: ${what}`);
  if (header.length < 64) throw damaged('it ends in its header');
  const type = header.readUInt16LE(16);
  if (type !== 2 && type !== 3) {
    throw new ImageError('ELF_INVALID', `neither a program nor a library: ${name} (${TYPE_NAMES[type] ?? 'ELF type'})`);
  }
  const segments = await readSegments(read, header, damaged);
  const interpreter = await readInterpreter(read, segments, damaged);
  return {
    type: type === 2 ? 'executable' : 'shared',
    entry: Number(header.readBigUInt64LE(24)),
    ...(interpreter === undefined ? {} : { interpreter }),
    ...(await readDynamic(read, segments, damaged)),
  };
}

const TYPE_NAMES: Readonly<Record<number, string>> = { 1: 'an object file', 4: 'a core dump' };

function checkMachine(header: Buffer, name: string): void {
  if (!isElf(header)) {
    const start = header.length === 0 ? 'it is empty' : `it starts with ${JSON.stringify(printable(header))}`;
    throw new ImageError('ELF_INVALID', `not an ELF file: ${name} (${start})`, {
      hint: 'an application is a Linux program for x86-64, or a script that begins with #!',
    });
  }
  const littleEndian = header[5] !== 2;
  const machine = header.length < 20 ? 0 : littleEndian ? header.readUInt16LE(18) : header.readUInt16BE(18);
  const is64 = header[4] === 2;
  if (machine !== EM_X86_64 || !is64 || !littleEndian) {
    const other = machine === EM_X86_64 ? 'x32' : (MACHINE_NAMES[machine] ?? `machine ${machine}`);
    throw new ImageError('ELF_INVALID', `${name} is for ${other}, this image is for x86-64`);
  }
}

function printable(header: Buffer): string {
  return header.subarray(0, 8).toString('latin1');
}

type Damaged = (what: string) => ImageError;

interface Segment {
  type: number;
  offset: number;
  address: number;
  fileSize: number;
}

async function readSegments(read: ReadAt, header: Buffer, damaged: Damaged): Promise<Segment[]> {
  const offset = position(header.readBigUInt64LE(32), damaged);
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (count === 0) return [];
  if (entrySize < 56 || count > MAX_PROGRAM_HEADERS) throw damaged('its program headers have no valid size');
  const table = await read(offset, entrySize * count);
  if (table.length < entrySize * count) throw damaged('it ends in its program headers');
  return Array.from({ length: count }, (_, i) => {
    const at = i * entrySize;
    return {
      type: table.readUInt32LE(at),
      offset: position(table.readBigUInt64LE(at + 8), damaged),
      address: position(table.readBigUInt64LE(at + 16), damaged),
      fileSize: position(table.readBigUInt64LE(at + 32), damaged),
    };
  });
}

/** Offsets above 2^53 are in no file. Addresses may be that high, but not in programs of user space. */
function position(value: bigint, damaged: Damaged): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('an offset that no file has');
  return Number(value);
}

async function readInterpreter(read: ReadAt, segments: Segment[], damaged: Damaged): Promise<string | undefined> {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  if (segment.fileSize > MAX_STRING) throw damaged('its interpreter has no valid name');
  const bytes = await read(segment.offset, segment.fileSize);
  const end = bytes.indexOf(0);
  const interpreter = bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  if (!interpreter.startsWith('/')) throw damaged('its interpreter is no absolute path');
  return interpreter;
}

type Dynamic = Pick<ElfFile, 'needed' | 'soname' | 'rpath' | 'runpath'>;

async function readDynamic(read: ReadAt, segments: Segment[], damaged: Damaged): Promise<Dynamic> {
  const none: Dynamic = { needed: [], rpath: [], runpath: [] };
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return none;
  if (segment.fileSize > MAX_DYNAMIC) throw damaged('its dynamic section is too large');
  const table = await read(segment.offset, segment.fileSize);
  const entries: { tag: bigint; value: bigint }[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = table.readBigUInt64LE(at);
    if (tag === 0n) break;
    entries.push({ tag, value: table.readBigUInt64LE(at + 8) });
  }
  const values = (tag: number) => entries.filter((entry) => entry.tag === BigInt(tag)).map(({ value }) => value);
  const [strings] = values(DT.strtab);
  if (strings === undefined) return none;
  const text = async (offset: bigint) =>
    await readString(read, fileOffset(segments, position(strings + offset, damaged), damaged), damaged);
  const texts = async (tag: number) => await Promise.all(values(tag).map(text));
  const [soname] = await texts(DT.soname);
  return {
    needed: await texts(DT.needed),
    ...(soname === undefined ? {} : { soname }),
    rpath: splitPath(await texts(DT.rpath)),
    runpath: splitPath(await texts(DT.runpath)),
  };
}

/** The dynamic section speaks of addresses; the loaded segments say where in the file they are. */
function fileOffset(segments: Segment[], address: number, damaged: Damaged): number {
  const segment = segments.find((s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.fileSize);
  if (segment === undefined) throw damaged('a string outside of its segments');
  return segment.offset + (address - segment.address);
}

async function readString(read: ReadAt, offset: number, damaged: Damaged): Promise<string> {
  const bytes = await read(offset, MAX_STRING);
  const end = bytes.indexOf(0);
  if (end < 0) throw damaged('a string without an end');
  return bytes.toString('utf8', 0, end);
}

function splitPath(paths: string[]): string[] {
  return paths.flatMap((path) => path.split(':')).filter((path) => path !== '');
}

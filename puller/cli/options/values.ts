// SPDX-License-Identifier: Apache-2.0
// How values on the command line are written, as users of container engines write them.
import { readFileSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { parseMemory as readMemory } from '../../../hardware-profiles/memory.ts';

/** `128M`, `1G`: bytes, as a profile writes them. */
export function parseMemory(text: string): number {
  const bytes = readMemory(text);
  if (bytes === undefined) throw new InvalidArgumentError('write a size such as 128M or 1G');
  return bytes;
}

/** The least that ext4 with a journal takes. */
const DISK_MIN = 16 * 1024 ** 2;

/** The size of a disk, `2G`, in bytes: whole blocks of 4 KiB. */
export function parseDiskSize(text: string): number {
  const bytes = readMemory(text);
  if (bytes === undefined || bytes < DISK_MIN) throw new InvalidArgumentError('write a size such as 2G, from 16M');
  return Math.ceil(bytes / 4096) * 4096;
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError('write a whole number from 1');
  }
  return count;
}

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `5m`, `1h`, from a second to a day, as milliseconds; `off` is 0. */
export function parseWatchdog(text: string): number {
  if (text === 'off') return 0;
  const [, amount, unit = ''] = /^([0-9]{1,5})([smh])$/.exec(text) ?? [];
  const time = Number(amount) * (MILLISECONDS[unit] ?? Number.NaN);
  if (time >= 1_000 && time <= 24 * 3_600_000) return time;
  throw new InvalidArgumentError('write a time such as 30s or 5m, at most 24h, or off');
}

/** `30s`, `5m`, `1h`, from a second to a week, as milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^([0-9]{1,6})([smh])$/.exec(text) ?? [];
  const time = Number(amount) * (MILLISECONDS[unit] ?? Number.NaN);
  if (time >= 1_000 && time <= 7 * 24 * 3_600_000) return time;
  throw new InvalidArgumentError('write a time such as 30s, 5m or 1h');
}

const THOUSANDS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** `500K`, `2M`, `1.5M`: bytes a second, in powers of 1000 as lines are measured. */
export function parseRate(text: string): number {
  const [, amount, unit = ''] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([kKmMgG]?)$/.exec(text) ?? [];
  const rate = Number(amount) * (THOUSANDS[unit.toLowerCase()] ?? Number.NaN);
  if (rate >= 1) return rate;
  throw new InvalidArgumentError('write bytes a second, such as 500K or 2M');
}

/** `NAME=value`; a bare `NAME` takes the value it has here, or is left out where it has none. */
export function collectEnv(text: string, previous: string[] = []): string[] {
  const equals = text.indexOf('=');
  if (equals === 0 || text === '') throw new InvalidArgumentError('write NAME=value, or NAME to pass on its value');
  if (text.includes('\0')) throw new InvalidArgumentError('a value cannot hold a NUL byte');
  if (equals > 0) return [...previous, text];
  const value = process.env[text];
  return value === undefined ? previous : [...previous, `${text}=${value}`];
}

export interface PortForward {
  /** Address on this machine to listen at. */
  address: string;
  /** Port on this machine; 0 lets the system choose. */
  host: number;
  guest: number;
  protocol: 'tcp' | 'udp';
}

const PORT_FORM =
  'write [ADDRESS:]HOST:GUEST[/tcp|udp], as in 8080:80, 127.0.0.1:8080:80, [::1]:8080:80 or 9000-9003:9000-9003';

/**
 * `[ADDRESS:]HOST:GUEST[/tcp|udp]`, where HOST and GUEST are ports, or ranges of as many ports. An address of IPv6 stands
 * in brackets; without an address all of this machine's IPv4 addresses are meant.
 */
export function collectPort(text: string, previous: PortForward[] = []): PortForward[] {
  const match =
    /^(?:(?<address>[0-9.]+|\[[0-9a-fA-F:.]+\]):)?(?<host>[0-9]+(?:-[0-9]+)?):(?<guest>[0-9]+(?:-[0-9]+)?)(?:\/(?<protocol>tcp|udp))?$/.exec(
      text,
    );
  const { address = '0.0.0.0', host = '', guest = '', protocol = 'tcp' } = match?.groups ?? {};
  const bare = address.replace(/^\[|\]$/g, '');
  const [hosts, guests] = [portsOf(host), portsOf(guest)];
  const isAddress = address === bare ? isIPv4(address) : isIPv6(bare);
  if (match === null || !isAddress || hosts.length === 0 || guests.length === 0 || guests.includes(0)) {
    throw new InvalidArgumentError(PORT_FORM);
  }
  if (hosts.length !== guests.length) {
    throw new InvalidArgumentError(`${host} are ${hosts.length} ports, and ${guest} are ${guests.length}`);
  }
  if (bare.includes(':') && protocol === 'udp') {
    throw new InvalidArgumentError('UDP cannot be forwarded from an IPv6 address; name one of IPv4');
  }
  const forwards = hosts.map((port, at) => ({
    ...{ address: bare, host: port, guest: guests[at] ?? 0, protocol: protocol as 'tcp' | 'udp' },
  }));
  return [...previous, ...forwards];
}

/** The ports of `80` or `9000-9003`; none where that is no such range. */
function portsOf(text: string): number[] {
  const [first = '', last = first] = text.split('-');
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from > to || to > 65535 || (from === 0 && to > 0)) return [];
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/**
 * A file of variables, as container engines read it: one `NAME=value` or `NAME` a line, taken literally; lines that are
 * empty or begin with `#` are skipped.
 */
export function readEnvFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`cannot read ${file}: ${(error as Error).message}`);
  }
  let variables: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const variable = line.trimStart();
    if (variable === '' || variable.startsWith('#')) continue;
    const [name = ''] = variable.split('=', 1);
    if (name === '' || /\s/.test(name)) {
      throw new InvalidArgumentError(`line ${index + 1} of ${file} is neither NAME=value nor NAME`);
    }
    variables = collectEnv(variable, variables);
  }
  return variables;
}

/** For a file of variables that may be given several times. */
export function collectEnvFile(file: string, previous: string[] = []): string[] {
  return [...previous, ...readEnvFile(file)];
}

export interface AddedFile {
  source: string;
  destination: string;
  layer: 'app' | 'deps' | 'config';
}

/** `SRC:DST[:app|deps|config]`; the destination is absolute. */
export function collectAdd(text: string, previous: AddedFile[] = []): AddedFile[] {
  const match = /^(?<source>.+?):(?<destination>\/[^:]*)(?::(?<layer>app|deps|config))?$/.exec(text);
  const { source = '', destination = '', layer = 'app' } = match?.groups ?? {};
  if (match === null) {
    throw new InvalidArgumentError('write SRC:DST[:app|deps|config] with an absolute DST, as in ./site:/var/www');
  }
  return [...previous, { source, destination, layer: layer as AddedFile['layer'] }];
}

/** `HOST:PORT`, `:PORT` or `[::1]:PORT` to listen at. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?<host>\[[0-9a-fA-F:]+\]|[^:]*):(?<port>[0-9]{1,5})$/.exec(text);
  const { host = '', port = '' } = match?.groups ?? {};
  if (match === null || Number(port) > 65535) throw new InvalidArgumentError('write HOST:PORT, as in 127.0.0.1:5000');
  return { host: host.replace(/^\[|\]$/g, '') || '0.0.0.0', port: Number(port) };
}

/** For options that may be given several times. */
export function collect(text: string, previous: string[] = []): string[] {
  return [...previous, text];
}

// SPDX-License-Identifier: Apache-2.0
// What a guest's agent reports, and what this machine knows of the monitor. A guest may say anything: what is not a number
// is left out.
import { readFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';

export interface GuestStats {
  /** Bytes. */
  memoryTotal: number | undefined;
  memoryUsed: number | undefined;
  /** Seconds that the guest's processors have worked, since it started. */
  cpuSeconds: number | undefined;
  /** Bytes of all interfaces but `lo`. */
  received: number | undefined;
  sent: number | undefined;
  processes: number | undefined;
}

export interface MonitorStats {
  /** Bytes of this machine's memory. */
  memory: number | undefined;
  /** Seconds of this machine's processors. */
  cpuSeconds: number | undefined;
  /** Bytes from and to disks. */
  read: number | undefined;
  written: number | undefined;
}

export interface GuestProcess {
  uid: number;
  pid: number;
  ppid: number;
  state: string;
  /** Seconds. */
  cpuSeconds: number;
  /** Seconds since it began. */
  age: number;
  /** Bytes. */
  memory: number;
  command: string;
}

/** Ticks of a second in /proc: USER_HZ, the same on every Linux of this architecture. */
const TICKS = 100;
const PAGE = 4096;

/** The parts of a report, each behind a line `# NAME`. */
function partsOf(report: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of report.split('\n')) {
    if (!line.startsWith('# ')) lines.push(line);
    else {
      lines = [];
      parts.set(line.slice(2), lines);
    }
  }
  return parts;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function sum(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, number) => total + number, 0);
}

export function parseGuestStats(report: string): GuestStats {
  const parts = partsOf(report);
  const kilobytes = (name: string): number | undefined => {
    const line = parts.get('/proc/meminfo')?.find((one) => one.startsWith(`${name}:`));
    const value = numberOf(/^\S+: +([0-9]+) kB$/.exec(line ?? '')?.[1]);
    return value === undefined ? undefined : value * 1024;
  };
  const [total, available] = [kilobytes('MemTotal'), kilobytes('MemAvailable')];
  const interfaces = (parts.get('/proc/net/dev') ?? [])
    .map((line) => line.trim().split(/[\s:]+/))
    .filter(([name, bytes]) => name !== 'lo' && numberOf(bytes) !== undefined);
  // user, nice, system, (idle, iowait,) irq, softirq
  const [, user, nice, system, , , irq, softirq] = parts.get('/proc/stat')?.[0]?.split(/ +/) ?? [];
  const ticks = sum([user, nice, system, irq, softirq].map(numberOf));
  return {
    memoryTotal: total,
    memoryUsed: total === undefined || available === undefined ? undefined : Math.max(0, total - available),
    cpuSeconds: ticks === undefined ? undefined : ticks / TICKS,
    received: sum(interfaces.map(([, bytes]) => numberOf(bytes))),
    sent: sum(interfaces.map((fields) => numberOf(fields[9]))),
    processes: numberOf(parts.get('processes')?.[0]),
  };
}

export function parseProcesses(report: string): GuestProcess[] {
  const parts = partsOf(report);
  const uptime = Number(parts.get('/proc/uptime')?.[0]?.split(' ')[0]);
  const lines = parts.get('processes') ?? [];
  const processes: GuestProcess[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const parsed = parseProcess(lines[at] ?? '', lines[at + 1] ?? '', uptime);
    if (parsed !== undefined) processes.push(parsed);
  }
  return processes.sort((one, other) => one.pid - other.pid);
}

/** `UID` and the line of /proc/PID/stat (proc(5)), whose name may hold blanks and parentheses. */
function parseProcess(stat: string, commandLine: string, uptime: number): GuestProcess | undefined {
  const match = /^([0-9]{1,10}) ([0-9]{1,10}) \((.*)\) (.+)$/.exec(stat);
  if (match === null) return undefined;
  const [, uid, pid, name = '', rest = ''] = match;
  const fields = rest.trim().split(' ');
  // Counted from the third field, the state.
  const field = (number: number): number => numberOf(fields[number - 3]) ?? 0;
  const age = uptime - field(22) / TICKS;
  return {
    uid: Number(uid),
    pid: Number(pid),
    ppid: field(4),
    state: (fields[0] ?? '').slice(0, 1),
    cpuSeconds: (field(14) + field(15)) / TICKS,
    age: Number.isFinite(age) ? Math.max(0, Math.floor(age)) : 0,
    memory: field(24) * PAGE,
    command: commandLine.trim() === '' ? `[${name}]` : commandLine.trim(),
  };
}

/** What this machine's kernel says of a monitor. */
export function monitorStats(pid: number): MonitorStats {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = sum([numberOf(fields[11]), numberOf(fields[12])]);
  const pages = numberOf(fields[21]);
  const io = read(`/proc/${pid}/io`);
  return {
    memory: pages === undefined ? undefined : pages * PAGE,
    cpuSeconds: ticks === undefined ? undefined : ticks / TICKS,
    read: numberOf(/^read_bytes: ([0-9]+)$/m.exec(io)?.[1]),
    written: numberOf(/^write_bytes: ([0-9]+)$/m.exec(io)?.[1]),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // It ended, or is somebody else's.
    const { errno = 0 } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(getSystemErrorName(errno))) return '';
    throw error;
  }
}

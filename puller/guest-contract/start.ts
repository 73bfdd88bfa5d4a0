// SPDX-License-Identifier: Apache-2.0
// docs/guest-contract.md, "START".
import { PullerError } from '../errors.ts';
import { encodeFrame, FRAME } from './frames.ts';

/** What START says; see docs/guest-contract.md. */
export interface Start {
  args: readonly string[];
  env: readonly string[];
  cwd?: string | undefined;
  user?: string | undefined;
  hostname?: string | undefined;
  network?: { address: string; gateway: string; dns: readonly string[] } | undefined;
  /** Nanoseconds since 1970. */
  time: bigint;
  /** For the guest's random generator. */
  seed: Buffer;
  stdin: 'open' | 'empty';
  /** Whether the program has a terminal, and how large it is at first. */
  terminal?: TerminalSize | undefined;
  /** Whether this node has a port for the agent. */
  agent?: boolean | undefined;
  /** Default: the initramfs. */
  root?: StartRoot | undefined;
  /** Whether the root takes no writes. */
  readOnly?: boolean | undefined;
  /** In the order in which they are mounted. */
  mounts?: readonly StartMount[] | undefined;
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

/** A root on a disk. */
export interface StartRoot {
  /** Serial of the disk. */
  disk: string;
  type: 'erofs';
  /** Where writes go: a tmpfs of a size as tmpfs takes one (`50%`, `64m`), or a disk with ext4, by its serial. */
  writable: { tmpfs: string } | { disk: string };
}

export interface StartMount {
  kind: 'ext4' | '9p' | 'virtiofs' | 'tmpfs';
  /** Serial of a disk, or tag of a share; empty for a tmpfs. */
  source: string;
  /** `ro`, `nosuid`, `nodev`, `noexec`, `populate`; others are the file system's. */
  options: readonly string[];
  /** Absolute path in the guest. */
  path: string;
}

/** The contract's first version that can say it. */
export function contractNeeded({ root, readOnly, mounts = [] }: Pick<Start, 'root' | 'readOnly' | 'mounts'>): number {
  return root !== undefined || readOnly || mounts.length > 0 ? 2 : 1;
}

/**
 * The bytes of START. The guest ends when this side goes away, however it goes (`tether`).
 *
 * @throws PullerError `IMAGE_UNSUPPORTED` for what cannot be said, naming it
 */
export function encodeStart(start: Start): Buffer {
  checkTexts(start);
  const { args, env, cwd, user, hostname, network, time, seed, stdin } = start;
  const records: [string, string][] = [];
  const put = (key: string, value: string | undefined): unknown => value !== undefined && records.push([key, value]);
  for (const argument of args) put('arg', argument);
  for (const variable of env) put('env', variable);
  put('cwd', cwd);
  put('user', user);
  put('hostname', hostname);
  put('net-address', network?.address);
  put('net-gateway', network?.gateway);
  for (const server of network?.dns ?? []) put('net-dns', server);
  put('time', String(time));
  put('seed', seed.toString('hex'));
  put('stdin', stdin === 'open' ? '1' : '0');
  if (start.terminal !== undefined) {
    put('tty', '1');
    put('rows', String(start.terminal.rows));
    put('columns', String(start.terminal.columns));
  }
  if (start.agent) put('agent', '1');
  putRoot(start, put);
  put('tether', '1');
  return encodeFrame({ type: FRAME.start, records });
}

function putRoot({ root, readOnly, mounts = [] }: Start, put: (key: string, value: string) => unknown): void {
  if (root === undefined) put('root', 'initramfs');
  else {
    const { disk, type, writable } = root;
    put('root', `block:${disk}:${type}`);
    put('writable', 'disk' in writable ? `disk:${writable.disk}` : `tmpfs:${writable.tmpfs}`);
  }
  if (readOnly) put('read-only', '1');
  for (const { kind, source, options, path } of mounts) put('mount', [kind, source, options.join(','), path].join(':'));
}

function checkTexts({ args, env, cwd, user, hostname, mounts = [] }: Start): void {
  const texts: [what: string, text: string | undefined][] = [
    ...args.map((text, index): [string, string] => [index === 0 ? 'the program' : `argument ${index}`, text]),
    ...env.map((text): [string, string] => [`the variable ${text.split('=', 1)[0]}`, text]),
    ['the working directory', cwd],
    ['the user', user],
    ['the host name', hostname],
    ...mounts.map(({ path }): [string, string] => ['a mount', path]),
  ];
  for (const [what, text] of texts) {
    if (!text?.includes('\0')) continue;
    const shown = JSON.stringify(text.slice(0, 100));
    throw new PullerError('IMAGE_UNSUPPORTED', `${what.replaceAll('\0', '\\0')} holds a NUL byte: ${shown}`, {
      hint: 'no program can be given that: correct what the image says, or give another one on the command line',
    });
  }
}

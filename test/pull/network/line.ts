// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LineOptions {
  /** Milliseconds, in each direction. */
  delayMs: number;
  /** Of a hundred packets, in each direction. */
  lossPercent: number;
  /** How the server's side avoids congestion, such as `reno`. Default: as the system does. */
  congestion?: string;
}

/** Why this machine cannot have such a line; undefined where it can. */
export function whyNoLine(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  for (const [command, flag] of [
    ['ip', '-V'],
    ['gcc', '--version'],
  ] as const) {
    try {
      execFileSync(command, [flag], { stdio: 'ignore' });
    } catch {
      return `${command} is not installed`;
    }
  }
  return undefined;
}

/** A node and a server in network namespaces of their own, with nothing but one bad line between them (`link.c`). */
export class Line {
  /** The server's address on the line. */
  static readonly server = '10.88.0.2';
  readonly #namespaces: readonly [node: string, server: string];
  readonly #link: ChildProcessWithoutNullStreams;
  #carried = 0;
  readonly #watching = new Set<() => void>();

  private constructor(namespaces: readonly [string, string], link: ChildProcessWithoutNullStreams) {
    this.#namespaces = namespaces;
    this.#link = link;
    createInterface(link.stdout).on('line', (line) => {
      const [word, count] = line.split(' ');
      if (word !== 'carried') return;
      this.#carried = Number(count);
      for (const look of this.#watching) look();
    });
  }

  /** @param folder where the program is compiled */
  static async open(folder: string, { delayMs, lossPercent, congestion }: LineOptions): Promise<Line> {
    const program = join(folder, 'link');
    execFileSync('gcc', ['-O2', join(import.meta.dirname, 'link.c'), '-o', program]);
    const namespaces = [`uk-node-${process.pid}`, `uk-server-${process.pid}`] as const;
    for (const name of namespaces) execFileSync('ip', ['netns', 'add', name]);
    const [node, server] = namespaces.map((name) => `/run/netns/${name}`) as [string, string];
    const address = [node, '10.88.0.1', server, Line.server];
    const link = spawn(program, [...address, String(delayMs), String(lossPercent)]);
    link.stderr.pipe(process.stderr);
    const line = new Line(namespaces, link);
    const begun = await Promise.race([once(link.stdout, 'data'), once(link, 'exit').then(() => 'ended')]);
    if (begun === 'ended') {
      line.close();
      throw new Error('the line did not begin');
    }
    if (congestion !== undefined) {
      const [command, ...args] = line.atServer('sysctl', '-qw', `net.ipv4.tcp_congestion_control=${congestion}`);
      execFileSync(command, args);
    }
    return line;
  }

  /** Bytes of TCP content that the server has sent and that have arrived, those that came twice included. */
  get carried(): number {
    return this.#carried;
  }

  /** Waits until so many bytes were carried. */
  async whenCarried(bytes: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!signal.aborted && this.#carried < bytes) return;
        this.#watching.delete(look);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.#watching.add(look);
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }

  /** A command line that runs at one end. */
  atNode(...command: string[]): [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#namespaces[0], ...command];
  }

  atServer(...command: string[]): [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#namespaces[1], ...command];
  }

  /** For so long every packet is answered with a reset, as by a router that has forgotten all connections. */
  forget(ms: number): void {
    this.#link.stdin.write(`forget ${ms}\n`);
  }

  /** For so long nothing is carried. */
  down(ms: number): void {
    this.#link.stdin.write(`down ${ms}\n`);
  }

  close(): void {
    this.#link.stdin.end();
    for (const name of this.#namespaces) execFileSync('ip', ['netns', 'delete', name]);
  }
}

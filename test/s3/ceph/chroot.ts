// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Debian of its own in a folder, for programs that would not go together with the machine's. Root only. */
export class Chroot {
  readonly #folder: string;
  readonly root: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.root = join(folder, 'root');
  }

  /** Installs packages of a Debian release, unless that was done. About a minute, 1.4 GB. */
  install(release: string, packages: readonly string[]): void {
    if (existsSync(this.root)) return;
    mkdirSync(this.#folder, { recursive: true });
    const log = openSync(join(this.#folder, 'install.log'), 'w');
    const stdio = ['ignore', log, log] as const;
    const made = join(this.#folder, 'root.new');
    try {
      execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], { stdio: [...stdio] });
      // What an install that was cut off left.
      unmount(made);
      rmSync(made, { recursive: true, force: true });
      execFileSync('debootstrap', ['--variant=minbase', release, made], { stdio: [...stdio] });
      // No package starts a service here.
      const policy = join(made, 'usr/sbin/policy-rc.d');
      writeFileSync(policy, '#!/bin/sh\nexit 101\n');
      chmodSync(policy, 0o755);
      mount(made);
      const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
      execFileSync('chroot', [made, ...install], {
        stdio: [...stdio],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      });
      unmount(made);
      renameSync(made, this.root);
    } catch (cause) {
      unmount(made);
      throw new Error(`cannot install ${packages.join(', ')}: see ${join(this.#folder, 'install.log')}`, { cause });
    } finally {
      closeSync(log);
    }
  }

  mount(): void {
    mount(this.root);
  }

  unmount(): void {
    unmount(this.root);
  }

  /** Runs a program to its end. @returns what it wrote */
  run(command: string, ...args: string[]): string {
    return execFileSync('chroot', [this.root, command, ...args], {
      encoding: 'utf8',
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
  }

  /** Starts a program that outlives this one; its output goes to `<name>.log`. */
  start(name: string, command: string, ...args: string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${name}.log`), 'w');
    const child = spawn('chroot', [this.root, command, ...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    closeSync(log);
    child.unref();
    return child;
  }
}

const MOUNTS = ['proc', 'dev'];

function isMounted(path: string): boolean {
  try {
    execFileSync('mountpoint', ['-q', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function mount(root: string): void {
  for (const name of MOUNTS) {
    if (!isMounted(join(root, name))) execFileSync('mount', ['--bind', `/${name}`, join(root, name)]);
  }
}

function unmount(root: string): void {
  for (const name of MOUNTS) if (isMounted(join(root, name))) execFileSync('umount', ['-l', join(root, name)]);
}

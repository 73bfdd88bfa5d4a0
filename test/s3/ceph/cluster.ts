// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Chroot } from './chroot.ts';
import { CLUSTER, CONFIGURATION, configuration, DATA, DISK, KEYRING, MONITORS } from './configuration.ts';

const PACKAGES = ['ceph-mon', 'ceph-osd', 'ceph-common', 'radosgw'];
/** In the order in which they end. */
const DAEMONS = ['rgw', 'osd', 'mon'] as const;
const PATIENCE_MS = 120_000;

export const CREDENTIALS = { accessKeyId: 'uk-test-key', secretAccessKey: 'uk-test-secret-uk-test-secret' };

export interface Cluster {
  endpoint: string;
  /** Whether this call started it. */
  started: boolean;
}

/** A real S3 server on loopback: Ceph on one node, from Debian, in a folder that is kept from run to run. */
export class Ceph {
  readonly #folder: string;
  readonly #release: string;
  readonly #chroot: Chroot;

  /** @param release of Debian: sid has Ceph 20, trixie 18 */
  constructor(release = process.env.UK_TEST_CEPH_RELEASE ?? 'sid') {
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
    this.#folder = join(cache, `uk/test-s3-${release}`);
    this.#release = release;
    this.#chroot = new Chroot(this.#folder);
  }

  /** Why it cannot run here; undefined where it can. */
  static obstacle(): string | undefined {
    if (process.getuid?.() !== 0) return 'it runs in a chroot, which needs root';
    if (!existsSync('/usr/bin/apt-get')) return 'it comes from Debian by apt-get, which is not here';
    return undefined;
  }

  /** Installs what is missing, and starts with the data that is there. */
  async start(): Promise<Cluster> {
    const obstacle = Ceph.obstacle();
    if (obstacle !== undefined) throw new Error(`cannot start an S3 server: ${obstacle}`);
    if (this.#isRunning()) return { endpoint: this.#endpoint(), started: false };
    this.#chroot.install(this.#release, PACKAGES);
    this.#chroot.mount();
    try {
      const fresh = !existsSync(this.#ports);
      if (fresh) await this.#format();
      else this.#spawn('mon', 'ceph-mon', '-f', '-i', 'a');
      this.#spawn('osd', 'ceph-osd', '-f', '-i', '0');
      await this.#until('its disk', () => /\b1 up\b/.test(this.#ceph('osd', 'stat')));
      this.#spawn('rgw', 'radosgw', '-f', '-n', 'client.rgw');
      await this.#until('its gateway', async () => (await fetch(this.#endpoint())).status > 0);
      if (fresh) {
        const { accessKeyId, secretAccessKey } = CREDENTIALS;
        const keys = [`--access-key=${accessKeyId}`, `--secret=${secretAccessKey}`];
        this.#chroot.run(
          'radosgw-admin',
          '-c',
          CONFIGURATION,
          'user',
          'create',
          '--uid=uk',
          '--display-name=uk',
          ...keys,
        );
        writeFileSync(this.#whole, '');
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    return { endpoint: this.#endpoint(), started: true };
  }

  async stop(): Promise<void> {
    for (const daemon of DAEMONS) {
      const pid = this.#pidOf(daemon);
      if (pid !== undefined) await end(pid);
      rmSync(this.#pidFile(daemon), { force: true });
    }
    this.#chroot.unmount();
  }

  /** Stops it and forgets its data; the installation stays. */
  async wipe(): Promise<void> {
    await this.stop();
    this.#forget();
  }

  get #ports(): string {
    return join(this.#folder, 'ports.json');
  }

  /** There once everything was made for the first time. */
  get #whole(): string {
    return join(this.#folder, 'formatted');
  }

  #endpoint(): string {
    const { gateway } = JSON.parse(readFileSync(this.#ports, 'utf8')) as { gateway: number };
    return `http://127.0.0.1:${gateway}`;
  }

  #forget(): void {
    rmSync(join(this.#chroot.root, DATA), { recursive: true, force: true });
    rmSync(this.#ports, { force: true });
    rmSync(this.#whole, { force: true });
  }

  async #format(): Promise<void> {
    const ports = { monitor: await freePort(), gateway: await freePort() };
    const inside = (path: string) => join(this.#chroot.root, path);
    for (const folder of ['mon', 'osd', 'run']) mkdirSync(inside(`${DATA}/${folder}`), { recursive: true });
    mkdirSync(inside('/etc/uk-ceph'), { recursive: true });
    writeFileSync(inside(CONFIGURATION), configuration(ports));
    writeFileSync(this.#ports, JSON.stringify(ports));
    rmSync(inside(KEYRING), { force: true });
    const all = (...services: string[]) => services.flatMap((service) => ['--cap', service, 'allow *']);
    const key = (name: string, ...caps: string[]) => {
      const create = existsSync(inside(KEYRING)) ? [] : ['--create-keyring'];
      this.#chroot.run('ceph-authtool', KEYRING, ...create, '--gen-key', '-n', name, ...caps);
    };
    key('mon.', ...all('mon'));
    key('client.admin', ...all('mon', 'osd', 'mgr'));
    key('client.rgw', ...all('mon', 'osd'));
    key('osd.0', '--cap', 'mon', 'allow profile osd', ...all('osd'));
    const address = `[v2:127.0.0.1:${ports.monitor}]`;
    this.#chroot.run('monmaptool', '--create', '--fsid', CLUSTER, '--addv', 'a', address, MONITORS);
    const monitor = ['--mkfs', '-i', 'a', '--monmap', MONITORS, '--keyring', KEYRING, '--mon-data', `${DATA}/mon`];
    this.#chroot.run('ceph-mon', '-c', CONFIGURATION, ...monitor);
    this.#spawn('mon', 'ceph-mon', '-f', '-i', 'a');
    await this.#until('its monitor', () => this.#ceph('--connect-timeout', '2', 'status') !== '');
    this.#ceph('osd', 'new', DISK, '0');
    this.#chroot.run('ceph-osd', '-c', CONFIGURATION, '-i', '0', '--mkfs', '--osd-uuid', DISK, '--no-mon-config');
  }

  #ceph(...args: string[]): string {
    return this.#chroot.run('ceph', '-c', CONFIGURATION, ...args);
  }

  #spawn(daemon: (typeof DAEMONS)[number], command: string, ...args: string[]): void {
    const child = this.#chroot.start(daemon, command, '-c', CONFIGURATION, ...args);
    writeFileSync(this.#pidFile(daemon), `${child.pid}`);
  }

  #isRunning(): boolean {
    return existsSync(this.#whole) && DAEMONS.every((daemon) => this.#pidOf(daemon) !== undefined);
  }

  #pidFile(daemon: string): string {
    return join(this.#folder, `${daemon}.pid`);
  }

  /** Of a daemon that runs; a process id which another program got since does not count. */
  #pidOf(daemon: string): number | undefined {
    try {
      const pid = Number(readFileSync(this.#pidFile(daemon), 'utf8'));
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(CONFIGURATION) ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  async #until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let last: unknown; ; await wait(200)) {
      try {
        if (await isTrue()) return;
      } catch (error) {
        last = error;
      }
      if (Date.now() > deadline)
        throw new Error(`${what} did not come up; see the logs in ${this.#folder}`, { cause: last });
    }
  }
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; existsSync(`/proc/${pid}`); waited += 100) {
    if (waited === 30_000) process.kill(pid, 'SIGKILL');
    await wait(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

// SPDX-License-Identifier: Apache-2.0
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningServer, runServer } from './running-server.ts';

interface Binary {
  command: string;
  version: string;
}

const run = promisify(execFile);

/** Pinned: figures of two days compare the same peer. */
const MODULE = 'github.com/distribution/distribution/v3/cmd/registry';
const MODULE_VERSION = 'v3.1.2';

const cache = (...names: string[]) =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk/bench', ...names);

/** Builds it once, which takes minutes. @throws Error without Go, or without its modules */
export async function registryModule(): Promise<Binary> {
  const folder = cache(`registry-${MODULE_VERSION}`);
  const command = join(folder, 'registry');
  if (!existsSync(command)) {
    console.error(`building ${MODULE}@${MODULE_VERSION}, once`);
    await run('go', ['install', `${MODULE}@${MODULE_VERSION}`], { env: { ...process.env, GOBIN: folder } });
  }
  return { command, version: `Docker registry ${MODULE_VERSION}` };
}

/** The one that is installed. */
export function findDockerRegistry(): Binary | undefined {
  const command = '/usr/bin/docker-registry';
  return existsSync(command) ? { command, version: versionOf(command) } : undefined;
}

/** Debian's package, unpacked and not installed: installing it would start its service. */
export async function debianRegistry(): Promise<Binary> {
  const folder = cache('registry-debian');
  const command = join(folder, 'usr/bin/docker-registry');
  if (!existsSync(command)) {
    await mkdir(cache(), { recursive: true });
    const fresh = await mkdtemp(cache('unpacking-'));
    try {
      await run('apt-get', ['download', 'docker-registry'], { cwd: fresh });
      const [archive] = (await readdir(fresh)).filter((name) => name.endsWith('.deb'));
      if (archive === undefined) throw new Error('apt-get download left no package');
      await run('dpkg-deb', ['-x', join(fresh, archive), fresh]);
      await rename(fresh, folder);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return { command, version: versionOf(command) };
}

function versionOf(command: string): string {
  const said = execFileSync(command, ['--version'], { encoding: 'utf8' }).trim();
  return `Docker registry ${/\b(v?2\.[^\s~]+)/.exec(said)?.[1] ?? said}`;
}

/** The configuration that it ships with, but for the folder, deletion, and a log as quiet as ours. */
export function dockerStart(command: string): (storage: string) => Promise<RunningServer> {
  return async (storage) => {
    const port = await freePort();
    const config = `${storage}.yml`;
    await writeFile(
      config,
      `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${JSON.stringify(storage)}}
  cache: {blobdescriptor: inmemory}
  delete: {enabled: true}
http: {addr: '127.0.0.1:${port}', secret: benchmark}
`,
    );
    // Version 3 sends its traces somewhere if it is not told to send none.
    return runServer(command, ['serve', config], { OTEL_TRACES_EXPORTER: 'none' }, `http://127.0.0.1:${port}`);
  };
}

/** It cannot say which port it was given, so it has to be given one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

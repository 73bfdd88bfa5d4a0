// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findTool, TOOLS, type Tool } from '../../clients/tools.ts';
import { builtCommand } from '../registry/built-command.ts';
import type { BenchImage } from './image.ts';
import { repositoryOf } from './image.ts';

export interface Run {
  /** `host:port` of the registry. */
  registry: string;
  image: BenchImage;
  /** Empty; for this run alone. */
  folder: string;
}

/** What is timed, and what is not. */
export interface Prepared {
  command: string[];
  env?: NodeJS.ProcessEnv;
  /** A server that does the work for the command: its memory counts, too. */
  server?: ChildProcess;
}

export interface Contestant {
  name: string;
  what: string;
  /** Whether it runs in another network namespace without more ado. */
  anywhere: boolean;
  version(): string;
  prepare(run: Run): Promise<Prepared>;
}

const reference = ({ registry, image }: Run) => `${registry}/${repositoryOf(image.name)}:1`;

let built: string | undefined;
const uk = () => {
  built ??= builtCommand();
  return built;
};

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'uk',
    what: '`uk pull`, as an installed package runs it',
    anywhere: true,
    version: () => execFileSync(uk(), ['--version'], { encoding: 'utf8' }).trim(),
    prepare: async (run) => ({
      command: [uk(), '--store', join(run.folder, 'store'), '-q', 'pull', '--plain-http', reference(run)],
    }),
  },
  {
    name: 'http + sha256',
    what: 'the blobs by one `curl` to files, then `openssl dgst -sha256` of them: no tool that verifies does less',
    anywhere: true,
    version: () => execFileSync('curl', ['--version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' '),
    prepare: async ({ registry, image, folder }) => {
      const base = `http://${registry}/v2/${repositoryOf(image.name)}/blobs`;
      const files = image.blobs.map((_, number) => join(folder, String(number)));
      const urls = image.blobs.flatMap(({ digest }, i) => ['-o', files[i] ?? '', `${base}/${digest}`]);
      const script = 'n=$1; shift; curl -sSf "$@" && openssl dgst -sha256 $n > /dev/null';
      return { command: ['sh', '-c', script, 'sh', files.join(' '), ...urls] };
    },
  },
  {
    name: 'skopeo',
    what: '`skopeo copy` into an OCI layout',
    anywhere: true,
    version: () => versionOf('skopeo'),
    prepare: async (run) => ({
      command: [
        ...[tool('skopeo'), 'copy', '-q', '--src-tls-verify=false', '--insecure-policy'],
        ...[`docker://${reference(run)}`, `oci:${join(run.folder, 'layout')}:1`],
      ],
      env: { HOME: run.folder, REGISTRY_AUTH_FILE: join(run.folder, 'none') },
    }),
  },
  {
    name: 'crane',
    what: '`crane pull --format oci`',
    anywhere: true,
    version: () => execFileSync(tool('crane'), ['version'], { encoding: 'utf8' }).trim(),
    prepare: async (run) => ({
      command: [tool('crane'), 'pull', '--insecure', '--format', 'oci', reference(run), join(run.folder, 'layout')],
      env: { HOME: run.folder, DOCKER_CONFIG: run.folder },
    }),
  },
  {
    name: 'podman',
    what: '`podman pull`, storage driver vfs: unpacks, too',
    anywhere: false,
    version: () => versionOf('podman'),
    prepare: async ({ folder, ...run }) => ({
      command: [
        ...[tool('podman'), '--root', join(folder, 'root'), '--runroot', join(folder, 'run')],
        ...['--storage-driver', 'vfs', 'pull', '-q', '--tls-verify=false', reference({ folder, ...run })],
      ],
      env: { HOME: folder },
    }),
  },
  {
    name: 'ctr',
    what: '`ctr images pull`, containerd with the native snapshotter: unpacks, too',
    anywhere: false,
    version: () => versionOf('containerd'),
    async prepare(run) {
      const { folder } = run;
      const socket = join(folder, 'c.sock');
      const server = await containerd(folder, socket);
      const pull = ['images', 'pull', '--snapshotter', 'native', '--plain-http', reference(run)];
      return { command: [tool('ctr'), '--address', socket, ...pull], server };
    },
  },
];

async function containerd(folder: string, socket: string): Promise<ChildProcess> {
  const config = `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.toml'), config);
  const server = spawn(tool('containerd'), ['--config', join(folder, 'config.toml')], { stdio: 'ignore' });
  const exited = once(server, 'exit').then(() => true);
  while (!answers(socket)) {
    if (await Promise.race([exited, wait(50, false)])) throw new Error('containerd did not start');
  }
  return server;
}

function answers(socket: string): boolean {
  if (!existsSync(socket)) return false;
  try {
    execFileSync(tool('ctr'), ['--address', socket, 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function tool(name: Tool): string {
  const found = findTool(name);
  if (found === undefined) throw new Error(`${name} is not here: ${TOOLS[name].install}`);
  return found;
}

function versionOf(name: Tool): string {
  return execFileSync(tool(name), ['--version'], { encoding: 'utf8' }).trim().slice(0, 60);
}

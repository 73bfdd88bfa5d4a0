// SPDX-License-Identifier: Apache-2.0
import { type ExecFileException, execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

interface ToolEntry {
  install: string;
  file?: string;
  onlyUnpacked?: boolean;
}

/**
 * The registry clients that tests run, where each comes from, and how to run one without touching the user's files.
 */
export const TOOLS = {
  skopeo: { install: 'apt-get install skopeo' },
  podman: { install: 'apt-get install podman' },
  buildah: { install: 'apt-get install buildah' },
  containerd: { install: 'apt-get install containerd' },
  ctr: { install: 'apt-get install containerd' },
  umoci: { install: 'apt-get install umoci' },
  /** No client, but what the tests make container images with. */
  mmdebstrap: { install: 'apt-get install mmdebstrap' },
  // Debian 12 has none; `test/setup/trixie-tools.sh` unpacks trixie's and sid's into a folder of their own.
  crane: { install: 'sh test/setup/trixie-tools.sh' },
  oras: { install: 'sh test/setup/trixie-tools.sh' },
  cosign: { install: 'sh test/setup/trixie-tools.sh' },
  notation: { install: 'sh test/setup/trixie-tools.sh' },
  /** Its client alone; found in that folder only, as `docker` may be anything (podman has a package that calls it so). */
  docker: { install: 'sh test/setup/trixie-tools.sh', onlyUnpacked: true },
  /** The first one that reads zstd layers; found in that folder only. */
  'umoci-0.6': { install: 'sh test/setup/trixie-tools.sh', file: 'umoci', onlyUnpacked: true },
} as const satisfies Record<string, ToolEntry>;

export type Tool = keyof typeof TOOLS;

/** Where `test/setup/trixie-tools.sh` puts what it fetches. */
function unpackedFolder(): string {
  const { UK_TEST_TOOLS, XDG_CACHE_HOME, HOME } = process.env;
  return join(UK_TEST_TOOLS ?? join(XDG_CACHE_HOME ?? join(HOME ?? '/root', '.cache'), 'uk/test-tools'), 'bin');
}

/** The tool's file, or undefined where this machine does not have it. */
export function findTool(tool: Tool): string | undefined {
  const entry: ToolEntry = TOOLS[tool];
  const system = entry.onlyUnpacked ? [] : (process.env.PATH ?? '').split(delimiter);
  const file = entry.file ?? tool;
  return [...system, unpackedFolder()].map((folder) => join(folder, file)).find(isExecutable);
}

/** For `describe.skipIf(missing)(title, …)`: the title of a skipped suite says why it is skipped. */
export function needing(title: string, ...tools: Tool[]): { missing: boolean; title: string } {
  const absent = tools.filter((tool) => findTool(tool) === undefined);
  if (absent.length === 0) return { missing: false, title };
  const how = absent.map((tool) => `no ${tool} here; to get it: ${TOOLS[tool].install}`);
  return { missing: true, title: `${title} (skipped: ${how.join('; ')})` };
}

interface RunOptions {
  input?: Buffer;
  cwd?: string;
  /** Default: the home's own. */
  env?: NodeJS.ProcessEnv;
}

/** A home of its own for clients, with nothing of the user's in it. */
export interface Home {
  folder: string;
  /** @throws Error with everything that the tool said, where it does not exit 0 */
  run(tool: Tool, args: string[], options?: RunOptions): Promise<string>;
  path(...names: string[]): string;
  environment: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

export async function makeHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-clients-'));
  const path = (...names: string[]) => join(folder, ...names);
  await mkdir(path('config'));
  await mkdir(path('run'));
  // podman and buildah want the file to be there.
  await writeFile(path('auth.json'), '{}');
  const environment = {
    PATH: process.env.PATH,
    HOME: folder,
    DOCKER_CONFIG: path('docker'),
    REGISTRY_AUTH_FILE: path('auth.json'),
    XDG_CONFIG_HOME: path('config'),
    XDG_DATA_HOME: path('data'),
    XDG_CACHE_HOME: path('cache'),
    XDG_RUNTIME_DIR: path('run'),
    TMPDIR: folder,
  };
  return {
    folder,
    path,
    environment,
    run: (tool, args, options = {}) => run(tool, args, { env: environment, ...options }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function run(tool: Tool, args: string[], { input, ...options }: RunOptions): Promise<string> {
  const file = findTool(tool);
  if (file === undefined) throw new Error(`${tool} is not here: ${TOOLS[tool].install}`);
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${tool} ${args.join(' ')}: exit ${error.code}\n${stdout}\n${stderr}`));
    };
    const child = execFile(file, args, { ...options, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 }, done);
    child.stdin?.end(input);
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

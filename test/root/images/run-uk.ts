// SPDX-License-Identifier: Apache-2.0
// The same check by `uk run`, of the container image as it is or of a unikernel image made from it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, serveRegistry, uk } from '../../whole/command.ts';
import { mustRun } from './command.ts';
import type { Check, Recipe } from './recipe.ts';
import { ask } from './request.ts';
import { RUN_MS, type Running, start, stopSignal, type Way } from './way.ts';

const LAUNCHER = join(root, 'puller/cli/uk');
const VOLUME = 'data';

export interface UkOptions {
  /** Run what `uk build --from-image` makes of it. */
  built?: boolean;
}

/**
 * The image comes as it comes to users: from a registry.
 *
 * @param image as containers/image names it, `oci:FOLDER:NAME`
 */
export async function inUk(recipe: Recipe, image: string, { built = false }: UkOptions = {}): Promise<Way> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-run-'));
  const env = { UK_STORE: join(folder, 'store'), XDG_DATA_HOME: join(folder, 'data') };
  const registry = await serveRegistry(join(folder, 'registry'));
  const leave = async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const reference = `${registry.host}/images/${recipe.name}:plain`;
    await mustRun([
      'skopeo',
      '--insecure-policy',
      'copy',
      '--quiet',
      '--dest-tls-verify=false',
      image,
      `docker://${reference}`,
    ]);
    await uk(['pull', reference], { env });
    const name = built ? `${registry.host}/images/${recipe.name}:built` : reference;
    if (built) await uk(['build', '-t', name, '--from-image', reference], { env });
    return {
      async run(check) {
        const command = [
          LAUNCHER,
          'run',
          ...flags(check),
          name,
          ...(check.args === undefined ? [] : ['--', ...check.args]),
        ];
        const running = start(command, check.input, { ...process.env, ...env });
        if (check.request !== undefined) await serve(recipe, check, running);
        return running.ended;
      },
      [Symbol.asyncDispose]: leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

function flags({ entrypoint, volume, request, memory, input }: Check): string[] {
  return [
    ...(input === undefined ? [] : ['-i']),
    ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
    ...(volume === undefined ? [] : ['-v', `${VOLUME}:${volume}`]),
    ...(request === undefined ? [] : ['-p', `127.0.0.1:0:${request.port}`]),
    ...(memory === undefined ? [] : ['-m', memory]),
  ];
}

async function serve(recipe: Recipe, { request }: Check, running: Running): Promise<void> {
  if (request === undefined) return;
  try {
    const port = await forwardedPort(running);
    await ask({ ...request, port, timeoutMs: RUN_MS / 2, signal: running.over });
  } catch (error) {
    running.child.kill('SIGKILL');
    const { stdout, stderr } = await running.ended;
    throw new Error(`uk run: ${String(error)}\n${stdout}${stderr}`);
  }
  running.child.kill(stopSignal(recipe));
}

/** `uk run` says on standard error which port the system chose. */
async function forwardedPort({ child, said, over }: Running): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const look = () => {
    const port = /127\.0\.0\.1:(\d+) is forwarded/.exec(said.stderr)?.[1];
    if (port !== undefined) resolve(Number(port));
  };
  child.stderr?.on('data', look);
  over.addEventListener('abort', () => reject(new Error('it ended before a port was forwarded')));
  look();
  return promise;
}

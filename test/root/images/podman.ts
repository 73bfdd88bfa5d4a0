// SPDX-License-Identifier: Apache-2.0
// A check in a container of podman: what `uk run` is compared with.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun, runCommand } from './command.ts';
import type { Check, Recipe } from './recipe.ts';
import { bringIn, storageOptions } from './storage.ts';
import { RUN_MS, type Running, start, stopSignal, type Way } from './way.ts';

/** runc and cgroupfs: crun refuses machines with mixed cgroups and a low limit of open files. */
const ENGINE = ['podman', '--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];

const VOLUME = 'data';

/** @param image as containers/image names it, `oci:FOLDER:NAME` */
export async function inPodman(recipe: Recipe, image: string): Promise<Way> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-podman-'));
  const engine = [...ENGINE, ...storageOptions(folder)];
  const env = { ...process.env, TMPDIR: folder };
  const id = `localhost/${recipe.name}:checked`;
  await bringIn(folder, image, id);
  let count = 0;
  return {
    async run(check) {
      count += 1;
      const name = `check-${count}`;
      const running = start(
        [
          ...engine,
          'run',
          '--rm',
          '-i',
          '--name',
          name,
          '--network',
          'none',
          ...LIMITS,
          ...flags(check),
          id,
          ...(check.args ?? []),
        ],
        check.input,
        env,
      );
      if (check.request !== undefined) await serve(engine, name, recipe, check, running);
      return running.ended;
    },
    async [Symbol.asyncDispose]() {
      await runCommand([...engine, 'rm', '--all', '--force', '--time', '0'], { env });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function flags({ entrypoint, volume }: Check): string[] {
  return [
    ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
    ...(volume === undefined ? [] : ['--volume', `${VOLUME}:${volume}`]),
  ];
}

/** Asks the server in its own network namespace, so that no port of this machine is needed, and ends it. */
async function serve(
  engine: readonly string[],
  name: string,
  recipe: Recipe,
  { request }: Check,
  running: Running,
): Promise<void> {
  if (request === undefined) return;
  const pid = await containerPid(engine, name, running);
  const asking = [process.execPath, join(import.meta.dirname, 'request.ts')];
  const question = [String(request.port), '60000', Buffer.from(request.send).toString('base64'), request.answer.source];
  const asked = await runCommand(['nsenter', '--net', '--target', pid, ...asking, ...question], { timeoutMs: RUN_MS });
  await mustRun([...engine, 'kill', '--signal', stopSignal(recipe), name]);
  if (asked.status !== 0) {
    const { stdout, stderr } = await running.ended;
    throw new Error(`podman: ${asked.stderr}${stdout}${stderr}`);
  }
}

async function containerPid(engine: readonly string[], name: string, running: Running): Promise<string> {
  while (!running.over.aborted) {
    const { status, stdout } = await runCommand([...engine, 'inspect', '--format', '{{.State.Pid}}', name]);
    if (status === 0 && Number(stdout) > 0) return stdout.trim();
    await sleep(100);
  }
  throw new Error(`podman: the container ended at once: ${running.said.stderr}`);
}

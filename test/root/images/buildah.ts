// SPDX-License-Identifier: Apache-2.0
// buildah with a storage of its own, which goes when the image has been written out.
import { rm } from 'node:fs/promises';
import { mustRun } from './command.ts';
import type { ImageConfig } from './recipe.ts';
import { bringIn, storageOptions } from './storage.ts';

/** Folders of the host that a command in a container sees: host, then container. */
export type Mounts = Readonly<Record<string, string>>;

export class Buildah implements AsyncDisposable {
  readonly #folder: string;

  /** @param folder what is kept there goes with {@link Symbol.asyncDispose} */
  constructor(folder: string) {
    this.#folder = folder;
  }

  run(...args: string[]): Promise<string> {
    return mustRun(['buildah', ...storageOptions(this.#folder), ...args], {
      env: { ...process.env, TMPDIR: this.#folder },
      timeoutMs: 1_200_000,
    });
  }

  /** @param image as containers/image names it: `oci:FOLDER:NAME` */
  async load(image: string, name: string): Promise<void> {
    await bringIn(this.#folder, image, name);
  }

  /** Runs a shell script as root in a container; with the host's network, for apt. */
  script(container: string, script: string, mounts: Mounts = {}): Promise<string> {
    const volumes = Object.entries(mounts).flatMap(([host, inside]) => ['--volume', `${host}:${inside}`]);
    return this.run(
      'run',
      '--isolation=chroot',
      ...volumes,
      '--env=DEBIAN_FRONTEND=noninteractive',
      container,
      '--',
      '/bin/sh',
      '-euc',
      script,
    );
  }

  /** Sets what the image's configuration says. What it does not say stays unset. */
  async configure(container: string, config: ImageConfig): Promise<void> {
    const { Entrypoint, Cmd, Env = {}, User, WorkingDir, StopSignal, Labels = {} } = config;
    const flags = [
      ...(Entrypoint === undefined ? [] : ['--entrypoint', JSON.stringify(Entrypoint)]),
      ...(Cmd === undefined ? [] : ['--cmd', Cmd.map(quoted).join(' ')]),
      ...Object.entries(Env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...(User === undefined ? [] : ['--user', User]),
      ...(WorkingDir === undefined ? [] : ['--workingdir', WorkingDir]),
      ...(config.ExposedPorts ?? []).flatMap((port) => ['--port', port]),
      ...(config.Volumes ?? []).flatMap((path) => ['--volume', path]),
      ...(StopSignal === undefined ? [] : ['--stop-signal', StopSignal]),
      ...Object.entries(Labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ];
    if (flags.length > 0) await this.run('config', ...flags, container);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** For buildah, which splits the text of a Cmd as a shell does. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

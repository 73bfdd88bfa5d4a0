// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { root } from '../../whole/command.ts';
import { builtCommand } from './built-command.ts';
import { debianRegistry, dockerStart, findDockerRegistry, registryModule } from './docker-registry.ts';
import { type RunningServer, runServer } from './running-server.ts';

/** The referrers API; lists of tags in pages. */
export type Ability = 'referrers' | 'pages';

/** A server that takes part. */
export interface Contestant {
  name: string;
  what: string;
  /** @throws Error where this machine cannot have it, saying why */
  prepare(): Promise<Prepared>;
}

export interface Prepared {
  name: string;
  version: string;
  start(storage: string): Promise<RunningServer>;
  /** What not every one of them has. */
  abilities: readonly Ability[];
  /** How it lays out its storage. */
  layout: 'uk' | 'docker';
}

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'uk',
    what: 'ours, as `uk registry serve` of an installed package starts it',
    async prepare() {
      const command = builtCommand();
      return {
        name: 'uk',
        version: `${execFileSync(command, ['--version'], { encoding: 'utf8' }).trim()}${commit()}`,
        abilities: ['referrers', 'pages'],
        layout: 'uk',
        start: (storage) =>
          runServer(command, [
            'registry',
            'serve',
            '--listen',
            '127.0.0.1:0',
            '--storage',
            storage,
            '--log-level',
            'error',
          ]),
      };
    },
  },
  {
    name: 'registry-3',
    what: 'Docker registry 3, built as a Go module',
    async prepare() {
      const { command, version } = await registryModule();
      return { name: 'registry-3', version, abilities: ['pages'], layout: 'docker', start: dockerStart(command) };
    },
  },
  {
    name: 'registry-2',
    what: "Docker registry 2.8, Debian's package docker-registry",
    async prepare() {
      const { command, version } = findDockerRegistry() ?? (await debianRegistry());
      return { name: 'registry-2', version, abilities: [], layout: 'docker', start: dockerStart(command) };
    },
  },
];

function commit(): string {
  try {
    return ` (${execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim()})`;
  } catch {
    // An unpacked archive.
    return '';
  }
}

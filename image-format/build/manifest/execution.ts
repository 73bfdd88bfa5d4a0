// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';
import type { ExecutionConfig } from '../../image-config.ts';
import type { ExecutionChanges } from '../request.ts';

/**
 * How the program runs after some changes: what they leave out stays, variables and labels are replaced one by one.
 * Fields that end up empty are left out.
 *
 * @throws ImageError `CONFIG_INVALID`
 */
export function changeExecution(from: ExecutionConfig, changes: ExecutionChanges): ExecutionConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, WorkingDir, Labels, ...others } = from;
  const ports = changes.exposedPorts?.map((port) => [checkPort(port), {}] as const);
  const changed: ExecutionConfig = {
    ...others,
    User: changes.user ?? User,
    ExposedPorts: sorted({ ...ExposedPorts, ...Object.fromEntries(ports ?? []) }),
    Env: changeEnv(Env ?? [], changes.env ?? []),
    Entrypoint: changes.entrypoint === undefined ? Entrypoint : [...changes.entrypoint],
    Cmd: changes.args === undefined ? Cmd : [...changes.args],
    WorkingDir: changes.workingDir === undefined ? WorkingDir : checkFolder(changes.workingDir),
    Labels: sorted({ ...Labels, ...changes.labels }),
  };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => !isEmpty(value)));
}

function changeEnv(from: readonly string[], changes: readonly string[]): string[] {
  const byName = new Map(from.map((variable) => [variableName(variable), variable]));
  for (const variable of changes) byName.set(variableName(variable), variable);
  return [...byName.values()];
}

function variableName(variable: string): string {
  const equals = variable.indexOf('=');
  if (equals > 0 && !variable.includes('\0')) return variable.slice(0, equals);
  throw new ImageError('CONFIG_INVALID', `not an environment variable: ${JSON.stringify(variable.slice(0, 80))}`, {
    hint: 'write NAME=VALUE',
  });
}

function checkPort(port: string): string {
  const match = /^([0-9]{1,5})(\/(?:tcp|udp|sctp))?$/.exec(port);
  const number = Number(match?.[1]);
  if (match !== null && number > 0 && number < 65536) return `${number}${match[2] ?? '/tcp'}`;
  throw new ImageError('CONFIG_INVALID', `not a port: ${JSON.stringify(port)}`, { hint: 'write 80, 80/tcp or 53/udp' });
}

function checkFolder(folder: string): string {
  if (folder.startsWith('/')) return folder;
  throw new ImageError('CONFIG_INVALID', `not an absolute folder: ${JSON.stringify(folder)}`);
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

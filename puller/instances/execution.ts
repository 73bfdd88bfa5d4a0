// SPDX-License-Identifier: Apache-2.0
import type { ExecutionConfig } from '../../image-format/index.ts';
import { PullerError } from '../errors.ts';

/** What a caller may say about the program; the rest is the image's. */
export interface ExecutionChoice {
  /** Replace the image's Cmd. */
  args?: readonly string[] | undefined;
  /** Replaces the image's Entrypoint, and drops its Cmd. */
  entrypoint?: readonly string[] | undefined;
  /** `NAME=value`; replaces a variable of that name. */
  env?: readonly string[] | undefined;
  user?: string | undefined;
  workingDir?: string | undefined;
}

export interface Execution {
  args: string[];
  env: string[];
  cwd: string;
  user: string;
}

/**
 * What runs, by the rules of container engines (image-spec config.md, "Entrypoint" and "Cmd").
 *
 * @throws PullerError `IMAGE_UNSUPPORTED` where neither image nor caller names a program
 */
export function executionOf(config: ExecutionConfig, choice: ExecutionChoice): Execution {
  const entrypoint = choice.entrypoint ?? config.Entrypoint ?? [];
  const rest = choice.args ?? (choice.entrypoint === undefined ? (config.Cmd ?? []) : []);
  const args = [...entrypoint, ...rest];
  if (args.length === 0 || args[0] === '') {
    throw new PullerError('IMAGE_UNSUPPORTED', 'the image names no program to run', {
      hint: 'name one behind "--", or build the image with --app',
    });
  }
  return {
    args,
    env: mergeEnvironment(config.Env ?? [], choice.env ?? []),
    cwd: choice.workingDir || config.WorkingDir || '/',
    user: choice.user || config.User || '',
  };
}

/** Variables keep the place where their name stood first, and the value that came last. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const variables = new Map<string, string>();
  for (const variable of lists.flat()) variables.set(variable.split('=', 1)[0] ?? '', variable);
  return [...variables.values()].filter((variable) => variable.includes('='));
}

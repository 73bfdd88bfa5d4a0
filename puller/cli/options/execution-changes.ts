// SPDX-License-Identifier: Apache-2.0
import type { ExecutionChanges } from '../../../image-format/build/index.ts';
import { LABEL } from '../../../image-format/index.ts';
import { CliError } from '../errors.ts';

/** What `uk build` is told of how the program runs. */
export interface ExecutionFlags {
  env?: string[];
  entrypoint?: string;
  workdir?: string;
  user?: string;
  expose?: string[];
  label?: string[];
  root?: 'initramfs' | 'erofs';
}

/** @throws CliError `USAGE` */
export function executionChanges(args: string[], flags: ExecutionFlags): ExecutionChanges {
  return {
    ...(args.length === 0 ? {} : { args }),
    ...(flags.env === undefined ? {} : { env: flags.env }),
    ...(flags.entrypoint === undefined ? {} : { entrypoint: parseEntrypoint(flags.entrypoint) }),
    ...(flags.workdir === undefined ? {} : { workingDir: flags.workdir }),
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(flags.expose === undefined ? {} : { exposedPorts: flags.expose.map(parseExposed) }),
    ...labelsOf(flags),
  };
}

function parseEntrypoint(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text);
    if (
      Array.isArray(list) &&
      list.length > 0 &&
      list.every((word) => typeof word === 'string' && !word.includes('\0'))
    ) {
      return list;
    }
  } catch {
    // Said below, for both ways to be wrong.
  }
  throw new CliError('USAGE', `--entrypoint is not a JSON list of words: ${text}`, {
    hint: `write it as '["/usr/bin/python3","-u"]'`,
  });
}

function parseExposed(text: string): string {
  if (!/^[0-9]{1,5}(?:\/(?:tcp|udp|sctp))?$/.test(text)) {
    throw new CliError('USAGE', `--expose: ${text} is not a port`, { hint: 'write 80 or 53/udp' });
  }
  return text.includes('/') ? text : `${text}/tcp`;
}

function parseLabels(labels: string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const equals = label.indexOf('=');
      if (equals < 1) throw new CliError('USAGE', `--label: ${label} is not NAME=VALUE`);
      return [label.slice(0, equals), label.slice(equals + 1)];
    }),
  );
}

function labelsOf({ label, root }: ExecutionFlags): Pick<ExecutionChanges, 'labels'> {
  if (label === undefined && root === undefined) return {};
  return { labels: { ...parseLabels(label ?? []), ...(root === undefined ? {} : { [LABEL.root]: root }) } };
}

// SPDX-License-Identifier: Apache-2.0
import { explain } from '../errors.ts';
import type { Progress } from './progress.ts';

/** Where a command's result and its progress go. Commands return data; only what is here prints. */
export interface Output {
  readonly json: boolean;
  /** `-q`; a list then has names only. */
  readonly quiet: boolean;
  /** The result: as JSON where `--json` was given, else as `text` words it. */
  result(value: unknown, text: () => string): void;
  /** A remark on standard error, such as where a server listens. */
  note(line: string): void;
  progress(): Promise<Progress>;
  /** A line on standard error that `-q` does not take away: it says what went wrong. */
  problem(line: string): void;
  /** @returns the status to exit with */
  failure(error: unknown): number;
}

export interface OutputOptions {
  json?: boolean;
  quiet?: boolean;
}

export function createOutput({ json = false, quiet = false }: OutputOptions): Output {
  const { stdout, stderr } = process;
  return {
    json,
    quiet,
    result(value, text) {
      const shown = json ? JSON.stringify(value, null, 2) : text();
      if (shown !== '') stdout.write(`${shown}\n`);
    },
    note(line) {
      if (!quiet) stderr.write(`${line}\n`);
    },
    problem(line) {
      stderr.write(`${line}\n`);
    },
    async progress() {
      const { plainProgress, silentProgress, terminalProgress } = await import('./progress.ts');
      if (quiet) return silentProgress;
      return stderr.isTTY ? terminalProgress(stderr) : plainProgress((line) => stderr.write(`${line}\n`));
    },
    failure(error) {
      const { line, code, hint, status } = explain(error);
      // What a guest's kernel said last is the evidence; it stands before the line that names the failure.
      const log = error instanceof Error && 'kernelLog' in error ? error.kernelLog : undefined;
      if (typeof log === 'string' && log !== '') stderr.write(`${log.trimEnd()}\n`);
      stderr.write(json ? `${JSON.stringify({ error: { code, message: line, hint } })}\n` : `uk: ${line}\n`);
      return status;
    },
  };
}

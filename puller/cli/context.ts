// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ContentStore } from '../../image-format/layout/index.ts';
import { commonOptions, type GlobalOptions } from './options/global-options.ts';
import { createOutput, type Output } from './output/output.ts';

export interface CommandContext {
  setStatus(status: number): void;
}

interface CommonOptions extends GlobalOptions {
  json?: boolean;
}

/** What every command's work gets. */
export interface Session {
  output: Output;
  /** Aborted by the first SIGINT or SIGTERM; the second ends the process at once. Whoever never asks has neither. */
  readonly signal: AbortSignal;
  /** From here on signals are somebody else's: a guest's, a server's. */
  releaseSignals(): void;
  openStore(): Promise<ContentStore>;
  /** The folder of named volumes; nothing is made. */
  volumesFolder(): Promise<string>;
  /** The folder of instances; nothing is made. */
  instancesFolder(): Promise<string>;
}

/**
 * Wraps a command's work: loads it, gives it its session, prints what it throws as one line, and sets the status. All
 * failures of all commands end here.
 *
 * @param load imports the work when it is wanted: what only describes commands must start fast
 */
export function action<Arguments extends unknown[]>(
  context: CommandContext,
  load: () => Promise<(session: Session, ...args: Arguments) => Promise<number | undefined>>,
): (...args: [...Arguments, Command]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    const options = commonOptions<CommonOptions>(command);
    const output = createOutput({ json: options.json ?? false, quiet: options.quiet ?? false });
    const interruption = interruptible();
    try {
      const session: Session = {
        output,
        get signal() {
          return interruption.signal();
        },
        releaseSignals: interruption.dispose,
        async openStore() {
          const [{ openContentStore }, { storeFolder }] = await Promise.all([
            import('../../image-format/layout/index.ts'),
            import('../store/folders.ts'),
          ]);
          return openContentStore(storeFolder(options.store));
        },
        async volumesFolder() {
          return (await import('../store/folders.ts')).volumesFolder(options.store);
        },
        async instancesFolder() {
          return (await import('../store/folders.ts')).instancesFolder(options.store);
        },
      };
      const work = await load();
      context.setStatus((await work(session, ...(args.slice(0, -1) as unknown as Arguments))) ?? 0);
    } catch (error) {
      context.setStatus(output.failure(error));
    } finally {
      interruption.dispose();
    }
  };
}

function interruptible(): { signal(): AbortSignal; dispose(): void } {
  const controller = new AbortController();
  let listening = false;
  const interrupt = (): void => {
    dispose();
    controller.abort();
  };
  const dispose = (): void => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  return {
    signal() {
      if (!listening) {
        process.on('SIGINT', interrupt);
        process.on('SIGTERM', interrupt);
        listening = true;
      }
      return controller.signal;
    },
    dispose,
  };
}

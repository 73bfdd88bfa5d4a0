// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { parseReference } from '../../../image-format/index.ts';
import { action, type CommandContext, type Session } from '../context.ts';
import { resolveLocal } from '../references.ts';
import { pull, push } from '../transfer.ts';

interface TransferFlags {
  plainHttp?: boolean;
  profile?: string;
}

const PLAIN_HTTP = 'talk to the registry without TLS (default: only on this machine)';

export function addTransfer(program: Command, context: CommandContext): void {
  program
    .command('push')
    .description('send an image to a registry')
    .argument('<image>', 'an image of the store')
    .argument('[destination]', 'under another name (default: its own)')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  uk push localhost:5000/hello:1\n  uk push hello registry.example/hello:1\n')
    .action(
      action(
        context,
        async (session: Session, image: string, destination: string | undefined, flags: TransferFlags) => {
          const store = await session.openStore();
          const { name } = await resolveLocal(store, image);
          const result = await push(session, store, name, parseReference(destination ?? image), flags);
          session.output.result(result, () => `${result.name}@${result.digest}`);
          return undefined;
        },
      ),
    );
  program
    .command('pull')
    .description('fetch an image from a registry, verified')
    .argument('<image>', 'a reference, by tag or digest')
    .option('--profile <name>', 'which image of an index (default: its first)')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  uk pull localhost:5000/hello:1\n')
    .action(
      action(context, async (session: Session, image: string, flags: TransferFlags) => {
        const store = await session.openStore();
        const result = await pull(session, store, parseReference(image), flags);
        session.output.result(result, () => `${result.name}@${result.digest}`);
        return undefined;
      }),
    );
}

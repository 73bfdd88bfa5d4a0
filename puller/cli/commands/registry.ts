// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext, type Session } from '../context.ts';
import { parseListen } from '../options.ts';

interface ServeOptions {
  listen: { host: string; port: number };
  storage?: string;
}

export function addRegistry(program: Command, context: CommandContext): void {
  const registry = program.command('registry').description('the embedded OCI registry');
  registry
    .command('serve')
    .description('serve images from a folder, for every OCI client')
    .option('--listen <host:port>', 'where to listen; port 0 lets the system choose', parseListen, {
      host: '127.0.0.1',
      port: 5000,
    })
    .option('--storage <dir>', 'the folder that holds the images (default: ~/.local/share/uk-registry)')
    .option('--json', 'say where it listens as JSON; log lines are JSON always')
    .addHelpText('after', '\nExample:\n  uk registry serve --listen 127.0.0.1:5000 --storage ./images\n')
    .action(action(context, serve));
}

async function serve(session: Session, options: ServeOptions): Promise<undefined> {
  const [{ createRegistry }, { storeFolder }] = await Promise.all([
    import('../../../registry/index.ts'),
    import('../../store/folders.ts'),
  ]);
  // Beside the store, not in it: a store holds nothing of others.
  const root = options.storage ?? `${storeFolder()}-registry`;
  const registry = await createRegistry({ storage: { driver: 'filesystem', root } });
  try {
    const { url } = await registry.listen(options.listen);
    session.output.result({ url, storage: root }, () => `listening on ${url}`);
    await new Promise<void>((resolve) => session.signal.addEventListener('abort', () => resolve(), { once: true }));
    session.output.note('stopping: waiting for requests that are under way');
  } finally {
    await registry.close();
  }
}

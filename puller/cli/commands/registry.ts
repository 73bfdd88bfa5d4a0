// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { parseListen } from '../options.ts';

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
    .addOption(
      new Option('--log-level <level>', 'what it logs on standard error, as lines of JSON')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .option('--json', 'say where it listens as JSON')
    .addHelpText('after', '\nExample:\n  uk registry serve --listen 127.0.0.1:5000 --storage ./images\n')
    .action(action(context, async () => (await import('../actions/serve.ts')).serve));
}

// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';

const SERVE_EXAMPLES = `
Every setting can stand in a file (--config), in a variable UK_REGISTRY_… or behind --set; --print-config shows
them all, with what holds now. What the command line says goes before the environment, that before the file.

Examples:
  uk registry serve --listen 127.0.0.1:5000 --storage ./images
  uk registry serve --storage s3://bucket/prefix --set storage.endpoint=https://s3.example.com --set storage.pathStyle=true
  uk registry serve --config registry.yaml --print-config
`;

export function addRegistry(program: Command, context: CommandContext): void {
  const registry = program.command('registry').description('the embedded OCI registry');
  registry
    .command('serve')
    .description('serve images from a folder or a bucket, for every OCI client')
    .option('--listen <host:port>', 'where to listen; port 0 lets the system choose (default: 127.0.0.1:5000)')
    .option('--storage <where>', 'a folder, or s3://BUCKET[/PREFIX] (default: ~/.local/share/uk-registry)')
    .option('--workers <count>', 'processes that answer requests (default: one a processor)')
    .addOption(
      new Option('--log-level <level>', 'what it logs on standard error, as lines of JSON (default: info)').choices([
        'debug',
        'info',
        'warn',
        'error',
        'silent',
      ]),
    )
    .option('--config <file>', 'settings, in YAML or JSON')
    .option('--set <path=value>', 'one setting, as in log.requests=true; may be repeated', collectSetting)
    .option('--print-config', 'show all settings as they are now, and serve nothing')
    .option('--json', 'say where it listens as JSON')
    .addHelpText('after', SERVE_EXAMPLES)
    .action(action(context, async () => (await import('../actions/serve.ts')).serve));
}

function collectSetting(text: string, previous: [string, string][] = []): [string, string][] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('write PATH=VALUE, as in log.requests=true');
  return [...previous, [text.slice(0, equals), text.slice(equals + 1)]];
}

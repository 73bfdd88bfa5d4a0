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

const GC_NOTES = `
A blob goes in two steps: one collection condemns what no manifest of its repository names, and a later one, at least
--settle after it, deletes it, unless a push revived it meanwhile. A collection that is interrupted is gone on with by
the next. Where a server runs on the folder, that server does the work.

Examples:
  uk registry gc --storage ./images --dry-run
  uk registry gc --storage ./images
  uk registry gc --storage ./images --grace 0 --settle 0     # everything that is not needed, at once
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
  registry
    .command('gc')
    .description('free what no image needs any more, beside the servers that run')
    .option('--storage <where>', 'a folder, or s3://BUCKET[/PREFIX] (default: ~/.local/share/uk-registry)')
    .option('--dry-run', 'change nothing, and say what would be done')
    .option('--grace <time>', 'leave alone what was pushed later than this and no manifest names (default: 24h)')
    .option('--settle <time>', 'how long what was condemned stays; 0 deletes at once (default: 1h)')
    .option('--take-over', 'go on in the place of a collection that seems to be at work')
    .option('--config <file>', 'settings of the server, in YAML or JSON')
    .option('--set <path=value>', 'one setting, as in storage.region=eu-west-1; may be repeated', collectSetting)
    .option('--json', 'say what was done as JSON')
    .addHelpText('after', GC_NOTES)
    .action(action(context, async () => (await import('../actions/registry-gc.ts')).collectGarbage));
}

function collectSetting(text: string, previous: [string, string][] = []): [string, string][] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('write PATH=VALUE, as in log.requests=true');
  return [...previous, [text.slice(0, equals), text.slice(equals + 1)]];
}

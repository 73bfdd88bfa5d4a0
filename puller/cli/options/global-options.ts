// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';

/** What every command understands, before its name and behind it. */
export interface GlobalOptions {
  store?: string;
  quiet?: boolean;
}

function globalOptions(): Option[] {
  return [
    new Option('--store <dir>', 'where images and volumes are kept (default: $UK_STORE, else ~/.local/share/uk)'),
    new Option('-q, --quiet', 'no progress and no remarks'),
  ];
}

/**
 * Adds the global options to the program and to each of its commands. A command's help lists them once, among the
 * program's.
 */
export function addGlobalOptions(program: Command): void {
  for (const option of globalOptions()) program.addOption(option);
  for (const command of commandsBelow(program)) {
    command.configureHelp({ showGlobalOptions: true });
    for (const option of globalOptions()) {
      // A command that says more exactly what `-q` is for it has it already.
      if (!command.options.some(({ long }) => long === option.long)) command.addOption(option.hideHelp());
    }
    command.version(program.version() ?? '', '-V, --version');
    command.options.at(-1)?.hideHelp();
  }
}

/** The value that stands nearest to the end of the command line wins, as with an option that is given twice. */
export function commonOptions<T extends GlobalOptions>(command: Command): T {
  const above = command.parent === null ? {} : commonOptions(command.parent);
  return { ...above, ...command.opts<T>() };
}

function commandsBelow(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...commandsBelow(child)]);
}

// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import { action, type CommandContext, type Session } from '../context.ts';
import { isComing } from '../options/coming-options.ts';

export function addCompletion(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  source <(uk completion bash)
  uk completion zsh > "\${fpath[1]}/_uk"
  uk completion fish > ~/.config/fish/completions/uk.fish
`,
    )
    .action(
      action(context, async () => async (session: Session, shell: 'bash' | 'zsh' | 'fish') => {
        const script = SCRIPTS[shell](describe(program));
        session.output.result({ shell, script }, () => script);
        return undefined;
      }),
    );
}

interface Node {
  /** Words from the program's name on, such as `kernel build`; empty for the program itself. */
  path: string;
  /** Subcommands and their one-line descriptions. */
  commands: { name: string; description: string }[];
  options: { flag: string; description: string }[];
}

/** The tree of commands as a list, so that the scripts cannot fall behind it. */
export function describe(command: Command, path: string[] = []): Node[] {
  const node: Node = {
    path: path.join(' '),
    commands: command.commands.map((child) => ({ name: child.name(), description: firstLine(child.description()) })),
    options: command.options
      .filter((option) => !isComing(option))
      .flatMap((option) => [option.short, option.long].map((flag) => ({ flag, description: option.description })))
      .filter((option): option is { flag: string; description: string } => option.flag !== undefined),
  };
  return [node, ...command.commands.flatMap((child) => describe(child, [...path, child.name()]))];
}

const SCRIPTS = { bash, zsh, fish };

function bash(nodes: Node[]): string {
  const cases = nodes.map(
    ({ path, commands, options }) =>
      `    ${quote(path)}) words=${quote([...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(' '))} ;;`,
  );
  return `_uk() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= words= i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(path.includes(' ') ? path : ` ${path}`)}) path=${quote(path)} ;;`)
  .join('\n')}
    esac
  done
  case $path in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _uk uk`;
}

function zsh(nodes: Node[]): string {
  return `#compdef uk
autoload -U +X bashcompinit && bashcompinit
${bash(nodes)}`;
}

function fish(nodes: Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const first = path.split(' ')[0];
    const when =
      path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1) ?? first}`;
    return [
      ...commands.map(
        ({ name, description }) => `complete -c uk -n ${quote(when)} -f -a ${name} -d ${quote(description)}`,
      ),
      ...options.map(({ flag, description }) => {
        const kind = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
        return `complete -c uk -n ${quote(when)} ${kind} -d ${quote(firstLine(description))}`;
      }),
    ];
  });
  return lines.join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

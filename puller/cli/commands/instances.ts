// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { parseMoment, parseSeconds, parseSignal, parseTail } from '../options/instance-values.ts';
import { addInstanceOptions } from './instance-options.ts';

const INSTANCES = 'names, ids, or beginnings of ids';
const SIGKILL = 9;

/** The life of instances in the background. */
export function addInstances(program: Command, context: CommandContext): void {
  addStarting(program, context);
  addEnding(program, context);
  addLooking(program, context);
}

function addStarting(program: Command, context: CommandContext): void {
  addInstanceOptions(program.command('create').description('make an instance that does not run yet, and print its id'))
    .option('--json', 'print id and name as JSON')
    .action(action(context, async () => (await import('../actions/instances/run-detached.ts')).create));
  program
    .command('start')
    .description('start instances that do not run')
    .argument('[instance...]', INSTANCES)
    .option('--policy', 'all that their restart policy wants to run, as after a start of the machine', false)
    .option('--json', 'print what runs now as JSON')
    .action(action(context, async () => (await import('../actions/instances/start.ts')).start));
  program
    .command('restart')
    .description('stop instances and start them again')
    .argument('<instance...>', INSTANCES)
    .option('-t, --time <seconds>', 'how long the program may take to end until it is killed', parseSeconds)
    .option('--json', 'print what runs now as JSON')
    .action(action(context, async () => (await import('../actions/instances/start.ts')).restart));
}

function addEnding(program: Command, context: CommandContext): void {
  program
    .command('stop')
    .description('ask the programs of instances to end; kill them when their time is over')
    .argument('<instance...>', INSTANCES)
    .option('-t, --time <seconds>', 'how long the program may take (default: what --stop-timeout said)', parseSeconds)
    .option('--json', 'print what was stopped as JSON')
    .action(action(context, async () => (await import('../actions/instances/end.ts')).stop));
  program
    .command('kill')
    .description('send the programs of instances a signal')
    .argument('<instance...>', INSTANCES)
    .option('-s, --signal <signal>', 'which one (default: SIGKILL)', parseSignal, SIGKILL)
    .option('--json', 'print which ones got it as JSON')
    .action(action(context, async () => (await import('../actions/instances/end.ts')).kill));
  program
    .command('rm')
    .description('remove instances with their logs')
    .argument('<instance...>', INSTANCES)
    .option('-f, --force', 'also those that run; no failure for one that does not exist')
    .option('--json', 'print what was removed as JSON')
    .action(action(context, async () => (await import('../actions/instances/end.ts')).remove));
  program
    .command('wait')
    .description('wait until instances have ended, and print the exit statuses of their programs')
    .argument('<instance...>', INSTANCES)
    .option('--json', 'print the statuses as JSON')
    .action(action(context, async () => (await import('../actions/instances/end.ts')).wait));
  program
    .command('rename')
    .description('give an instance another name')
    .argument('<instance>', 'a name, an id, or the beginning of an id')
    .argument('<name>', 'the new name')
    .action(action(context, async () => (await import('../actions/instances/end.ts')).rename));
}

function addLooking(program: Command, context: CommandContext): void {
  program
    .command('ps')
    .description('list the instances that run')
    .option('-a, --all', 'also those that do not')
    .option('-q, --quiet', 'only the ids')
    .option('--no-trunc', 'whole ids and commands')
    .option('--json', 'print the list as JSON')
    .action(action(context, async () => (await import('../actions/instances/list.ts')).list));
  program
    .command('port')
    .description("show where an instance's ports are forwarded from")
    .argument('<instance>', 'a name, an id, or the beginning of an id')
    .argument('[port[/protocol]]', 'only this port of the guest')
    .option('--json', 'print the list as JSON')
    .action(action(context, async () => (await import('../actions/instances/list.ts')).port));
  program
    .command('logs')
    .description('show what the program of an instance wrote')
    .argument('<instance>', 'a name, an id, or the beginning of an id')
    .option('-f, --follow', 'go on until it ends')
    .option('--since <time>', 'only from a time on: 2030-01-31T12:00:00Z, seconds since 1970, 10m ago', parseMoment)
    .option('--until <time>', 'only up to a time', parseMoment)
    .option('--tail <lines>', 'only the last lines', parseTail)
    .option('-t, --timestamps', 'a time before each line')
    .option('--kernel', "the log of the guest's kernel instead")
    .option('--json', 'the records as they are kept: one JSON object a line')
    .action(action(context, async () => (await import('../actions/instances/logs.ts')).logs));
  program
    .command('events')
    .description('show what happens to instances, as it happens')
    .option('--since <time>', 'also what happened from a time on', parseMoment)
    .option('--until <time>', 'end at a time', parseMoment)
    .option('--json', 'one JSON object a line')
    .action(action(context, async () => (await import('../actions/instances/logs.ts')).events));
}

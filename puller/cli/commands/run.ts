// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { addInstanceOptions } from './instance-options.ts';

export function addRun(program: Command, context: CommandContext): void {
  addInstanceOptions(
    program.command('run').description('boot an image: in the foreground, or with -d in the background'),
  )
    .option('-d, --detach', 'run it in the background, and print its id when its program runs')
    .option('--console', "show the kernel's log on standard error")
    .addHelpText(
      'after',
      `
Standard output and error are the program's, byte for byte, and so is the exit status; 128 + N if signal N ended it,
124 if the guest stopped answering. With -d they go to its log: uk logs.

Examples:
  uk run localhost:5000/hello:1
  uk run -p 8080:80 localhost:5000/nginx:1
  uk run -d --name web -p 8080:80 --restart always --health-http /healthz localhost:5000/nginx:1
  uk run -p '[::1]:8080:80' -p 9000-9003:9000-9003 --env-file ./settings localhost:5000/server:1
  uk run -v data:/var/lib/postgresql -p 5432:5432 --kernel localhost:5000/kernels/general:6.12 docker.io/library/postgres:17
  uk run --read-only --tmpfs /cache:size=64m -v ./site:/srv:ro localhost:5000/nginx:1
  uk run -it localhost:5000/debian:12 -- bash
  uk run -i -m 256M --cpus 2 localhost:5000/python:1 -- -c 'print(input())' < words.txt
`,
    )
    .action(action(context, async () => (await import('../actions/run.ts')).run));
}

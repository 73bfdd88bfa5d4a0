// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander';
import { addArchive } from './commands/archive.ts';
import { addBrowse } from './commands/browse.ts';
import { addBuild } from './commands/build.ts';
import { addCompletion } from './commands/completion.ts';
import { addDoctor } from './commands/doctor.ts';
import { addImages } from './commands/images.ts';
import { addInside } from './commands/inside.ts';
import { addInstances } from './commands/instances.ts';
import { addKernel } from './commands/kernel.ts';
import { addLibc } from './commands/libc.ts';
import { addLogin } from './commands/login.ts';
import { addRegistry } from './commands/registry.ts';
import { addRun } from './commands/run.ts';
import { addTransfer } from './commands/transfer.ts';
import { addVolume } from './commands/volume.ts';
import { EXIT_FAILURE, EXIT_MISUSE } from './errors.ts';
import { addGlobalOptions } from './options/global-options.ts';
import { createOutput } from './output/output.ts';
import { version } from './version.ts';

const INTRODUCTION = `Linux applications as ring-0 unikernels, in ordinary OCI images.

An image is one program with its libraries and a Linux kernel that runs it in ring 0.
It is built, pushed, pulled and run like any container image:

  uk build -t localhost:5000/hello:1 --app ./hello
  uk push localhost:5000/hello:1
  uk run localhost:5000/hello:1`;

/** The tree of commands. Each command loads what it needs only when it runs, so that \`--help\` costs nothing. */
export function createProgram(setStatus: (status: number) => void): Command {
  const program = new Command('uk');
  program
    .description(INTRODUCTION)
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand('help [command]', 'show the help of a command')
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(uk --help shows how)')
    .configureOutput({ outputError: (text, write) => write(`uk: ${text.replace(/^error: /, '')}`) })
    .exitOverride();
  const context = { setStatus };
  addBuild(program, context);
  addTransfer(program, context);
  addLogin(program, context);
  addArchive(program, context);
  addImages(program, context);
  addBrowse(program, context);
  addRun(program, context);
  addInstances(program, context);
  addInside(program, context);
  addVolume(program, context);
  addKernel(program, context);
  addLibc(program, context);
  addRegistry(program, context);
  addDoctor(program, context);
  addCompletion(program, context);
  addGlobalOptions(program);
  return program;
}

/** Runs one command line. @returns the status to exit with */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram((given) => {
    status = given;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_MISUSE;
    return createOutput({}).failure(error) || EXIT_FAILURE;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';

const PROFILE = 'hardware it is for (default: qemu-microvm)';
const PLAIN_HTTP = 'talk to the registry without TLS (default: only on this machine)';

/** The keys of kernel-build's PRESETS, whose room is loaded only when there is something to build. */
function preset(): Option {
  return new Option(
    '--preset <name>',
    'what programs find in the kernel: small for one that brings all it needs, general for any container',
  )
    .choices(['small', 'general'])
    .default('small');
}

export function addKernel(program: Command, context: CommandContext): void {
  const kernel = program.command('kernel').description('ring-0 kernels: build one, or share one as an image');
  kernel
    .command('build')
    .description('build the kernel of a profile; what was built before is there at once')
    .option('--profile <name>', PROFILE)
    .addOption(preset())
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nIt needs linux-source-6.12 and a compiler: uk doctor says what is missing.\n')
    .action(action(context, async () => (await import('../actions/kernel.ts')).buildKernelOf));
  kernel
    .command('push')
    .description('build the kernel of a profile and send it to a registry, so that others need no compiler')
    .argument('<ref>', 'name of the kernel image, as in localhost:5000/kernels/microvm:6.12')
    .option('--profile <name>', PROFILE)
    .addOption(preset())
    .addOption(new Option('--compression <algorithm>', 'of the layer').choices(['zstd', 'gzip']).default('zstd'))
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .action(action(context, async () => (await import('../actions/kernel.ts')).pushKernel));
  kernel
    .command('pull')
    .description('fetch a kernel image, for uk build --kernel')
    .argument('<ref>', 'name of the kernel image')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .action(action(context, async () => (await import('../actions/kernel.ts')).pullKernel));
}

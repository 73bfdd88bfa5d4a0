// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseReference } from '../../../image-format/index.ts';
import { action, type CommandContext, type Session } from '../context.ts';
import { buildKernel, kernelFiles } from '../kernel.ts';
import { formatBytes } from '../output/bytes.ts';
import { canonicalName } from '../references.ts';
import { pull, push } from '../transfer.ts';

interface KernelFlags {
  profile?: string;
  plainHttp?: boolean;
}

const PROFILE = 'hardware it is for (default: qemu-microvm)';
const PLAIN_HTTP = 'talk to the registry without TLS (default: only on this machine)';

export function addKernel(program: Command, context: CommandContext): void {
  const kernel = program.command('kernel').description('ring-0 kernels: build one, or share one as an image');
  kernel
    .command('build')
    .description('build the kernel of a profile; what was built before is there at once')
    .option('--profile <name>', PROFILE)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nIt needs linux-source-6.12 and a compiler: uk doctor says what is missing.\n')
    .action(action(context, build));
  kernel
    .command('push')
    .description('build the kernel of a profile and send it to a registry, so that others need no compiler')
    .argument('<ref>', 'name of the kernel image, as in localhost:5000/kernels/microvm:6.12')
    .option('--profile <name>', PROFILE)
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .action(action(context, pushKernel));
  kernel
    .command('pull')
    .description('fetch a kernel image, for uk build --kernel')
    .argument('<ref>', 'name of the kernel image')
    .option('--plain-http', PLAIN_HTTP)
    .option('--json', 'print the result as JSON')
    .action(action(context, pullKernel));
}

async function build(session: Session, flags: KernelFlags): Promise<undefined> {
  const { loadProfile } = await import('../../../hardware-profiles/index.ts');
  const profile = await loadProfile(flags.profile);
  const progress = await session.output.progress();
  try {
    const kernel = await buildKernel(session, profile, progress);
    const { size } = await stat(kernel.vmlinux);
    session.output.result({ ...kernel, size, profile: profile.name }, () => `${kernel.vmlinux} (${formatBytes(size)})`);
  } finally {
    progress.close();
  }
  return undefined;
}

async function pushKernel(session: Session, ref: string, flags: KernelFlags): Promise<undefined> {
  const [{ loadProfile }, { buildKernelImage }] = await Promise.all([
    import('../../../hardware-profiles/index.ts'),
    import('../../../image-format/build/index.ts'),
  ]);
  const reference = parseReference(ref);
  const name = canonicalName(ref);
  const profile = await loadProfile(flags.profile);
  const store = await session.openStore();
  const progress = await session.output.progress();
  try {
    const kernel = await buildKernel(session, profile, progress);
    const image = await buildKernelImage(kernelFiles(kernel), profile, store, { signal: session.signal });
    await store.tag(name, image.descriptor);
  } finally {
    progress.close();
  }
  const result = await push(session, store, name, reference, flags);
  session.output.result(result, () => `${result.name}@${result.digest}`);
  return undefined;
}

async function pullKernel(session: Session, ref: string, flags: KernelFlags): Promise<undefined> {
  const { kernelLayerOf } = await import('../../../image-format/build/index.ts');
  const store = await session.openStore();
  const result = await pull(session, store, parseReference(ref), flags);
  const descriptor = await store.resolve(result.name);
  // An image without a kernel is found out here, not when somebody builds with it.
  if (descriptor !== undefined) await kernelLayerOf(descriptor, store);
  session.output.result(result, () => `${result.name}@${result.digest}`);
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { action, type CommandContext, type Session } from '../context.ts';

/** One thing that this machine can or cannot do. */
interface Finding {
  /** What it is needed for: `run`, `kernel build`. */
  area: string;
  name: string;
  ok: boolean;
  /** What was found. */
  detail: string;
  /** How to get it, where it is missing. */
  hint?: string | undefined;
}

export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('say what this machine can do, what is missing and how to get it')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nExit status 0 if images can be run here, 1 if not.\n')
    .action(action(context, examine));
}

async function examine(session: Session): Promise<number> {
  const [{ checkHost }, { kernelBuildRequirements }] = await Promise.all([
    import('../../index.ts'),
    import('../../../kernel-build/index.ts'),
  ]);
  const [host, kernel] = await Promise.all([checkHost(), kernelBuildRequirements()]);
  const findings: Finding[] = [
    ...host.map((item) => ({ area: 'run', ...item })),
    ...kernel.map(({ name, found, hint }) => ({
      area: 'kernel build',
      name,
      ok: found !== undefined,
      detail: found ?? 'missing',
      hint,
    })),
  ];
  session.output.result(findings, () =>
    ['run', 'kernel build']
      .flatMap((area) => [`${area}:`, ...findings.filter((finding) => finding.area === area).map(line)])
      .join('\n'),
  );
  return host.every(({ ok }) => ok) ? 0 : 1;
}

function line({ name, ok, detail, hint }: Finding): string {
  return `  ${ok ? 'ok     ' : 'missing'}  ${name}: ${detail}${ok || hint === undefined ? '' : ` (${hint})`}`;
}

// SPDX-License-Identifier: Apache-2.0
import { kernelBuildRequirements, libcBuildRequirements, type Requirement } from '../../../kernel-build/index.ts';
import { checkHost } from '../../index.ts';
import type { Session } from '../context.ts';

/** One thing that this machine can or cannot do. */
interface Finding {
  /** What it is needed for: `run`, `kernel build`, `libc build`. */
  area: string;
  name: string;
  ok: boolean;
  /** What was found. */
  detail: string;
  /** How to get it, where it is missing. */
  hint?: string | undefined;
}

export async function examine(session: Session): Promise<number> {
  const [host, kernel, libc] = await Promise.all([checkHost(), kernelBuildRequirements(), libcBuildRequirements()]);
  const findings: Finding[] = [
    ...host.map((item) => ({ area: 'run', ...item })),
    ...requirements('kernel build', kernel),
    ...requirements('libc build', libc),
  ];
  session.output.result(findings, () =>
    ['run', 'kernel build', 'libc build']
      .flatMap((area) => [`${area}:`, ...findings.filter((finding) => finding.area === area).map(line)])
      .join('\n'),
  );
  return host.every(({ ok }) => ok) ? 0 : 1;
}

function requirements(area: string, needed: readonly Requirement[]): Finding[] {
  return needed.map(({ name, found, hint }) => ({
    area,
    name,
    ok: found !== undefined,
    detail: found ?? 'missing',
    hint,
  }));
}

function line({ name, ok, detail, hint }: Finding): string {
  return `  ${ok ? 'ok     ' : 'missing'}  ${name}: ${detail}${ok || hint === undefined ? '' : ` (${hint})`}`;
}

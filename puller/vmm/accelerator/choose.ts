// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { Accelerator, Monitor } from '../monitor.ts';
import { hostKey, hostProcessor, kvmDeviceProblem } from './host.ts';
import { measureTsc, type ProbeSubject, probeKvm } from './probe.ts';
import { readVerdict, type Verdict, writeVerdict } from './verdict.ts';

export type AcceleratorWish = 'auto' | 'kvm' | 'tcg';

/** A guest is up in a fraction of a second under KVM; where it is not by then, it never will be. */
const KVM_LIMIT_MS = 5_000;
const TCG_LIMIT_MS = 30_000;

/** `$UK_ACCEL`, where nothing else was asked for. @throws PullerError `OPTION_UNSUPPORTED` */
export function acceleratorWish(given: string | undefined = process.env.UK_ACCEL || undefined): AcceleratorWish {
  if (given === undefined || given === 'auto') return 'auto';
  if (given === 'kvm' || given === 'tcg') return given;
  throw new PullerError('OPTION_UNSUPPORTED', `no accelerator is called ${JSON.stringify(given)}`, {
    hint: 'there are auto, kvm and tcg',
  });
}

export interface Choice {
  accelerator: Accelerator;
  /** Why, in a few words. */
  detail: string;
}

/**
 * Decides how a guest is run. KVM is taken where a guest has really run with it; anything else is emulated, with the
 * frequencies that the guest would otherwise have to find out. What probing shows is kept for this start of this host.
 *
 * @param monitorFile the monitor's executable
 * @param onProbe called before probing, which takes a second or, with a KVM that hangs, some more
 * @param signal ends the probing
 * @throws PullerError `OPTION_UNSUPPORTED` where KVM was asked for and cannot be had; the signal's reason
 */
export async function chooseAccelerator(
  monitor: Monitor,
  monitorFile: string,
  subject: ProbeSubject,
  wish: AcceleratorWish,
  onProbe?: () => void,
  signal?: AbortSignal,
): Promise<Choice> {
  const device = wish === 'tcg' ? 'tcg was asked for' : kvmDeviceProblem();
  if (wish === 'kvm') {
    if (device !== undefined) {
      throw new PullerError('OPTION_UNSUPPORTED', `no KVM here: ${device}`, {
        hint: 'run it with --accel tcg or auto',
      });
    }
    return { accelerator: { kind: 'kvm' }, detail: 'kvm was asked for' };
  }
  const processor = hostProcessor();
  const key = hostKey(monitorFile, processor);
  const verdict = readVerdict(key);
  const known = choiceOf(verdict, device, processor.steadyTsc);
  if (known !== undefined) return known;
  onProbe?.();

  let kvmProblem: string | undefined;
  if (device === undefined && verdict.kvm === undefined) {
    kvmProblem = await probeKvm(monitor, subject, KVM_LIMIT_MS, signal);
    if (kvmProblem === undefined) verdict.kvm = { works: true, detail: 'a guest ran' };
  }
  if (verdict.kvm?.works !== true || device !== undefined) {
    const guess = processor.steadyTsc ? processor.guessKhz : undefined;
    const emulated = await probeTcg(monitor, subject, verdict, guess, signal);
    // Only a kernel that runs without KVM can have shown that KVM is at fault.
    if (emulated && kvmProblem !== undefined)
      verdict.kvm = { works: false, detail: `KVM runs no guest here: ${kvmProblem}` };
  }
  writeVerdict(key, verdict);
  return (
    choiceOf(verdict, device, processor.steadyTsc) ?? {
      accelerator: { kind: 'tcg' },
      detail: kvmProblem ?? device ?? 'probing failed',
    }
  );
}

/** @returns whether a guest ran */
async function probeTcg(
  monitor: Monitor,
  subject: ProbeSubject,
  verdict: Verdict,
  guessKhz: number | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (verdict.tsc !== undefined) return true;
  const result = await measureTsc(monitor, subject, guessKhz ?? 1_000_000, TCG_LIMIT_MS, signal);
  if ('problem' in result) return false;
  verdict.tsc = result;
  return true;
}

/** What is known already; undefined where something must be probed. */
export function choiceOf(verdict: Verdict, device: string | undefined, steadyTsc: boolean): Choice | undefined {
  if (device === undefined) {
    if (verdict.kvm === undefined) return undefined;
    if (verdict.kvm.works) return { accelerator: { kind: 'kvm' }, detail: verdict.kvm.detail };
  }
  if (verdict.tsc === undefined) return undefined;
  const detail = device ?? verdict.kvm?.detail ?? '';
  // A counter that changes its pace must not be called reliable: the guest then finds another clock by itself.
  return { accelerator: { kind: 'tcg', ...(steadyTsc ? { tscKhz: verdict.tsc.khz } : {}) }, detail };
}

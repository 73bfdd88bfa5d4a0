// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream';
import type { Exit, Hello } from '../guest-contract/control-channel.ts';
import type { TerminalSize } from '../guest-contract/start.ts';
import type { Choice } from '../vmm/accelerator/choose.ts';
import type { PortForward } from '../vmm/monitor.ts';
import type { ExecutionChoice } from './execution.ts';
import type { StorageChoice } from './storage.ts';

/** What happens on the way, for whoever shows it. Times are milliseconds since the start was asked for. */
export type InstanceEvent =
  /** What this machine can do is being found out, once; it takes some seconds. */
  | { type: 'probing' }
  | { type: 'machine'; pid: number; choice: Choice; ms: number }
  | { type: 'hello'; hello: Hello; ms: number }
  | { type: 'started'; pid: number; ms: number }
  /** The guest does not answer; `held`: no wonder, as somebody on this side keeps it from running. */
  | { type: 'silent'; held: boolean; ms: number }
  /** It answers again, after its processor was interrupted; `text` says what it had been doing. */
  | { type: 'revived'; text: string; ms: number }
  /** The guest's kernel has killed a process, as there was no memory left; told once. */
  | { type: 'out-of-memory'; ms: number }
  | { type: 'exit'; exit: Exit; ms: number };

export interface InstanceOptions extends ExecutionChoice, StorageChoice {
  /** Bytes. Default: the profile's, or more where the image needs it. */
  memory?: number | undefined;
  /** Default: the profile's. */
  cpus?: number | undefined;
  /** Size of the host's huge pages that the guest's memory is made of. Default: the profile's. */
  hugePages?: 'off' | '2M' | '1G' | undefined;
  /** Whether all memory is there before the guest starts. Default: the profile's. */
  prefault?: boolean | undefined;
  forwards?: readonly PortForward[] | undefined;
  /** Default: empty. */
  stdin?: Readable | 'empty' | undefined;
  /** The program gets a terminal of that size: what it writes, errors too, goes to `stdout`. */
  terminal?: TerminalSize | undefined;
  stdout: Writable;
  stderr: Writable;
  /** Whether this process may ask the guest's agent for something. Default: no. */
  agent?: boolean | undefined;
  /** Gets the kernel's log as it comes; with it the kernel logs everything. */
  console?: Writable | undefined;
  /** Gets the kernel's log as it comes. Without `console` the kernel logs only what is wrong. */
  kernelLog?: Writable | undefined;
  /** What the machine can be told from others by, in its monitor and among the processes. */
  uuid?: string | undefined;
  /** Default: the instance's id. */
  hostname?: string | undefined;
  /** `auto` (default), `kvm`, `tcg`; `$UK_ACCEL` where it is left out. */
  accelerator?: string | undefined;
  /** Ends the machine at once, that of the accelerator's probe too; the start or the outcome then rejects with its reason. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: InstanceEvent) => void) | undefined;
  /** How long the kernel may take until its init speaks. Default: 60 s, and more where its memory is touched first. */
  bootTimeoutMs?: number | undefined;
  /** How long a guest that has come up may be silent until it is given up, in milliseconds; 0: for ever. Default: 60 s. */
  watchdogMs?: number | undefined;
}

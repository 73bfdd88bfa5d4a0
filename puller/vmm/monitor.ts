// SPDX-License-Identifier: Apache-2.0
import type { Duplex, Readable } from 'node:stream';

/** How the guest's processor is made. */
export type Accelerator =
  | { kind: 'kvm' }
  | {
      kind: 'tcg';
      /** The guest's time stamp counter in kHz, where it is known and steady: then nothing is calibrated at boot. */
      tscKhz?: number | undefined;
    };

export interface PortForward {
  /** Address on this machine to listen at. */
  address: string;
  /** Port on this machine; 0 lets the system choose. */
  host: number;
  guest: number;
  protocol: 'tcp' | 'udp';
}

/** The guest's view of the network that `user` mode makes. */
export const GUEST_NETWORK = { address: '10.0.2.15/24', gateway: '10.0.2.2', dns: ['10.0.2.3'] } as const;

/** How the host gives a guest its memory. Without any of this it comes as it is touched, and stays. */
export interface MemoryBacking {
  /** Made of pages that the host's administrator has set aside; the guest's memory is rounded up to them. */
  hugePages?: '2M' | '1G' | undefined;
  /** All of it is there before the guest starts, so that nothing waits for it later. */
  prefault?: boolean | undefined;
  /** The guest tells what is free in it, and the host takes that back; not where the other two want to keep it. */
  reporting?: boolean | undefined;
}

/** A disk of the guest, which finds it by its serial. */
export interface Disk {
  /** At most 20 letters, digits and hyphens (VIRTIO_BLK_ID_BYTES). */
  serial: string;
  /** Path of a file on this machine. */
  file: string;
  format: 'raw' | 'vmdk';
  readOnly: boolean;
}

/** A folder of this machine that the guest can mount. */
export interface Share {
  /** virtiofs is faster, but its daemon knows no read-only folders, takes root, and shares the guest's memory. */
  kind: '9p' | 'virtiofs';
  /** What the guest finds it by: letters, digits and hyphens. */
  tag: string;
  /** Path of the folder. */
  folder: string;
  readOnly: boolean;
}

export interface MachineSpec {
  /** The profile's machine: its type and its switches, in the monitor's own words. */
  machine: { type: string; options: Readonly<Record<string, string>> };
  /** What the machine can be told from others by. */
  uuid?: string | undefined;
  /** Path of the kernel's ELF file. */
  kernel: string;
  /** Ticks a second of that kernel, where they are known. */
  hz?: number | undefined;
  /** Path of an initramfs beside the one in the kernel. */
  initrd?: string | undefined;
  disks?: readonly Disk[] | undefined;
  shares?: readonly Share[] | undefined;
  /** Bytes. */
  memory: number;
  backing?: MemoryBacking | undefined;
  cpus: number;
  accelerator: Accelerator;
  forwards: readonly PortForward[];
  /** Whether there is a port for the guest's agent. */
  agent?: boolean | undefined;
  /** Whether the kernel logs everything, or only what is wrong (which boots faster). */
  verbose: boolean;
}

export interface MachineExit {
  /** The monitor's own exit code; it says nothing about the program. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What the monitor said on its standard error, the end of it. */
  complaint: string;
}

/**
 * A machine that runs. Its ports are connected before it starts, hold back what is not read, and end when the monitor
 * does; so do the promises. Nothing of it outlives this process, not even when that is killed with SIGKILL, and
 * nothing of it is on disk.
 */
export interface Machine {
  readonly pid: number;
  readonly accelerator: Accelerator;
  /** `uk.control` */
  readonly control: Duplex;
  /** `uk.stdin` */
  readonly stdin: Duplex;
  /** `uk.stdout`; destroying it tells the guest that nobody reads any more. */
  readonly stdout: Duplex;
  /** `uk.stderr` */
  readonly stderr: Duplex;
  /** `uk.agent`, where it was asked for. */
  readonly agent?: Duplex | undefined;
  /** The kernel's log. It must be read: a monitor may stop the machine while its log is full. */
  readonly log: Readable;
  /** Never rejects. */
  readonly exited: Promise<MachineExit>;
  /** Ends it at once; harmless where it has ended. */
  kill(): void;
  /** The UUID that the monitor says it runs. @throws PullerError `MONITOR_FAILED` */
  uuid(): Promise<string>;
  /** A command of the monitor's own console (`info registers`). @throws PullerError `MONITOR_FAILED` */
  command(line: string): Promise<string>;
  /**
   * Whether somebody on this side keeps the machine from running: a debugger, the monitor's console, a SIGSTOP. One
   * whose monitor does not answer is not held.
   */
  held(): Promise<boolean>;
  /** The registers of all processors, as the monitor writes them; the machine stands still meanwhile. @throws PullerError `MONITOR_FAILED` */
  registers(): Promise<string>;
  /** Sends the guest's kernel a non-maskable interrupt. @throws PullerError `MONITOR_FAILED` */
  nonMaskableInterrupt(): Promise<void>;
}

/** A virtual machine monitor. Every driver passes `monitor.suite.ts`. */
export interface Monitor {
  readonly name: string;
  /**
   * Starts a machine without waiting for it. What goes wrong later shows in `exited`; {@link explainExit} knows why.
   *
   * @throws PullerError `MONITOR_MISSING`, `OPTION_UNSUPPORTED`
   */
  start(spec: MachineSpec): Promise<Machine>;
  /** How a folder is shared, for a kernel that can mount these. */
  shareKind(filesystems: readonly string[], readOnly: boolean): Share['kind'];
  /** What a monitor that ended by itself meant. */
  explainExit(spec: MachineSpec, exit: MachineExit): Error;
}

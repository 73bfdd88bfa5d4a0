// SPDX-License-Identifier: Apache-2.0
// stress-ng in groups, each for a share of the time, all of them while the disk and the network are under load.
import type { PlannedTest } from './plan.ts';

/** Stressors and their options. `--verify` is on, and one stressor writes to the disk in each group. */
export const GROUPS: Readonly<Record<string, string>> = {
  cpu: '--cpu 1 --matrix 1 --fp 1',
  vector: '--vecmath 1 --vecshuf 1 --rseq 1',
  memory: '--vm 2 --vm-bytes 48m --mmap 1 --mmap-bytes 32m',
  mappings: '--mremap 1 --mremap-bytes 8m --madvise 1 --mprotect 1 --brk 1',
  paging: '--fault 1 --userfaultfd 1 --mincore 1 --stack 1',
  memthrash: '--memthrash 1 --malloc 1 --malloc-bytes 32m --memfd 1 --memfd-bytes 16m',
  fork: '--fork 1 --vfork 1 --clone 1 --clone-max 64',
  exec: '--exec 1 --exec-max 8 --wait 1 --daemon 1',
  threads: '--pthread 1 --pthread-max 64 --mutex 1 --context 1',
  scheduling: '--switch 1 --yield 1 --schedpolicy 1 --affinity 1',
  signals: '--signal 1 --sigq 1 --sigpending 1 --sigsuspend 1 --sigrt 1',
  faults: '--sigsegv 1 --sigfpe 1 --sigtrap 1 --kill 1',
  illegal: '--opcode 1 --sysbadaddr 1 --bad-altstack 1',
  locks: '--futex 1 --sem 1 --sem-sysv 1',
  timers: '--timer 1 --timer-freq 2000 --timerfd 1 --itimer 1 --clock 1 --nanosleep 1',
  polls: '--poll 1 --epoll 1 --eventfd 1',
  pipes: '--pipe 1 --fifo 1 --sendfile 1 --splice 1 --tee 1',
  messages: '--mq 1 --msg 1 --shm 1 --shm-bytes 8m --shm-sysv 1',
  sockets: '--sock 1 --udp 1 --sockpair 1 --sockmany 1',
  ptrace: '--ptrace 1 --kcmp 1 --vm-rw 1 --get 1',
  seccomp: '--seccomp 1 --bad-ioctl 1 --enosys 1',
  syscalls: '--syscall 1 --vdso 1 --sysinfo 1 --getrandom 1',
  disk: '--iomix 1 --iomix-bytes 16m --aio 1 --fallocate 1 --fallocate-bytes 16m',
  uring: '--io-uring 1 --seek 1 --seek-size 8m --sync-file 1 --sync-file-bytes 8m',
  files: '--dentry 1 --dir 1 --rename 1 --link 1 --fstat 1',
  ciphers: '--af-alg 1 --crypt 1 --hash 1',
};

/** What a group takes longer than its share: stressors end when they have finished what they are at. */
const TAIL_SECONDS = 90;

export interface StressRequest {
  /** For all groups together. */
  readonly seconds: number;
  /** Of the server on the host that sends back what it gets; none: no load of the network. */
  readonly peerPort?: number | undefined;
  /** Whether there is a disk under `/disk`. */
  readonly disk: boolean;
  readonly groups?: readonly string[] | undefined;
}

export function stressPlan({ seconds, peerPort, disk, groups = Object.keys(GROUPS) }: StressRequest): PlannedTest[] {
  const share = Math.max(1, Math.round(seconds / groups.length));
  const folder = disk ? '/disk' : '/tmp';
  return groups.map((name) => {
    const words = [
      'stress-ng',
      '--verify',
      '--metrics-brief',
      '--no-rand-seed',
      '--timeout',
      `${share}s`,
      '--temp-path',
      folder,
    ];
    const load = ['--hdd', '1', '--hdd-bytes', '8m', GROUPS[name] ?? ''];
    const under = peerPort === undefined ? [] : ['/suites/under-load', String(share), String(peerPort)];
    const command = [...under, ...words, ...load].join(' ');
    return { name: `stress/${name}`, seconds: share + TAIL_SECONDS, folder, command };
  });
}

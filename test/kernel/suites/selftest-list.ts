// SPDX-License-Identifier: Apache-2.0
// Which of the kernel's selftests run. Not here: what needs devices, modules, 32-bit programs, other machines or a setup
// of its own (scripts that bring up bridges and name spaces), what measures and judges nothing, what changes the guest's
// clock, and what takes minutes in the emulator (x86/syscall_numbering: 60,000 stops of a debugger).

export interface Selftest {
  /** Path of the program under tools/testing/selftests. */
  readonly name: string;
  /** Time it may take, when not 45. */
  readonly seconds?: number;
  readonly args?: string;
}

const of = (folder: string, names: string): Selftest[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ name: `${folder}/${name}` }));

export const SELFTESTS: readonly Selftest[] = [
  ...of(
    'x86',
    `amx_64 check_initial_reg_state_64 corrupt_xstate_header_64 fsgsbase_64 fsgsbase_restore_64 ioperm_64 iopl_64 lam_64
     mov_ss_trap_64 nx_stack_64 sigaltstack_64 sigreturn_64 sigtrap_loop_64 single_step_syscall_64
     syscall_nt_64 sysret_rip_64 sysret_ss_attrs_64 test_mremap_vdso_64
     test_shadow_stack_64 test_vsyscall_64`,
  ),
  { name: 'x86/syscall_arg_fault_64', seconds: 10 },
  ...of('sigaltstack', 'sas'),
  ...of(
    'futex/functional',
    `futex_requeue futex_requeue_pi futex_requeue_pi_mismatched_ops futex_requeue_pi_signal_restart futex_wait
     futex_wait_private_mapped_file futex_wait_timeout futex_wait_uninitialized_heap futex_wait_wouldblock futex_waitv`,
  ),
  { name: 'futex/functional/futex_requeue_pi', args: '-b' },
  { name: 'futex/functional/futex_requeue_pi', args: '-b -l' },
  { name: 'futex/functional/futex_requeue_pi', args: '-b -o' },
  ...of('timers', 'nanosleep posix_timers rtcpie'),
  { name: 'timers/inconsistency-check', args: '-t 2' },
  { name: 'timers/threadtest', args: '-t 5' },
  ...of('timens', 'clock_nanosleep exec futex procfs timens timer timerfd vfork_exec'),
  ...of(
    'vDSO',
    `vdso_standalone_test_x86 vdso_test_abi vdso_test_clock_getres vdso_test_correctness
     vdso_test_getcpu vdso_test_getrandom vdso_test_gettimeofday`,
  ),
  ...of(
    'mm',
    `compaction_test cow droppable gup_longterm hugepage-mmap hugepage-mremap hugepage-shm hugetlb-madvise hugetlb_dio
     hugetlb_fault_after_madv hugetlb_madv_vs_map ksm_functional_tests madv_populate map_fixed_noreplace map_hugetlb
     map_populate mdwe_test memfd_secret migration mkdirty mlock-random-test mlock2-tests mrelease_test
     mremap_dontunmap mremap_test mseal_test on-fault-limit pagemap_ioctl pkey_sighandler_tests_64 protection_keys_64
     soft-dirty uffd-unit-tests`,
  ),
  ...of('mincore', 'mincore_selftest'),
  ...of('memfd', 'memfd_test'),
  ...of('breakpoints', 'breakpoint_test'),
  ...of('ptrace', 'get_set_sud get_syscall_info peeksiginfo vmaccess'),
  ...of('seccomp', 'seccomp_bpf'),
  ...of('syscall_user_dispatch', 'sud_test'),
  ...of('perf_events', 'mmap remove_on_exec sigtrap_threads watermark_signal'),
  ...of('rseq', 'basic_test'),
  { name: 'rseq/param_test', args: '-T i -r 100 -t 4' },
  { name: 'rseq/param_test', args: '-T s -r 100 -t 4' },
  { name: 'rseq/param_test', args: '-T s -r 1000 -t 4 -1 100 -6 50' },
  ...of('membarrier', 'membarrier_test_multi_thread membarrier_test_single_thread'),
  ...of('clone3', 'clone3 clone3_clear_sighand clone3_set_tid'),
  ...of('core', 'close_range_test unshare_test'),
  ...of('exec', 'execveat non-regular null-argv recursion-depth'),
  ...of('prctl', 'disable-tsc-test set-anon-vma-name-test set-process-name'),
  ...of('ipc', 'msgque'),
  ...of('kcmp', 'kcmp_test'),
  ...of('filelock', 'ofdlocks'),
  { name: 'filesystems/epoll/epoll_wakeup_test', seconds: 240 },
  ...of('filesystems/eventfd', 'eventfd_test'),
  ...of('pid_namespace', 'regression_enomem'),
  ...of('pidfd', 'pidfd_fdinfo_test pidfd_getfd_test pidfd_open_test pidfd_setns_test pidfd_test pidfd_wait'),
  { name: 'pidfd/pidfd_poll_test', seconds: 180 },
  ...of(
    'proc',
    `fd-001-lookup fd-002-posix-eq fd-003-kthread proc-2-is-kthread proc-empty-vm proc-fsconfig-hidepid
     proc-loadavg-001 proc-multiple-procfs proc-pid-vm proc-self-isnt-kthread proc-self-map-files-001
     proc-self-map-files-002 proc-self-syscall proc-self-wchan proc-subset-pid proc-tid0 proc-uptime-001
     proc-uptime-002 read self setns-dcache setns-sysvipc thread-self`,
  ),
  ...of(
    'net',
    `bind_timewait bind_wildcard epoll_busy_poll ip_local_port_range netlink-dumps psock_fanout psock_tpacket
     reuseaddr_conflict reuseport_addr_any reuseport_bpf reuseport_bpf_cpu reuseport_dualstack sk_bind_sendto_listen
     sk_connect_zero_addr sk_so_peek_off so_incoming_cpu socket tap tls tun`,
  ),
];

/** Few and quick, for the test of this harness and of every kernel: each passes in both rings. */
export const SMOKE = SELFTESTS.filter(({ name }) =>
  /^(sigaltstack\/|futex\/.*\/futex_(requeue|wait|waitv)$|x86\/(nx_stack|sigtrap_loop|single_step_syscall|syscall_nt|sysret_rip)_64$)/.test(
    name,
  ),
);

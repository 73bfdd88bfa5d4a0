// SPDX-License-Identifier: Apache-2.0
/*
 * Uses, once each, what server software expects of a kernel. Prints "ok NAME" or "FAIL NAME (errno)" for each, and ends
 * with the number of those that failed. It runs as root, with a folder /volume on ext4 and /share of the host.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int failed;

static void check(const char *name, int right)
{
	if (right) {
		printf("ok %s\n", name);
		return;
	}
	printf("FAIL %s (%s)\n", name, strerror(errno));
	failed++;
}

/* What takes something from the process that it cannot give back happens in a child. */
static int in_child(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(work() ? 0 : errno ? errno : 1);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 0;
	errno = WEXITSTATUS(status);
	return WEXITSTATUS(status) == 0;
}

static int writes(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT, 0644);
	int right = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return right;
}

static int uses_io_uring(void)
{
	struct io_uring_params parameters = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &parameters);
	struct io_uring_sqe *entries;
	unsigned int *tail, *array, mask;
	char *queue;

	if (ring < 0)
		return 0;
	queue = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * 4, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, parameters.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
		       IORING_OFF_SQES);
	if (queue == MAP_FAILED || entries == MAP_FAILED)
		return 0;
	tail = (unsigned int *)(queue + parameters.sq_off.tail);
	mask = *(unsigned int *)(queue + parameters.sq_off.ring_mask);
	array = (unsigned int *)(queue + parameters.sq_off.array);
	memset(entries, 0, sizeof(*entries));
	entries[0].opcode = IORING_OP_NOP;
	array[*tail & mask] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1;
}

static int uses_aio(void)
{
	aio_context_t context = 0;
	char byte = 'x';
	int file = open("/tmp/aio", O_RDWR | O_CREAT, 0600);
	struct iocb block = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (unsigned int)file, .aio_buf = (unsigned long)&byte, .aio_nbytes = 1 };
	struct iocb *blocks[] = { &block };
	struct io_event event;

	return syscall(SYS_io_setup, 1, &context) == 0 && syscall(SYS_io_submit, context, 1, blocks) == 1 &&
	       syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1 && event.res == 1;
}

static int uses_inotify(void)
{
	char events[1024];
	int watch = inotify_init1(IN_CLOEXEC);

	return inotify_add_watch(watch, "/tmp", IN_CREATE) > 0 && writes("/tmp/noticed", "x") &&
	       read(watch, events, sizeof(events)) > 0;
}

static int uses_fanotify(void)
{
	struct fanotify_event_metadata event;
	int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);

	return watch >= 0 && fanotify_mark(watch, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CLOSE_WRITE, AT_FDCWD, "/tmp") == 0 &&
	       writes("/tmp/watched", "x") && read(watch, &event, sizeof(event)) > 0;
}

static int uses_dnotify(void)
{
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY);

	signal(SIGIO, SIG_IGN);
	return fcntl(folder, F_NOTIFY, DN_CREATE) == 0;
}

static int uses_timerfd(void)
{
	struct itimerspec soon = { .it_value = { .tv_nsec = 1000000 } };
	uint64_t count;
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);

	return timerfd_settime(timer, 0, &soon, NULL) == 0 && read(timer, &count, 8) == 8;
}

static int uses_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int file = signalfd(-1, &set, 0);
	raise(SIGUSR1);
	return read(file, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1;
}

static int uses_eventfd(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int poll = epoll_create1(0), file = eventfd(1, 0);

	return epoll_ctl(poll, EPOLL_CTL_ADD, file, &event) == 0 && epoll_wait(poll, &event, 1, 1000) == 1;
}

static int uses_memfd(void)
{
	int file = memfd_create("x", MFD_ALLOW_SEALING);

	return file >= 0 && ftruncate(file, 4096) == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK) == 0 && ftruncate(file, 0) == -1;
}

static int uses_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int file = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	return file >= 0 && ioctl(file, UFFDIO_API, &api) == 0;
}

static int uses_sysv(void)
{
	int memory = shmget(IPC_PRIVATE, 4096, 0600), semaphores = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600);
	struct sembuf up = { .sem_op = 1 };

	return memory >= 0 && shmat(memory, NULL, 0) != (void *)-1 && semop(semaphores, &up, 1) == 0 && queue >= 0 &&
	       shmctl(memory, IPC_RMID, NULL) == 0 && semctl(semaphores, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0;
}

static int uses_mqueue(void)
{
	mqd_t queue = mq_open("/q", O_RDWR | O_CREAT, 0600, NULL);

	return queue != (mqd_t)-1 && mq_send(queue, "x", 1, 0) == 0 && access("/dev/mqueue/q", F_OK) == 0;
}

static int uses_unix_sockets(void)
{
	int pair[2], passed = open("/dev/null", O_RDONLY);
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec vector = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &passed, sizeof(int));
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 && sendmsg(pair[0], &message, 0) == 1 && recvmsg(pair[1], &message, 0) == 1;
}

static int asks_netlink(int family, const void *request, size_t length)
{
	char answer[8192];
	int netlink = socket(AF_NETLINK, SOCK_RAW, family);
	ssize_t got = -1;

	if (netlink >= 0 && send(netlink, request, length, 0) == (ssize_t)length)
		got = recv(netlink, answer, sizeof(answer), 0);
	close(netlink);
	return got > 0 && ((struct nlmsghdr *)answer)->nlmsg_type != NLMSG_ERROR;
}

static int uses_netlink(void)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg message;
	} links = { { .nlmsg_len = sizeof(links), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, { AF_UNSPEC } };

	return asks_netlink(NETLINK_ROUTE, &links, sizeof(links));
}

static int uses_diag(void)
{
	struct {
		struct nlmsghdr header;
		struct {
			unsigned char family, protocol, extensions, pad;
			unsigned int states;
			char id[48];
		} request;
	} sockets = { { .nlmsg_len = sizeof(sockets), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, { AF_INET, IPPROTO_TCP, 0, 0, -1U, { 0 } } };

	return asks_netlink(NETLINK_SOCK_DIAG, &sockets, sizeof(sockets));
}

static int uses_tun(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun;

	mkdir("/dev/net", 0755);
	if (access("/dev/net/tun", F_OK) != 0)
		mknod("/dev/net/tun", S_IFCHR | 0666, 10 << 8 | 200);
	tun = open("/dev/net/tun", O_RDWR);
	return tun >= 0 && ioctl(tun, TUNSETIFF, &request) == 0;
}

static int uses_ipv6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int listener = socket(AF_INET6, SOCK_STREAM, 0);

	return bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0;
}

static int uses_multicast(void)
{
	struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xe00000fb), .imr_ifindex = 1 };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	return setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0;
}

static int uses_overlay(void)
{
	mkdir("/tmp/o", 0755);
	return mount("tmpfs", "/tmp/o", "tmpfs", 0, "") == 0 && mkdir("/tmp/o/l", 0755) == 0 && mkdir("/tmp/o/u", 0755) == 0 &&
	       mkdir("/tmp/o/w", 0755) == 0 && mkdir("/tmp/o/m", 0755) == 0 && writes("/tmp/o/l/file", "x") &&
	       mount("overlay", "/tmp/o/m", "overlay", 0, "lowerdir=/tmp/o/l,upperdir=/tmp/o/u,workdir=/tmp/o/w") == 0 &&
	       unlink("/tmp/o/m/file") == 0 && access("/tmp/o/l/file", F_OK) == 0;
}

/* An access list of one user: linux/posix_acl_xattr.h, version 2. */
static int takes_acl(const char *path)
{
	static const unsigned char list[] = {
		2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 33, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
		16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255,
	};

	return writes(path, "x") && setxattr(path, "system.posix_acl_access", list, sizeof(list), 0) == 0;
}

static int uses_ext4(void)
{
	return takes_acl("/volume/file") && setxattr("/volume/file", "user.x", "y", 1, 0) == 0 &&
	       setxattr("/volume/file", "trusted.x", "y", 1, 0) == 0;
}

static int uses_tmpfs(void)
{
	return takes_acl("/dev/shm/file") && setxattr("/dev/shm/file", "trusted.x", "y", 1, 0) == 0;
}

static int uses_share(void)
{
	return writes("/share/file", "from the guest") && rename("/share/file", "/share/other") == 0;
}

static int enters_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME) != 0)
		return 0;
	return sethostname("inner", 5) == 0;
}

static int enters_user_namespace(void)
{
	/* A process that has changed its user cannot write to its own /proc. */
	return setresuid(1000, 1000, 1000) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && unshare(CLONE_NEWUSER) == 0 && writes("/proc/self/uid_map", "0 1000 1\n") && getuid() == 0;
}

static int uses_cgroups(void)
{
	return mkdir("/sys/fs/cgroup/x", 0755) == 0 && writes("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids +cpu +cpuset") &&
	       writes("/sys/fs/cgroup/x/memory.max", "33554432") && writes("/sys/fs/cgroup/x/pids.max", "10") &&
	       writes("/sys/fs/cgroup/x/cpu.max", "50000 100000") && rmdir("/sys/fs/cgroup/x") == 0;
}

static int filters_system_calls(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &(unsigned int){ SECCOMP_RET_ERRNO }) == 0;
}

static int has_no_bpf(void)
{
	union bpf_attr attributes = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)) == -1 && errno == ENOSYS;
}

static int limits_files_by_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int file = open("/volume/lock", O_RDWR | O_CREAT, 0600);

	return fcntl(file, F_OFD_SETLK, &lock) == 0 && fallocate(file, 0, 0, 65536) == 0;
}

int main(void)
{
	static const struct {
		const char *name;
		int (*use)(void);
	} uses[] = {
		{ "io_uring", uses_io_uring },
		{ "aio", uses_aio },
		{ "inotify", uses_inotify },
		{ "fanotify", uses_fanotify },
		{ "dnotify", uses_dnotify },
		{ "timerfd", uses_timerfd },
		{ "signalfd", uses_signalfd },
		{ "eventfd and epoll", uses_eventfd },
		{ "memfd", uses_memfd },
		{ "userfaultfd", uses_userfaultfd },
		{ "System V IPC", uses_sysv },
		{ "POSIX queues", uses_mqueue },
		{ "unix sockets", uses_unix_sockets },
		{ "netlink", uses_netlink },
		{ "lists of sockets", uses_diag },
		{ "TUN", uses_tun },
		{ "IPv6", uses_ipv6 },
		{ "multicast", uses_multicast },
		{ "overlayfs", uses_overlay },
		{ "ext4", uses_ext4 },
		{ "locks and fallocate", limits_files_by_locks },
		{ "tmpfs", uses_tmpfs },
		{ "a shared folder", uses_share },
		{ "namespaces", enters_namespaces },
		{ "user namespaces", enters_user_namespace },
		{ "cgroup v2", uses_cgroups },
		{ "seccomp", filters_system_calls },
		{ "no BPF", has_no_bpf },
	};

	mkdir("/tmp", 01777);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		errno = 0;
		check(uses[i].name, in_child(uses[i].use));
		fflush(stdout);
	}
	return failed;
}

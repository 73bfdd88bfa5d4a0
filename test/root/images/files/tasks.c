// SPDX-License-Identifier: Apache-2.0
// Threads, a process with a pipe, a mapped file, a name of /etc/passwd, a timer: what a small server does.
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;

static void *add(void *unused) {
  for (int i = 0; i < 10000; i++) {
    pthread_mutex_lock(&lock);
    total++;
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

static void threads(void) {
  pthread_t all[8];
  for (int i = 0; i < 8; i++) pthread_create(&all[i], NULL, add, NULL);
  for (int i = 0; i < 8; i++) pthread_join(all[i], NULL);
  printf("threads 8 added %ld\n", total);
}

static void child(void) {
  int ends[2], status;
  char piece[4096];
  long got = 0, size;
  if (pipe(ends) != 0) exit(100);
  fflush(stdout);
  if (fork() == 0) {
    char *bytes = calloc(1, 1000000);
    close(ends[0]);
    for (long left = 1000000, n; left > 0; left -= n)
      if ((n = write(ends[1], bytes, left)) < 0) _exit(99);
    _exit(3);
  }
  close(ends[1]);
  while ((size = read(ends[0], piece, sizeof piece)) > 0) got += size;
  wait(&status);
  printf("child wrote %ld bytes, left %d\n", got, WEXITSTATUS(status));
}

static void file(void) {
  char name[] = "/tmp-XXXXXX", page[4096], again[4096];
  int fd = mkstemp(name);
  memset(page, 'x', sizeof page);
  if (fd < 0 || write(fd, page, sizeof page) != sizeof page) exit(101);
  char *mapped = mmap(NULL, sizeof page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) exit(102);
  mapped[7] = 'y';
  msync(mapped, sizeof page, MS_SYNC);
  if (pread(fd, again, sizeof again, 0) != sizeof again || again[7] != 'y' || again[8] != 'x') exit(103);
  unlink(name);
  printf("file 4096 bytes, mapped and read back\n");
}

static int interpreter(struct dl_phdr_info *info, size_t size, void *found) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum && *(const char **)found == NULL; i++)
    if (info->dlpi_phdr[i].p_type == PT_INTERP)
      *(const char **)found = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  return 0;
}

int main(void) {
  const char *loader = NULL;
  dl_iterate_phdr(interpreter, &loader);
  printf("interpreter %s\n", loader ? loader : "none");
  threads();
  child();
  file();
  struct passwd *root = getpwnam("root");
  printf("root is %s\n", root && getuid() == root->pw_uid ? root->pw_name : "another");
  struct timespec before, after, nap = {.tv_nsec = 50000000};
  clock_gettime(CLOCK_MONOTONIC, &before);
  nanosleep(&nap, NULL);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  printf("%s\n", ms >= 50 ? "slept" : "woke too early");
  return 6;
}

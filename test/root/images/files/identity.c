// SPDX-License-Identifier: Apache-2.0
// Says who and where it is, what it may read, and which arguments it got. `--exit=N` is its exit status.
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int by_number(const void *a, const void *b) {
  gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;
  return x < y ? -1 : x > y;
}

static int certificates(const char *path) {
  FILE *file = fopen(path, "r");
  char line[256];
  int count = 0;
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL) count += strncmp(line, "-----BEGIN CERTIFICATE", 22) == 0;
  fclose(file);
  return count;
}

int main(int argc, char **argv) {
  struct passwd *user = getpwuid(getuid());
  gid_t groups[32];
  int count = getgroups(32, groups), status = 0;
  char text[256] = "";

  // Engines differ in whether the primary group is listed too.
  int listed = 0;
  for (int i = 0; i < count; i++) listed |= groups[i] == getgid();
  if (!listed && count < 32) groups[count++] = getgid();
  qsort(groups, count, sizeof *groups, by_number);
  printf("user %s %d:%d, groups", user ? user->pw_name : "?", getuid(), getgid());
  for (int i = 0; i < count; i++) printf(" %d", groups[i]);
  printf("\nin %s, home %s\n", getcwd(text, sizeof text), user ? user->pw_dir : "?");
  printf("GREETING %s\n", getenv("GREETING"));
  for (int i = 1; i < argc; i++) {
    printf("argument %s\n", argv[i]);
    if (strncmp(argv[i], "--exit=", 7) == 0) status = atoi(argv[i] + 7);
  }
  FILE *secret = fopen("secret", "r");
  printf("secret: %s", secret && fgets(text, sizeof text, secret) ? text : "none\n");
  FILE *other = fopen("/etc/forbidden", "r");
  printf("forbidden: %s\n", other ? "readable" : strerror(errno));
  printf("certificates: %s\n", certificates(getenv("SSL_CERT_FILE")) > 100 ? "more than 100" : "few");
  time_t summer = 1782907200; // 2026-07-01 12:00 UTC
  strftime(text, sizeof text, "%Z", localtime(&summer));
  printf("summer in Lisbon: %s\n", text);
  return status;
}

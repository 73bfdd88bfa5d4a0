// SPDX-License-Identifier: Apache-2.0
import type { Check } from '../recipe.ts';

/** Engines put their own there; `uk build` adds /etc/uk. */
const NOT_OF_THE_IMAGE = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/mtab', '/etc/uk', '/etc/uk/*']
  .map((path) => `! -path '${path}'`)
  .join(' ');

/** The files of packages are what the packages say, and everything else is as podman has it. */
export const TREE: Check = {
  title: 'the files, owners and modes of its packages',
  entrypoint: '/bin/sh',
  // The number of links of a folder is the file system's affair.
  args: [
    '-c',
    `dpkg --verify | grep -v /usr/share/man
     find /etc /opt /srv /usr /var -xdev ${NOT_OF_THE_IMAGE} -printf '%p %y %m %U:%G %n %l\n' |
       sed 's/ d \\(.*\\) [0-9]* $/ d \\1/' | LC_ALL=C sort | md5sum
     find /etc /usr/bin /var/lib/dpkg -xdev -type f ${NOT_OF_THE_IMAGE} -print0 | LC_ALL=C sort -z | xargs -0 md5sum | md5sum`,
  ],
  sameStdout: true,
};

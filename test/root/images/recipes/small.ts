// SPDX-License-Identifier: Apache-2.0
// Images of a few megabytes, made without running anything of a package: part of `npm test`.
import type { Recipe } from '../recipe.ts';

const busybox: Recipe = {
  name: 'busybox',
  shows: 'a shell with pipes, several layers of one folder, whiteouts',
  from: 'scratch',
  steps: [
    { unpack: ['busybox-static'] },
    { files: [{ path: '/bin/sh', link: 'busybox' }] },
    { run: 'mkdir -p /tmp /usr/bin /usr/sbin /sbin && chmod 1777 /tmp && /bin/busybox --install -s' },
    { remove: ['/usr/share/doc', '/usr/share/man'] },
    {
      files: [
        { path: '/usr/share/doc/note', text: 'a folder that was removed below is back\n' },
        { path: '/etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\nworker:x:1000:1000::/home/worker:/bin/sh\n' },
        { path: '/etc/group', text: 'root:x:0:\nworker:x:1000:\n' },
        { path: '/home/worker/words', text: 'pear\napple\nfig\n', mode: '600', owner: '1000:1000' },
      ],
    },
  ],
  config: { Cmd: ['sh'], Env: { PATH: '/sbin:/usr/sbin:/bin:/usr/bin' }, User: 'worker', WorkingDir: '/home/worker' },
  checks: [
    {
      title: 'pipes',
      args: ['sh', '-c', "seq 1 10000 | grep 77 | sort -rn | head -n 3 | tr '\\n' ' '; cat words | sort | head -n 1"],
      stdout: '9977 9877 9779 apple\n',
    },
    {
      title: 'standard input and the status of a script',
      input: 'read them all\nexit $(( $(seq 1 100000 | wc -l) / 10000 ))\n',
      stdout: '',
      status: 10,
    },
    {
      title: 'a pipe whose reader leaves, a killed child',
      args: ['sh', '-c', "yes | head -n 2; sh -c 'kill -9 $$'; exit $?"],
      stdout: 'y\ny\n',
      status: 137,
    },
    {
      title: 'what whiteouts and owners left',
      args: [
        'sh',
        '-c',
        'id -un; pwd; find /home /usr/share/doc -exec stat -c "%A %u:%g %n" {} + | sort -k 3; ls -d /usr/share/man',
      ],
      stdout: [
        'worker',
        '/home/worker',
        'drwxr-xr-x 0:0 /home',
        'drwxr-xr-x 0:0 /home/worker',
        '-rw------- 1000:1000 /home/worker/words',
        'drwxr-xr-x 0:0 /usr/share/doc',
        '-rw-r--r-- 0:0 /usr/share/doc/note',
        '',
      ].join('\n'),
      status: 1,
    },
  ],
  small: true,
};

const distroless: Recipe = {
  name: 'distroless',
  shows: 'no shell: one program, its libraries, certificates, and a user by name',
  from: 'scratch',
  steps: [
    {
      unpack: ['libc6', 'ca-certificates', 'base-files', 'tzdata'],
      finish: `
        mkdir -p etc/ssl/certs
        cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
        rm -rf usr/share/doc usr/share/man usr/share/ca-certificates usr/sbin usr/share/bug usr/share/lintian sbin`,
    },
    {
      files: [
        {
          path: '/etc/passwd',
          text: 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n',
        },
        { path: '/etc/group', text: 'root:x:0:\ntape:x:26:nonroot\nnonroot:x:65532:\n' },
        { path: '/etc/forbidden', text: 'only for root\n', mode: '400' },
        { path: '/home/nonroot/secret', text: 'only for its owner\n', mode: '400', owner: '65532:65532' },
      ],
    },
    { files: [{ path: '/app/identity', compile: 'identity.c', compiler: 'gcc' }] },
  ],
  config: {
    Entrypoint: ['/app/identity'],
    Cmd: ['default argument'],
    Env: { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt', GREETING: 'good day', TZ: 'Europe/Lisbon' },
    User: 'nonroot',
    WorkingDir: '/home/nonroot',
    Labels: { 'org.example.kind': 'distroless' },
  },
  checks: [
    {
      title: 'who and where it is, by the files of the image',
      stdout: [
        'user nonroot 65532:65532, groups 26 65532',
        'in /home/nonroot, home /home/nonroot',
        'GREETING good day',
        'argument default argument',
        'secret: only for its owner',
        'forbidden: Permission denied',
        'certificates: more than 100',
        'summer in Lisbon: WEST',
        '',
      ].join('\n'),
    },
    {
      title: 'arguments instead of its own',
      args: ['with space', '', "quote'd", '--exit=42'],
      stdout: /^user nonroot[\s\S]*\nargument with space\nargument \nargument quote'd\nargument --exit=42\n/,
      status: 42,
    },
    { title: 'there is no shell', entrypoint: '/bin/sh', args: ['-c', 'true'], stdout: '', status: 127 },
  ],
  small: true,
};

const musl: Recipe = {
  name: 'musl',
  shows: "Alpine's libc and loader, dynamically linked",
  from: 'scratch',
  steps: [
    { unpack: ['musl'], finish: 'rm -rf usr/share' },
    { files: [{ path: '/usr/bin/tasks', compile: 'tasks.c', compiler: 'musl-gcc' }] },
    { files: [{ path: '/etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\n' }] },
  ],
  config: { Entrypoint: ['/usr/bin/tasks'], Env: { PATH: '/usr/bin' } },
  checks: [
    {
      title: 'threads, processes, a pipe, files, time',
      stdout: [
        'interpreter /lib/ld-musl-x86_64.so.1',
        'threads 8 added 80000',
        'child wrote 1000000 bytes, left 3',
        'file 4096 bytes, mapped and read back',
        'root is root',
        'slept',
        '',
      ].join('\n'),
      status: 6,
    },
  ],
  small: true,
};

const perl: Recipe = {
  name: 'perl',
  shows: 'a language with many small files and loaded objects, without a shell',
  from: 'scratch',
  steps: [
    { unpack: ['libc6', 'libcrypt1', 'base-files'], finish: 'rm -rf usr/share/doc' },
    {
      unpack: [
        'perl-base',
        'perl',
        'perl-modules-5.36',
        'libperl5.36',
        'libdb5.3',
        'libgdbm6',
        'libgdbm-compat4',
        'zlib1g',
        'libbz2-1.0',
      ],
    },
    { remove: ['/usr/share/doc', '/usr/share/man'] },
    { files: [{ path: '/app/tasks.pl', copy: 'tasks.pl' }] },
  ],
  config: { Entrypoint: ['/usr/bin/perl'], Cmd: ['/app/tasks.pl'], WorkingDir: '/app', Env: { PERL_HASH_SEED: '0' } },
  checks: [
    {
      title: 'processes, pipes, sockets, modules, Unicode',
      input: 'the quick brown fox jumps over the lazy dog the end\n',
      stdout: [
        'words: the=3 brown=1 dog=1',
        'sha256 b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
        'children: 1 4 9 16 25',
        'socket: OLLEH',
        'compressed 100000 to less than 1000 and back',
        'grüße in 5 characters',
        '',
      ].join('\n'),
    },
    { title: 'a program that dies', args: ['-e', 'die "no more\\n"'], stdout: '', status: 255 },
    {
      title: 'an exit status',
      args: ['-e', '$| = 1; print "x" x 300000; exit 9'],
      stdout: 'x'.repeat(300_000),
      status: 9,
    },
  ],
  small: true,
};

export const SMALL: readonly Recipe[] = [busybox, distroless, musl, perl];

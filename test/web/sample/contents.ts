// SPDX-License-Identifier: Apache-2.0
// What stands in the sample's images: nothing that runs, but of the sizes and shapes of what does.
import { createHash } from 'node:crypto';

/** Bytes that no compression makes smaller, the same every time. */
export function noise(seed: string, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let bytes = 0, at = 0; bytes < size; bytes += 32, at++) {
    pieces.push(createHash('sha256').update(`${seed} ${at}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, size);
}

const WORDS =
  'PVH VIRTIO_BLK VIRTIO_NET VIRTIO_CONSOLE NET INET IPV6 UNIX EPOLL FUTEX TIMERFD EVENTFD SIGNALFD AIO'.split(' ');
const MORE =
  'EXT4_FS EROFS_FS TMPFS OVERLAY_FS PROC_FS SYSFS SERIAL_8250 HZ_1000 NO_HZ_IDLE PREEMPT_NONE SMP X86_64 64BIT MMU'.split(
    ' ',
  );
const OFF =
  'MODULES BPF_SYSCALL SOUND DRM USB WLAN BT NFS_FS XFS_FS BTRFS_FS KEXEC HIBERNATION DEBUG_INFO FTRACE'.split(' ');

export function kconfig(extra: readonly string[] = []): string {
  const lines = ['#', '# Linux/x86 6.12.117 Kernel Configuration', '#'];
  for (const name of [...WORDS, ...MORE, 'RING0_USER', ...extra]) lines.push(`CONFIG_${name}=y`);
  for (const name of OFF) lines.push(`# CONFIG_${name} is not set`);
  for (let at = 0; at < 180; at++) lines.push(`# CONFIG_DRIVER_${at} is not set`);
  lines.push('CONFIG_LOCALVERSION="-uk"', 'CONFIG_NR_CPUS=64', 'CONFIG_LOG_BUF_SHIFT=17');
  return `${lines.join('\n')}\n`;
}

/** As `uk kernel build` writes it. */
export function kernelJson(version: string): string {
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return JSON.stringify({
    version,
    variant: 'default',
    fragments: ['base', 'guest', 'ring0', 'smp', 'virtio-mmio', 'console', 'net', 'ipv6'],
    guestContract: 2,
    key: digest(version),
    sources: {
      linux: digest('linux'),
      patches: digest('patches'),
      fragments: digest('fragments'),
      init: digest('init'),
      compiler: 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0',
      linker: 'GNU ld (GNU Binutils for Debian) 2.40',
      libc: digest('libc'),
      guestContract: 2,
      builder: 3,
    },
  });
}

export function program(name: string, version: string, size: number): Buffer {
  const head = Buffer.from(`\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0 ${name} ${version} `, 'latin1');
  return Buffer.concat([head, noise(`${name} ${version}`, size)]);
}

export const README = `# Shop front

Serves the shop's pages as a **unikernel**: nginx with Linux in ring 0, nothing else.

| setting | default | meaning |
| --- | --- | --- |
| \`SHOP_API\` | \`http://cart:8080\` | where the cart answers |
| \`WORKERS\` | \`1\` | processes of nginx |

## Running it

\`\`\`sh
uk run -p 8080:80 -e SHOP_API=http://10.0.0.2:8080 registry.example.com/shop/web:1.2.0
\`\`\`

The port answers some tenths of a second after that. See the [handbook](https://shop.example/handbook).
`;

export function spdx(packages: readonly [name: string, version: string, license: string][]): string {
  return JSON.stringify({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: 'shop/web',
    documentNamespace: 'https://shop.example/spdx/web',
    creationInfo: { created: '2026-05-28T12:00:00Z', creators: ['Tool: sample'] },
    packages: packages.map(([name, version, license], at) => ({
      SPDXID: `SPDXRef-${at}`,
      name,
      versionInfo: version,
      downloadLocation: 'NOASSERTION',
      licenseConcluded: license,
      licenseDeclared: license,
      externalRefs: [
        {
          referenceCategory: 'PACKAGE-MANAGER',
          referenceType: 'purl',
          referenceLocator: `pkg:deb/debian/${name}@${version}?arch=amd64`,
        },
      ],
    })),
  });
}

export function statement(digest: string): string {
  return JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'shop/web', digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: { buildType: 'https://shop.example/build/uk', externalParameters: { app: '/usr/sbin/nginx' } },
      runDetails: { builder: { id: 'https://shop.example/builder' }, metadata: { invocationId: '4711' } },
    },
  });
}

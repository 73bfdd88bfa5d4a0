// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEDIA_TYPE } from '../../../image-format/index.ts';
import { kconfig, kernelJson, noise, program, README, spdx, statement } from './contents.ts';
import type { Files, HttpPusher, Layered, Pushed } from './pusher.ts';
import { rawTar } from './raw-tar.ts';

const ROLE = 'vnd.uk.layer.role';
const MIB = 1024 * 1024;
const profile = readFileSync(join(import.meta.dirname, '../../../hardware-profiles/qemu-microvm.json'), 'utf8');
const certificate = readFileSync(join(import.meta.dirname, 'release.pem'), 'utf8');

const SKELETON: Files = {
  dev: { type: 'directory', mode: 0o755 },
  proc: { type: 'directory', mode: 0o755 },
  tmp: { type: 'directory', mode: 0o1777 },
  bin: { type: 'symlink', mode: 0o777, linkname: 'usr/bin' },
  lib64: { type: 'symlink', mode: 0o777, linkname: 'usr/lib64' },
};

/** A registry as a shop could have it: unikernels that share a kernel, a base image, a chart, and what is left over. */
export async function pushSample(push: HttpPusher): Promise<void> {
  await shop(push);
  await gateway(push);
  await base(push);
  await others(push);
}

function kernel(push: HttpPusher, repository: string, version = '6.12.117', extra: string[] = []): Promise<Layered> {
  return push.layer(
    repository,
    {
      'boot/vmlinux': { mode: 0o644, source: { bytes: noise(`vmlinux ${version}`, 2.3 * MIB) } },
      'boot/config': kconfig(extra),
      'boot/kernel.json': kernelJson(version),
      'boot/profile.json': profile,
    },
    { [ROLE]: 'kernel' },
  );
}

interface Unikernel {
  repository: string;
  tags: string[];
  program: string;
  version: string;
  kernel: Layered;
  libraries: Files;
  config?: Files;
  annotations?: Record<string, string>;
  environment?: string[];
  created: string;
}

async function unikernel(push: HttpPusher, it: Unikernel): Promise<Pushed> {
  const { repository } = it;
  const deps = await push.layer(repository, { ...SKELETON, ...it.libraries }, { [ROLE]: 'deps' });
  const app = await push.layer(
    repository,
    {
      [`usr/sbin/${it.program}`]: { mode: 0o755, source: { bytes: program(it.program, it.version, 900_000) } },
      'etc/nginx/nginx.conf': `worker_processes 1;\nevents { worker_connections ${it.version === '1.2.0' ? 1024 : 512}; }\nhttp {\n  include mime.types;\n  server { listen 80; root /var/www; }\n}\n`,
      'var/www/index.html': `<!doctype html>\n<title>Shop ${it.version}</title>\n<h1>Welcome to the shop</h1>\n`,
    },
    { [ROLE]: 'app' },
  );
  const config = await push.layer(
    repository,
    { 'etc/uk/guest.json': '{"console":"ttyS0"}\n', ...it.config },
    { [ROLE]: 'config' },
  );
  return push.image(repository, it.tags, [it.kernel, deps, app, config], {
    created: it.created,
    config: {
      Entrypoint: [`/usr/sbin/${it.program}`],
      Cmd: ['-g', 'daemon off;'],
      Env: ['PATH=/usr/sbin:/usr/bin', ...(it.environment ?? [])],
      ExposedPorts: { '80/tcp': {} },
      WorkingDir: '/',
      StopSignal: 'SIGQUIT',
      Labels: { 'vnd.uk.layer.roles': 'kernel,deps,app,config' },
    },
    annotations: {
      'vnd.uk.image.version': '1',
      'vnd.uk.profile': 'qemu-microvm',
      'vnd.uk.kernel.variant': 'default',
      ...it.annotations,
    },
  });
}

async function shop(push: HttpPusher): Promise<void> {
  const libc = {
    'usr/lib/libc.so.6': program('libc', '2.36', 1_900_000),
    'usr/lib64/ld-linux-x86-64.so.2': program('ld', '2.36', 210_000),
  };
  const about = {
    'org.opencontainers.image.title': 'Shop front',
    'org.opencontainers.image.description': 'The pages of the shop, served by nginx as a unikernel.',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.source': 'https://git.shop.example/web',
    'vnd.uk.readme': README,
  };
  const versions = [
    ['1.0.0', '6.12.110', '2026-03-02T10:00:00Z'],
    ['1.1.0', '6.12.117', '2026-05-04T10:00:00Z'],
    ['1.2.0', '6.12.117', '2026-05-28T12:00:00Z'],
  ] as const;
  for (const [version, linux, created] of versions) {
    const newest = version === '1.2.0';
    const image = await unikernel(push, {
      repository: 'shop/web',
      tags: version === '1.0.0' ? [version] : [version, 'latest'],
      program: 'nginx',
      version,
      kernel: await kernel(push, 'shop/web', linux, linux === '6.12.117' ? ['IO_URING', 'VIRTIO_FS'] : []),
      libraries: {
        ...libc,
        'usr/lib/libssl.so.3': program('libssl', newest ? '3.0.15' : '3.0.11', 670_000),
        'usr/lib/libpcre2-8.so.0': program('pcre2', '10.42', 620_000),
      },
      environment: newest ? ['SHOP_API=http://cart:8080', 'WORKERS=1'] : ['SHOP_API=http://cart:8080'],
      annotations: about,
      created,
    });
    await sign(push, 'shop/web', image);
    await describeImage(push, 'shop/web', image, newest ? '3.0.15-1' : '3.0.11-1');
  }
  for (const [repository, name] of [
    ['shop/cart', 'cartd'],
    ['shop/search', 'searchd'],
    ['edge/cache', 'cached'],
  ] as const) {
    await unikernel(push, {
      repository,
      tags: ['0.9.1', '1.0.0'],
      program: name,
      version: '1',
      kernel: await kernel(push, repository, '6.12.117', ['IO_URING', 'VIRTIO_FS']),
      libraries: libc,
      created: '2026-05-20T08:00:00Z',
    });
  }
}

async function sign(push: HttpPusher, repository: string, subject: Pushed): Promise<void> {
  await push.artifact(
    repository,
    'application/vnd.dev.cosign.artifact.sig.v1+json',
    [
      {
        type: 'application/vnd.dev.cosign.simplesigning.v1+json',
        content: JSON.stringify({
          critical: {
            identity: { 'docker-reference': `registry.example.com/${repository}` },
            image: { 'docker-manifest-digest': subject.digest },
            type: 'cosign container image signature',
          },
          optional: null,
        }),
        annotations: {
          'dev.cosignproject.cosign/signature': 'MEUCIQ==',
          'dev.sigstore.cosign/certificate': certificate,
        },
      },
    ],
    { subject, annotations: { 'org.opencontainers.image.created': '2026-05-28T12:05:00Z' } },
  );
}

async function describeImage(push: HttpPusher, repository: string, subject: Pushed, libssl: string): Promise<void> {
  const packages: [string, string, string][] = [
    ['nginx', '1.22.1-9', 'BSD-2-Clause'],
    ['libc6', '2.36-9', 'LGPL-2.1-or-later'],
    ['libssl3', libssl, 'Apache-2.0'],
    ['libpcre2-8-0', '10.42-1', 'BSD-3-Clause'],
    ['zlib1g', '1:1.2.13', 'Zlib'],
  ];
  const sbom = await push.artifact(
    repository,
    'application/spdx+json',
    [{ type: 'application/spdx+json', content: spdx(packages) }],
    { subject, annotations: { 'org.opencontainers.image.created': '2026-05-28T12:04:00Z' } },
  );
  await sign(push, repository, sbom);
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(statement(subject.digest)).toString('base64'),
    signatures: [{ keyid: '', sig: 'MEUCIQ==' }],
  };
  await push.artifact(
    repository,
    'application/vnd.dsse.envelope.v1+json',
    [
      {
        type: 'application/vnd.dsse.envelope.v1+json',
        content: JSON.stringify(envelope),
        annotations: { predicateType: 'https://slsa.dev/provenance/v1' },
      },
    ],
    { subject, annotations: { predicateType: 'https://slsa.dev/provenance/v1' } },
  );
}

/** One tag for several hardware profiles. */
async function gateway(push: HttpPusher): Promise<void> {
  const repository = 'edge/gateway';
  const children: Record<string, unknown>[] = [];
  for (const name of ['qemu-microvm', 'qemu-q35', 'firecracker']) {
    const image = await unikernel(push, {
      repository,
      tags: [],
      program: 'gatewayd',
      version: name,
      kernel: await kernel(push, repository, '6.12.117', [`PROFILE_${name.toUpperCase().replaceAll('-', '_')}`]),
      libraries: { 'usr/lib/libc.so.6': program('libc', '2.36', 1_900_000) },
      annotations: { 'vnd.uk.profile': name },
      created: '2026-05-22T08:00:00Z',
    });
    children.push({
      ...image,
      platform: { os: 'linux', architecture: 'amd64' },
      annotations: { 'vnd.uk.profile': name },
    });
  }
  await push.manifest(repository, ['2.0.0'], { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: children });
}

/** An ordinary container image, as a builder makes it. */
async function base(push: HttpPusher): Promise<void> {
  const repository = 'base/debian';
  const images: Record<string, unknown>[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const layers = [
      await push.layer(repository, {
        ...SKELETON,
        'etc/debian_version': '12.9\n',
        'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
        'usr/bin/bash': { mode: 0o755, source: { bytes: program('bash', architecture, 1_200_000) } },
        'usr/bin/su': { mode: 0o4755, source: { bytes: program('su', architecture, 70_000) } },
        'usr/share/doc/bash/README': noise(`doc ${architecture}`, 300_000),
        'var/lib/dpkg/status': 'Package: bash\nStatus: install ok installed\n\n'.repeat(400),
      }),
      await push.rawLayer(repository, rawTar([{ path: 'usr/share/doc/.wh.bash' }])),
      await push.layer(repository, {
        'etc/debian_version': '12.10\n',
        'usr/bin/curl': { mode: 0o755, source: { bytes: program('curl', architecture, 400_000) } },
      }),
    ];
    const image = await push.image(repository, architecture === 'amd64' ? ['12.10-amd64'] : [], layers, {
      architecture,
      created: '2026-05-12T00:00:00Z',
      config: { Cmd: ['bash'], Env: ['PATH=/usr/bin:/bin'] },
      history: [
        { created: '2026-05-11T00:00:00Z', created_by: 'mmdebstrap --variant=minbase bookworm' },
        { created: '2026-05-12T00:00:00Z', created_by: 'RUN rm -rf /usr/share/doc/bash' },
        { created: '2026-05-12T00:00:00Z', created_by: 'ENV PATH=/usr/bin:/bin', empty_layer: true },
        { created: '2026-05-12T00:00:00Z', created_by: 'RUN apt-get install -y curl' },
      ],
    });
    images.push({ ...image, platform: { os: 'linux', architecture } });
  }
  await push.manifest(repository, ['12.10', '12'], {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: images,
  });
}

async function others(push: HttpPusher): Promise<void> {
  const chart = {
    apiVersion: 'v2',
    name: 'shop',
    version: '1.4.0',
    appVersion: '1.2.0',
    description: 'The whole shop',
  };
  await push.manifest('charts/shop', ['1.4.0'], {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await push.blob('charts/shop', JSON.stringify(chart), 'application/vnd.cncf.helm.config.v1+json'),
    layers: [
      await push.blob('charts/shop', noise('chart', 9000), 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'),
    ],
    annotations: { 'org.opencontainers.image.title': 'shop' },
  });
  await push.artifact(
    'tools/schema',
    'application/vnd.shop.schema',
    [
      {
        type: 'application/json',
        content: '{"type":"object"}',
        annotations: { 'org.opencontainers.image.title': 'order.schema.json' },
      },
    ],
    { tags: ['2'] },
  );
  const left = await push.image('tools/old', ['1'], [await push.layer('tools/old', { 'a/file': 'left' })]);
  await push.remove('tools/old', left.digest);
  await push.image('tools/unnamed', [], [await push.layer('tools/unnamed', { 'a/file': 'unnamed' })]);
}

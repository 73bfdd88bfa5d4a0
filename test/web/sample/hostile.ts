// SPDX-License-Identifier: Apache-2.0
// What somebody could push to harm those who look at it.
import { digestOf, MEDIA_TYPE } from '../../../image-format/index.ts';
import type { HttpPusher, Pushed } from './pusher.ts';
import { rawTar } from './raw-tar.ts';

/** Sets `window.harmed` where it is run. */
export const SCRIPT = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';
export const TURNED = 'photo\u202egnp.exe';
const LONG = 'x'.repeat(1_000_000);

export const HOSTILE = 'hostile/everything';

export async function pushHostile(push: HttpPusher): Promise<void> {
  await texts(push);
  await strangeLayers(push);
  await manyLayers(push);
  await manyPlatforms(push);
  await manyTags(push);
}

async function texts(push: HttpPusher): Promise<void> {
  const tar = rawTar([
    { path: 'a/<script>window.harmed=1<_script>', content: SCRIPT },
    { path: `a/${TURNED}`, content: 'right to left' },
    { path: 'a/\x1b[31mred', content: '\x1b]0;title\x07\u2028\u202e' },
    { path: `a/${'n'.repeat(255)}`, content: '' },
    { path: `a/javascript:window.harmed=1`, content: 'name' },
    { path: 'a/link', type: 'SymbolicLink', linkpath: 'javascript:window.harmed=1//"><script>' },
    { path: 'a/page.html', content: `<!doctype html>${SCRIPT}` },
    { path: 'a/..%2f..%2fetc?x#y&z', content: 'odd' },
  ]);
  const annotations = {
    'org.opencontainers.image.title': SCRIPT,
    'org.opencontainers.image.description': `${TURNED} ${SCRIPT}`,
    'org.opencontainers.image.licenses': '"><svg onload=window.harmed=1>',
    'org.opencontainers.image.source': 'javascript:window.harmed=1',
    'org.opencontainers.image.url': 'data:text/html,<script>window.harmed=1</script>',
    'vnd.uk.readme': `# ${SCRIPT}\n\n[click](javascript:window.harmed=1) ![x](x" onerror="window.harmed=1)\n\n<div hx-get="/v2/" hx-trigger="load">\n\n${TURNED}\n\n[ref]: javascript:window.harmed=1\n[ref]\n\n${'['.repeat(5000)}`,
    'vnd.uk.profile': SCRIPT,
    'vnd.uk.kernel.variant': TURNED,
    [SCRIPT]: SCRIPT,
    [`long ${'n'.repeat(2000)}`]: LONG,
  };
  const image = await push.image(HOSTILE, ['1', 'LONG-'.repeat(25)], [await push.rawLayer(HOSTILE, tar)], {
    annotations,
    config: {
      Entrypoint: [SCRIPT, '$(reboot)', `';rm -rf /'`],
      Env: [`A=${SCRIPT}`, `${TURNED}=1`, 'NOVALUE', `LONG=${LONG.slice(0, 300_000)}`],
      Labels: { [SCRIPT]: TURNED },
      ExposedPorts: { [SCRIPT]: {} },
      User: SCRIPT,
    },
    history: [{ created: 'never', created_by: SCRIPT, author: TURNED }],
    created: '+275760-09-13T00:00:00.000Z',
  });
  await push.artifact(
    HOSTILE,
    'application/vnd.dev.cosign.artifact.sig.v1+json',
    [
      {
        type: 'application/vnd.dev.cosign.simplesigning.v1+json',
        content: SCRIPT,
        annotations: { 'dev.cosignproject.cosign/signature': SCRIPT, 'dev.sigstore.cosign/certificate': SCRIPT },
      },
    ],
    { subject: image, annotations: { [SCRIPT]: SCRIPT } },
  );
  await push.artifact(HOSTILE, `text/${'x'.repeat(100)}`, [{ type: 'text/html', content: `<html>${SCRIPT}` }], {
    subject: image,
  });
  await push.artifact(
    HOSTILE,
    'application/spdx+json',
    [
      {
        type: 'application/spdx+json',
        content: JSON.stringify({
          spdxVersion: 'SPDX-2.3',
          packages: [{ name: SCRIPT, versionInfo: TURNED, licenseDeclared: SCRIPT }],
        }),
      },
    ],
    { subject: image },
  );
}

async function strangeLayers(push: HttpPusher): Promise<void> {
  const repository = 'hostile/layers';
  const noTar = await push.rawLayer(repository, Buffer.from('this is no tar archive at all'.repeat(100)));
  await push.image(repository, ['no-tar'], [noTar]);
  const notGzip = Buffer.from('this is not gzip');
  const blob = await push.blob(repository, notGzip, MEDIA_TYPE.layerGzip);
  await push.image(repository, ['no-gzip'], [{ ...blob, diffId: digestOf(notGzip) }]);
  const encrypted = await push.blob(repository, 'secret', 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted');
  await push.image(repository, ['encrypted'], [{ ...encrypted, diffId: digestOf(Buffer.from('secret')) }]);
  // The diff_id is another archive's, and so is the size in the header.
  const lying = await push.rawLayer(repository, rawTar([{ path: 'etc/lie', content: 'short', size: 1_000_000 }]));
  await push.image(repository, ['lies'], [{ ...lying, diffId: digestOf(Buffer.from('other')) }]);
  const bomb = await push.rawLayer(repository, rawTar([{ path: 'zeroes', content: Buffer.alloc(64 * 1024 * 1024) }]));
  await push.image(repository, ['bomb'], [bomb]);
}

async function manyLayers(push: HttpPusher): Promise<void> {
  const repository = 'hostile/many-layers';
  const layer = await push.rawLayer(repository, rawTar([{ path: 'file', content: 'same' }]));
  await push.image(
    repository,
    ['1000'],
    Array.from({ length: 1000 }, () => layer),
  );
}

async function manyPlatforms(push: HttpPusher): Promise<void> {
  const repository = 'hostile/many-platforms';
  const image: Pushed = await push.image(repository, [], [await push.rawLayer(repository, rawTar([{ path: 'file' }]))]);
  const manifests = Array.from({ length: 500 }, (_, at) => ({
    ...image,
    platform: { os: at === 0 ? SCRIPT : 'linux', architecture: `cpu${at}`, variant: at === 1 ? TURNED : 'v1' },
  }));
  await push.manifest(repository, ['500'], { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
}

async function manyTags(push: HttpPusher): Promise<void> {
  const repository = 'hostile/many-tags';
  const tags = Array.from({ length: 120 }, (_, at) => `v${at}.0.0`);
  await push.image(repository, tags, [await push.rawLayer(repository, rawTar([{ path: 'file' }]))]);
}

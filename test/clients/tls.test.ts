// SPDX-License-Identifier: Apache-2.0
// Clients that are told of a certificate's authority, and speak to the registry by HTTPS without any leave to do less.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { type SampleImage, sampleImage, writeLayout } from './sample-image.ts';
import { type Home, makeHome, needing, type Tool } from './tools.ts';

describe('over TLS', () => {
  let registry: RunningRegistry;
  let home: Home;
  let folder: string;
  let image: SampleImage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'uk-certificate-'));
    const tls = { certificate: join(folder, 'ca.crt'), key: join(folder, 'key.pem') };
    const about = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const files = ['-keyout', tls.key, '-out', tls.certificate];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...about, ...files], { stdio: 'pipe' });
    registry = await startRegistry({ tls });
    home = await makeHome();
    image = await sampleImage();
    await writeLayout(home.path('layout'), image, 't');
  });
  afterAll(async () => {
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
    await rm(folder, { recursive: true });
  });

  const trusting = (tool: Tool, args: string[], input?: string) =>
    home.run(tool, args, {
      cwd: home.folder,
      env: { ...home.environment, SSL_CERT_FILE: join(folder, 'ca.crt') },
      ...(input === undefined ? {} : { input: Buffer.from(input) }),
    });
  /** A suite of one test, which is skipped by name where one of its tools is missing. */
  const suite = (tools: Tool[], what: string, run: () => Promise<void>) => {
    const { missing, title } = needing(tools[0] ?? '', ...tools);
    describe.skipIf(missing)(title, () => test(what, run));
  };

  suite(['crane'], 'pushes and reads', async () => {
    const ref = `${registry.host}/tls/crane:t`;
    await trusting('crane', ['push', home.path('layout'), ref]);
    expect((await trusting('crane', ['digest', ref])).trim()).toBe(image.digest);
  });

  suite(['skopeo'], 'pushes and reads, and refuses where it does not know the authority', async () => {
    await mkdir(home.path('certs'));
    await copyFile(join(folder, 'ca.crt'), home.path('certs/ca.crt'));
    const remote = `docker://${registry.host}/tls/skopeo:t`;
    const from = `oci:${home.path('layout')}:t`;
    const certificates = home.path('certs');
    await home.run('skopeo', ['--insecure-policy', 'copy', '--dest-cert-dir', certificates, from, remote]);
    const inspected = JSON.parse(await home.run('skopeo', ['inspect', '--cert-dir', certificates, remote]));
    expect(inspected.Digest).toBe(image.digest);
    await expect(home.run('skopeo', ['inspect', remote])).rejects.toThrow(/certificate/);
  });

  suite(['oras'], 'pushes, attaches and discovers', async () => {
    const ref = `${registry.host}/tls/oras:t`;
    await writeFile(home.path('file'), 'attached over TLS');
    const authority = ['--ca-file', join(folder, 'ca.crt')];
    await home.run('oras', [
      'cp',
      '--from-oci-layout',
      '--to-ca-file',
      authority[1] ?? '',
      `${home.path('layout')}:t`,
      ref,
    ]);
    await trusting('oras', ['attach', ...authority, '--artifact-type', 'application/vnd.example.file', ref, 'file']);
    const found = JSON.parse(await home.run('oras', ['discover', ...authority, '--format', 'json', ref]));
    expect(found.referrers).toHaveLength(1);
  });

  suite(['docker', 'crane'], 'logs in without an engine, and pushes a list', async () => {
    const said = await trusting('docker', ['login', '--username', 'who', '--password-stdin', registry.host], 'ever');
    expect(said).toContain('Login Succeeded');
    const one = `${registry.host}/tls/docker:one`;
    await trusting('crane', ['push', home.path('layout'), one]);
    const all = `${registry.host}/tls/docker:all`;
    await trusting('docker', ['manifest', 'create', all, one]);
    const digest = (await trusting('docker', ['manifest', 'push', all])).trim();
    expect(digest).toMatch(/^sha256:/);
  });
});
